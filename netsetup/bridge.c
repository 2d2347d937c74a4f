/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * netbr@: a bridge with the gateway's address. It is made only if its subnet is free on this host: two
 * networks with the same addresses would both work now and then, which is worse than a course that says why
 * it does not start.
 */

#include "bridge.h"
#include "failure.h"
#include "link.h"
#include "number.h"

/* For messages: an index means nothing to an admin. */
static const char *interface_name(int index, char name[static IFNAMSIZ]) {
        if (index == 0 || !if_indextoname((unsigned)index, name))
                (void)snprintf(name, IFNAMSIZ, "no interface");
        return name;
}

static void overlap_error(const struct bridge_plan *plan, const char *what, const struct link_network *other,
        struct diagnostics *diagnostics) {
        char address[ADDRESS_TEXT_SIZE], text[ADDRESS_TEXT_SIZE], name[IFNAMSIZ];

        address_format(&plan->address, address);
        address_format(&other->address, text);
        diagnostics_error(diagnostics, plan->name, 0,
                "its subnet (%s) overlaps with the %s %s on %s: give course %s another one, by subnet in "
                "[course %s] of " SETTINGS_FILE " or by BR_IP in " OVERRIDE_DIRECTORY "/bridge-%s.conf",
                address, what, text, interface_name(other->index, name), plan->course, plan->course,
                plan->course);
}

static void wider_route_warning(
        const struct bridge_plan *plan, const struct link_network *route, struct diagnostics *diagnostics) {
        char address[ADDRESS_TEXT_SIZE], text[ADDRESS_TEXT_SIZE], name[IFNAMSIZ];

        address_format(&plan->address, address);
        address_format(&route->address, text);
        diagnostics_warning(diagnostics, plan->name, 0,
                "its subnet (%s) lies within the route %s on %s: hosts out there that have addresses of this "
                "subnet cannot be reached from here",
                address, text, interface_name(route->index, name));
}

/* own is the index of the bridge, if it is there already: its own network and routes are no obstacle. */
static int check_addresses(struct link_socket *socket, const struct bridge_plan *plan, int own,
        struct diagnostics *diagnostics) {
        _cleanup_link_networks_ struct link_networks networks = {0};
        int r;

        r = link_list_addresses(socket, &networks);
        if (r < 0)
                return failure(diagnostics, plan->name, r, "the host's addresses cannot be listed");

        for (size_t i = 0; i < networks.n_items; i++) {
                const struct link_network *other = &networks.items[i];

                if (other->index == own || !address_overlaps(&other->address, &plan->address))
                        continue;
                overlap_error(plan, "network", other, diagnostics);
                r = -EADDRINUSE;
        }
        return r;
}

static int check_routes(struct link_socket *socket, const struct bridge_plan *plan, int own,
        struct diagnostics *diagnostics) {
        _cleanup_link_networks_ struct link_networks routes = {0};
        int r;

        r = link_list_routes(socket, &plan->address, &routes);
        if (r < 0)
                return failure(diagnostics, plan->name, r, "the host's routes cannot be listed");

        for (size_t i = 0; i < routes.n_items; i++) {
                const struct link_network *route = &routes.items[i];

                if (own != 0 && route->index == own)
                        continue;
                if (route->address.prefix < plan->address.prefix) {
                        wider_route_warning(plan, route, diagnostics);
                        continue;
                }
                overlap_error(plan, "route", route, diagnostics);
                r = -EADDRINUSE;
        }
        return r;
}

/* Takes away what a bridge of ours has from an earlier configuration, before the right address is added. */
static int remove_other_addresses(struct link_socket *socket, const struct bridge_plan *plan, int index) {
        _cleanup_link_networks_ struct link_networks networks = {0};
        int r;

        r = link_list_addresses(socket, &networks);
        for (size_t i = 0; r >= 0 && i < networks.n_items; i++) {
                const struct link_network *item = &networks.items[i];

                if (item->index != index || (item->address.ip == plan->address.ip &&
                                                    item->address.prefix == plan->address.prefix))
                        continue;
                r = link_delete_address(socket, index, &item->address);
        }
        return r;
}

static int repair(struct link_socket *socket, const struct bridge_plan *plan, const struct link *link,
        struct diagnostics *diagnostics) {
        struct mac mac = mac_of_host(plan->address.ip);
        bool same_mac = memcmp(&mac, &link->mac, sizeof(mac)) == 0;
        int r;

        r = link_bring_up(socket, link, same_mac ? NULL : &mac);
        if (r >= 0)
                r = remove_other_addresses(socket, plan, link->index);
        if (r >= 0)
                r = link_add_address(socket, link->index, &plan->address);
        return r < 0 ? failure(diagnostics, plan->name, r, "the bridge that is there cannot be set right")
                     : 0;
}

static int create(
        struct link_socket *socket, const struct bridge_plan *plan, struct diagnostics *diagnostics) {
        struct mac mac = mac_of_host(plan->address.ip);
        struct link link;
        int r;

        r = link_create_bridge(socket, plan->name, &mac);
        if (r < 0)
                return failure(diagnostics, plan->name, r, "cannot be created");

        r = link_find(socket, plan->name, "bridge", &link);
        if (r != LINK_OURS)
                return failure(
                        diagnostics, plan->name, r < 0 ? r : -ENODEV, "was taken away while it was set up");

        r = link_add_address(socket, link.index, &plan->address);
        if (r < 0) {
                (void)link_delete(socket, link.index);
                return failure(diagnostics, plan->name, r, "cannot have its address");
        }
        return 0;
}

static int apply(const struct bridge_plan *plan, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct link link = {0};
        int r, state;

        r = link_open(&socket);
        if (r < 0)
                return failure(
                        diagnostics, plan->name, r, "the kernel's network configuration cannot be reached");

        state = link_find(&socket, plan->name, "bridge", &link);
        if (state < 0)
                return failure(diagnostics, plan->name, state, "cannot be looked up");
        if (state == LINK_FOREIGN) {
                diagnostics_error(diagnostics, plan->name, 0,
                        "exists already and was not made by coursenet: rename or remove it (ip link delete "
                        "%s), "
                        "then start netbr@%s.service",
                        plan->name, plan->course);
                return -EEXIST;
        }

        r = check_addresses(&socket, plan, link.index, diagnostics);
        if (r >= 0)
                r = check_routes(&socket, plan, link.index, diagnostics);
        if (r < 0)
                return r;

        if (state == LINK_OURS)
                return repair(&socket, plan, &link, diagnostics);
        return create(&socket, plan, diagnostics);
}

int bridge_start(const char *etc, const char *course, struct diagnostics *diagnostics) {
        _cleanup_settings_ struct settings settings = {0};
        struct bridge_plan plan;
        int r;

        r = settings_load(etc, &settings, diagnostics);
        if (r < 0)
                return r;
        r = bridge_plan_load(etc, &settings, course, &plan, diagnostics);
        if (r < 0)
                return r;
        return apply(&plan, diagnostics);
}

int bridge_stop(const char *course, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct bridge_plan plan;
        struct link link;
        int r;

        /* It becomes part of a name. How many digits this site writes is no matter: a stop needs no file. */
        if (!digits_only(course) || strlen(course) >= COURSE_SIZE) {
                diagnostics_error(diagnostics, course, 0, "expected a course number, such as 123");
                return -EINVAL;
        }
        bridge_plan_name(course, &plan);

        r = link_open(&socket);
        if (r < 0)
                return failure(
                        diagnostics, plan.name, r, "the kernel's network configuration cannot be reached");

        r = link_find(&socket, plan.name, "bridge", &link);
        if (r == LINK_ABSENT)
                return 0;
        if (r == LINK_FOREIGN) {
                diagnostics_error(
                        diagnostics, plan.name, 0, "was not made by coursenet and is left as it is");
                return -EEXIST;
        }
        if (r >= 0)
                r = link_delete(&socket, link.index);
        return r < 0 ? failure(diagnostics, plan.name, r, "cannot be removed") : 0;
}

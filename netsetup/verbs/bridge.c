/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * netbr@: a bridge with the gateway's address. It is created only if its subnet is free on this host: two
 * networks with the same addresses would both work only sometimes, which is worse than a course that does not
 * start and reports why.
 *
 * A bridge is set up last, after the courses' firewall has rules for it, so no packet passes it without
 * rules. The unit counts as started before that, when a new bridge exists, because systemd can then prepare
 * the program of the first seat at the same time. That program waits until the bridge is up, see seat.c.
 */

#include "bridge.h"
#include "base/failure.h"
#include "firewall/course-rules.h"
#include "kernel/link.h"
#include "notify.h"
#include "number.h"

/* For messages, because an index means nothing to an administrator. */
static const char *interface_name(int index, char name[static IFNAMSIZ]) {
        if (index == 0 || !if_indextoname((unsigned)index, name))
                (void)snprintf(name, IFNAMSIZ, "no interface");
        return name;
}

/* own and other are texts, for either family. setting and override: what to change, for this family. */
static void overlap_error(const struct bridge_plan *plan, const char *own, const char *what,
        const char *other, int index, struct diagnostics *diagnostics) {
        bool six = strchr(own, ':') != NULL;
        char name[IFNAMSIZ], override[64] = "";

        if (!six)
                (void)snprintf(override, sizeof(override),
                        " or by BR_IP in " OVERRIDE_DIRECTORY "/bridge-%s.conf", plan->course);
        diagnostics_error(diagnostics, plan->name, 0,
                "its subnet (%s) overlaps with the %s %s on %s: give course %s another one, by %s in "
                "[course %s] of " SETTINGS_FILE "%s",
                own, what, other, interface_name(index, name), plan->course, six ? "subnet6" : "subnet",
                plan->course, override);
}

static void wider_route_warning(const struct bridge_plan *plan, const char *own, const char *route, int index,
        struct diagnostics *diagnostics) {
        char name[IFNAMSIZ];

        diagnostics_warning(diagnostics, plan->name, 0,
                "its subnet (%s) lies within the route %s on %s: this host then cannot reach other hosts "
                "with addresses of this subnet",
                own, route, interface_name(index, name));
}

/*
 * own is the index of the bridge if it exists already: its own network and routes do not count as overlaps.
 */
static int check_addresses(struct link_socket *socket, const struct bridge_plan *plan, int own,
        struct diagnostics *diagnostics) {
        _cleanup_link_networks_ struct link_networks networks = {0};
        char address[ADDRESS_TEXT_SIZE], text[ADDRESS_TEXT_SIZE];
        int r;

        r = link_list_addresses(socket, &networks);
        if (r < 0)
                return failure(diagnostics, plan->name, r, "the host's addresses cannot be listed");

        address_format(&plan->address, address);
        for (size_t i = 0; i < networks.n_items; i++) {
                const struct link_network *other = &networks.items[i];

                if (other->index == own || !address_overlaps(&other->address, &plan->address))
                        continue;
                address_format(&other->address, text);
                overlap_error(plan, address, "network", text, other->index, diagnostics);
                r = -EADDRINUSE;
        }
        return r;
}

static int check_addresses6(struct link_socket *socket, const struct bridge_plan *plan, int own,
        struct diagnostics *diagnostics) {
        _cleanup_link_networks6_ struct link_networks6 networks = {0};
        char address[ADDRESS6_TEXT_SIZE], text[ADDRESS6_TEXT_SIZE];
        int r;

        r = link_list_addresses6(socket, &networks);
        if (r < 0)
                return failure(diagnostics, plan->name, r, "the host's IPv6 addresses cannot be listed");

        address6_format(&plan->address6, address);
        for (size_t i = 0; i < networks.n_items; i++) {
                const struct link_network6 *other = &networks.items[i];

                if (other->index == own || !address6_overlaps(&other->address, &plan->address6))
                        continue;
                address6_format(&other->address, text);
                overlap_error(plan, address, "network", text, other->index, diagnostics);
                r = -EADDRINUSE;
        }
        return r;
}

static int check_routes(struct link_socket *socket, const struct bridge_plan *plan, int own,
        struct diagnostics *diagnostics) {
        _cleanup_link_networks_ struct link_networks routes = {0};
        char address[ADDRESS_TEXT_SIZE], text[ADDRESS_TEXT_SIZE];
        int r;

        r = link_list_routes(socket, &plan->address, &routes);
        if (r < 0)
                return failure(diagnostics, plan->name, r, "the host's routes cannot be listed");

        address_format(&plan->address, address);
        for (size_t i = 0; i < routes.n_items; i++) {
                const struct link_network *route = &routes.items[i];

                if (own != 0 && route->index == own)
                        continue;
                address_format(&route->address, text);
                if (route->address.prefix < plan->address.prefix) {
                        wider_route_warning(plan, address, text, route->index, diagnostics);
                        continue;
                }
                overlap_error(plan, address, "route", text, route->index, diagnostics);
                r = -EADDRINUSE;
        }
        return r;
}

static int check_routes6(struct link_socket *socket, const struct bridge_plan *plan, int own,
        struct diagnostics *diagnostics) {
        _cleanup_link_networks6_ struct link_networks6 routes = {0};
        char address[ADDRESS6_TEXT_SIZE], text[ADDRESS6_TEXT_SIZE];
        int r;

        r = link_list_routes6(socket, &plan->address6, &routes);
        if (r < 0)
                return failure(diagnostics, plan->name, r, "the host's IPv6 routes cannot be listed");

        address6_format(&plan->address6, address);
        for (size_t i = 0; i < routes.n_items; i++) {
                const struct link_network6 *route = &routes.items[i];

                if (own != 0 && route->index == own)
                        continue;
                address6_format(&route->address, text);
                if (route->address.prefix < plan->address6.prefix) {
                        wider_route_warning(plan, address, text, route->index, diagnostics);
                        continue;
                }
                overlap_error(plan, address, "route", text, route->index, diagnostics);
                r = -EADDRINUSE;
        }
        return r;
}

static int check_host(struct link_socket *socket, const struct bridge_plan *plan, int own,
        struct diagnostics *diagnostics) {
        int r;

        r = check_addresses(socket, plan, own, diagnostics);
        if (r >= 0)
                r = check_routes(socket, plan, own, diagnostics);
        if (r < 0 || !address6_is_set(&plan->address6))
                return r;
        r = check_addresses6(socket, plan, own, diagnostics);
        return r < 0 ? r : check_routes6(socket, plan, own, diagnostics);
}

/* Removes addresses of an earlier configuration from a bridge of ours, before the right address is added. */
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

static int remove_other_addresses6(struct link_socket *socket, const struct bridge_plan *plan, int index) {
        _cleanup_link_networks6_ struct link_networks6 networks = {0};
        int r;

        r = link_list_addresses6(socket, &networks);
        for (size_t i = 0; r >= 0 && i < networks.n_items; i++) {
                const struct link_network6 *item = &networks.items[i];

                if (item->index != index || (address6_same_ip(&item->address, &plan->address6) &&
                                                    item->address.prefix == plan->address6.prefix))
                        continue;
                r = link_delete_address6(socket, index, &item->address);
        }
        return r;
}

/*
 * If the kernel has no IPv6, or the administrator has switched it off, courses have none; `coursenetctl
 * check` reports that. IPv6 is a default here, so its absence is no reason to refuse a course.
 */
static int add_address6(struct link_socket *socket, const struct bridge_plan *plan, int index) {
        struct address6 link_local = mac_link_local(&plan->mac);
        int r;

        if (!address6_is_set(&plan->address6))
                return 0;
        r = link_add_address6(socket, index, &plan->address6);
        /* The one that the kernel would make is unusable for two seconds, and until then the kernel resolves
         * no neighbours. */
        if (r >= 0)
                r = link_add_address6(socket, index, &link_local);
        return r == -EOPNOTSUPP || r == -EACCES ? 0 : r;
}

static int repair(struct link_socket *socket, const struct bridge_plan *plan, const struct link *link,
        struct diagnostics *diagnostics) {
        int r;

        r = remove_other_addresses(socket, plan, link->index);
        if (r >= 0)
                r = remove_other_addresses6(socket, plan, link->index);
        if (r >= 0)
                r = link_add_address(socket, link->index, &plan->address);
        if (r >= 0)
                r = add_address6(socket, plan, link->index);
        return r < 0 ? failure(diagnostics, plan->name, r, "the existing bridge cannot be corrected") : 0;
}

static int create(struct link_socket *socket, const struct bridge_plan *plan, struct link *ret,
        struct diagnostics *diagnostics) {
        struct link link;
        int r;

        r = link_create_bridge(socket, plan->name, &plan->mac);
        if (r < 0)
                return failure(diagnostics, plan->name, r, "cannot be created");

        r = link_find(socket, plan->name, "bridge", &link);
        if (r != LINK_OURS)
                return failure(diagnostics, plan->name, r < 0 ? r : -ENODEV,
                        "was removed by another program during setup");

        r = link_add_address(socket, link.index, &plan->address);
        if (r >= 0)
                r = add_address6(socket, plan, link.index);
        if (r < 0) {
                (void)link_delete(socket, link.index);
                return failure(diagnostics, plan->name, r, "cannot get its address");
        }
        *ret = link;
        return 0;
}

static int bring_up(struct link_socket *socket, const struct bridge_plan *plan, const struct link *link,
        struct diagnostics *diagnostics) {
        bool same_mac = memcmp(&plan->mac, &link->mac, sizeof(plan->mac)) == 0;
        int r = link_bring_up(socket, link, same_mac ? NULL : &plan->mac);

        return r < 0 ? failure(diagnostics, plan->name, r, "cannot be set up") : 0;
}

static int remove_link(
        struct link_socket *socket, const char *name, const char *kind, struct diagnostics *diagnostics) {
        struct link link;
        int r;

        r = link_find(socket, name, kind, &link);
        if (r == LINK_FOREIGN) {
                diagnostics_error(diagnostics, name, 0, "was not made by coursenet and is left as it is");
                return -EEXIST;
        }
        if (r == LINK_OURS)
                r = link_delete(socket, link.index);
        return r < 0 ? failure(diagnostics, name, r, "cannot be removed") : 0;
}

static int apply(const char *etc, const struct bridge_plan *plan, struct diagnostics *diagnostics) {
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
                        "%s), then start netbr@%s.service",
                        plan->name, plan->course);
                return -EEXIST;
        }

        r = check_host(&socket, plan, link.index, diagnostics);
        if (r < 0)
                return r;
        r = state == LINK_OURS ? repair(&socket, plan, &link, diagnostics)
                               : create(&socket, plan, &link, diagnostics);
        if (r < 0)
                return r;
        if (state != LINK_OURS)
                (void)notify_send("READY=1");

        r = course_rules_refresh(etc, diagnostics);
        if (r >= 0)
                r = bring_up(&socket, plan, &link, diagnostics);
        if (r < 0 && state != LINK_OURS) {
                (void)remove_link(&socket, plan->name, "bridge", diagnostics);
                (void)course_rules_refresh(etc, diagnostics);
        }
        return r;
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
        return apply(etc, &plan, diagnostics);
}

int bridge_stop(const char *etc, const char *course, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct bridge_plan plan;
        int r;

        /*
         * The text becomes part of a name. Its number of digits is not checked, because a stop reads no
         * settings.
         */
        if (!digits_only(course) || strlen(course) >= COURSE_SIZE) {
                diagnostics_error(diagnostics, course, 0, "expected a course number, such as 123");
                return -EINVAL;
        }
        bridge_plan_name(course, &plan);

        r = link_open(&socket);
        if (r < 0)
                return failure(
                        diagnostics, plan.name, r, "the kernel's network configuration cannot be reached");

        r = remove_link(&socket, plan.name, "bridge", diagnostics);
        if (r < 0)
                return r;
        /*
         * This is done even if the bridge does not exist any more, because nobody has removed its rules then.
         */
        return course_rules_refresh(etc, diagnostics);
}

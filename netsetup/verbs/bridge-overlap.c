/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compares the subnets of a planned bridge with the host's networks and routes. */

#include "bridge-overlap.h"
#include "base/failure.h"

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

int bridge_overlap_check(struct link_socket *socket, const struct bridge_plan *plan, int own,
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

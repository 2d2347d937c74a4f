/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compares what bridges and both ends of cables have in common. */

#include "base/failure.h"
#include "inspect.h"

void inspect_link_up(struct inspection *inspection, const struct link *link, const char *repair) {
        /* inspect-claims.c reports those that are fenced off. */
        if (!(link->flags & IFF_UP) && !link->fenced) {
                diagnostics_error(inspection->diagnostics, link->name, 0, "is down");
                diagnostics_advise(inspection->diagnostics, "%s", repair);
        }
}

void inspect_link(
        struct inspection *inspection, const struct link *link, const struct mac *mac, const char *repair) {
        char real[MAC_TEXT_SIZE], planned[MAC_TEXT_SIZE];

        inspect_link_up(inspection, link, repair);
        if (memcmp(&link->mac, mac, sizeof(*mac)) == 0)
                return;
        mac_format(&link->mac, real);
        mac_format(mac, planned);
        diagnostics_error(inspection->diagnostics, link->name, 0, "has the MAC address %s instead of %s",
                real, planned);
        diagnostics_advise(inspection->diagnostics, "%s", repair);
}

static int inspect_addresses4(struct inspection *inspection, struct link_socket *socket,
        const struct link *link, const struct address *planned, const char *repair) {
        _cleanup_link_networks_ struct link_networks networks = {0};
        char text[ADDRESS_TEXT_SIZE];
        bool found = false;
        int r;

        r = link_list_addresses(socket, &networks);
        if (r < 0)
                return failure(inspection->diagnostics, link->name, r, "its addresses cannot be listed");
        for (size_t i = 0; i < networks.n_items; i++) {
                const struct link_network *item = &networks.items[i];

                if (item->index != link->index)
                        continue;
                if (item->address.ip == planned->ip && item->address.prefix == planned->prefix) {
                        found = true;
                        continue;
                }
                address_format(&item->address, text);
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "has the address %s, which is not planned", text);
                diagnostics_advise(inspection->diagnostics, "%s", repair);
        }
        address_format(planned, text);
        if (!found) {
                diagnostics_error(inspection->diagnostics, link->name, 0, "lacks its address %s", text);
                diagnostics_advise(inspection->diagnostics, "%s", repair);
        }
        return 0;
}

static int inspect_addresses6(struct inspection *inspection, struct link_socket *socket,
        const struct link *link, const struct address6 *planned, const char *repair) {
        _cleanup_link_networks6_ struct link_networks6 networks = {0};
        bool found = !address6_is_set(planned);
        char text[ADDRESS6_TEXT_SIZE];
        int r;

        r = link_list_addresses6(socket, &networks);
        if (r < 0)
                return failure(inspection->diagnostics, link->name, r, "its addresses cannot be listed");
        for (size_t i = 0; i < networks.n_items; i++) {
                const struct link_network6 *item = &networks.items[i];

                if (item->index != link->index)
                        continue;
                if (address6_same_ip(&item->address, planned) && item->address.prefix == planned->prefix) {
                        found = true;
                        continue;
                }
                address6_format(&item->address, text);
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "has the address %s, which is not planned", text);
                diagnostics_advise(inspection->diagnostics, "%s", repair);
        }
        address6_format(planned, text);
        if (!found) {
                diagnostics_error(inspection->diagnostics, link->name, 0, "lacks its address %s", text);
                diagnostics_advise(inspection->diagnostics, "%s", repair);
        }
        return 0;
}

/* coursenetctl reports a kernel without IPv6 once, so it is not reported for each link. */
int inspect_addresses(struct inspection *inspection, struct link_socket *socket, const struct link *link,
        const struct address *address, const struct address6 *address6, const char *repair) {
        int r;

        r = inspect_addresses4(inspection, socket, link, address, repair);
        if (r < 0 || access("/proc/sys/net/ipv6", F_OK) < 0)
                return r;
        return inspect_addresses6(inspection, socket, link, address6, repair);
}

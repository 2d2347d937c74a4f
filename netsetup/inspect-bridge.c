/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A course's bridge. */

#include "inspect.h"
#include "sysctl.h"

#define REPAIR_NETWORK "systemctl restart coursenet-network.service sets it right"

/* Some kernels have no switch of the name, and some no IPv6: what is not there is not off. */
static bool is_off(const char *format, const char *link) _printf_(1, 0);

static bool is_off(const char *format, const char *link) {
        char path[128], value[8];

        (void)snprintf(path, sizeof(path), format, link);
        return sysctl_read(SYSCTL_ROOT, path, value, sizeof(value)) >= 0 && string_equal(value, "0");
}

static void inspect_forwarding(
        struct inspection *inspection, const struct link *link, const struct bridge_plan *plan) {
        if (is_off("net/ipv4/conf/%s/forwarding", link->name))
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "does not forward IPv4, so its seats reach no other network: " REPAIR_NETWORK);
        if (!address6_is_set(&plan->address6))
                return;
        /* Linux 6.17 has a switch for one interface; before, the one for all decides. */
        if (is_off("net/ipv6/conf/all/forwarding", link->name) &&
                (is_off("net/ipv6/conf/%s/force_forwarding", link->name) ||
                        access(SYSCTL_ROOT "/net/ipv6/conf/all/force_forwarding", F_OK) < 0))
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "does not forward IPv6, so its seats reach no other network: " REPAIR_NETWORK);
}

int inspect_bridge(struct inspection *inspection, const struct link *link, const struct bridge_plan *plan) {
        char repair[128];

        (void)snprintf(repair, sizeof(repair), "coursenet-net bridge start %s (in /usr/libexec/coursenet) sets it right",
                plan->course);
        inspect_link(inspection, link, &plan->mac, repair);
        inspect_forwarding(inspection, link, plan);
        return inspect_addresses(
                inspection, &inspection->host, link, &plan->address, &plan->address6, repair);
}

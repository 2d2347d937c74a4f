/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A course's bridge. */

#include <inttypes.h>

#include "failure.h"
#include "inspect.h"
#include "sysctl.h"

#define REPAIR_NETWORK "systemctl restart coursenet-network.service sets it right"

/* Some kernels have no switch of the name, and some no IPv6: what is not there is not off. */
static bool is_off(const char *family, const char *link, const char *name) {
        char path[128], value[8];

        (void)snprintf(path, sizeof(path), "net/%s/conf/%s/%s", family, link, name);
        return sysctl_read(SYSCTL_ROOT, path, value, sizeof(value)) >= 0 && string_equal(value, "0");
}

static void inspect_forwarding(
        struct inspection *inspection, const struct link *link, const struct bridge_plan *plan) {
        if (is_off("ipv4", link->name, "forwarding"))
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "does not forward IPv4, so its seats reach no other network: " REPAIR_NETWORK);
        if (!address6_is_set(&plan->address6))
                return;
        /* Linux 6.17 has a switch for one interface; before, the one for all decides. */
        if (is_off("ipv6", "all", "forwarding") &&
                (is_off("ipv6", link->name, "force_forwarding") ||
                        access(SYSCTL_ROOT "/net/ipv6/conf/all/force_forwarding", F_OK) < 0))
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "does not forward IPv6, so its seats reach no other network: " REPAIR_NETWORK);
}

/* What comes from the seats is limited by the firewall. qdiscs count bytes. */
static int inspect_course_rate(
        struct inspection *inspection, const struct link *link, const struct bridge_plan *plan) {
        uint64_t bits = plan->traffic.course_rate.bits, real;
        int r;

        r = qdisc_get_rate(&inspection->host, link->index, &real);
        if (r < 0)
                return failure(inspection->diagnostics, link->name, r, "its limit cannot be looked at");
        if (real / 8 != bits / 8)
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "the course is limited to %" PRIu64
                        " bits per second to its seats instead of %" PRIu64 " (0: no limit): " REPAIR_NETWORK,
                        real, bits);
        return 0;
}

int inspect_bridge(struct inspection *inspection, const struct link *link, const struct bridge_plan *plan) {
        char repair[128];
        int r;

        (void)snprintf(repair, sizeof(repair),
                "coursenet-net bridge start %s (in /usr/libexec/coursenet) sets it right", plan->course);
        inspect_link(inspection, link, &plan->mac, repair);
        /* A link that is down has lost its IPv6 addresses, and more. */
        if (!(link->flags & IFF_UP))
                return 0;
        inspect_forwarding(inspection, link, plan);
        r = inspect_course_rate(inspection, link, plan);
        if (r < 0)
                return r;
        return inspect_addresses(
                inspection, &inspection->host, link, &plan->address, &plan->address6, repair);
}

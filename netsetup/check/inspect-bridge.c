/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compares a course's bridge with its plan. */

#include <inttypes.h>

#include "base/failure.h"
#include "inspect.h"
#include "kernel/sysctl.h"

#define REPAIR_NETWORK "systemctl restart coursenet-network.service corrects this"

/* Some kernels have no such switch, or no IPv6. A switch that does not exist is not off. */
static bool is_off(const char *family, const char *link, const char *name) {
        char path[128], value[8];

        (void)snprintf(path, sizeof(path), "net/%s/conf/%s/%s", family, link, name);
        return sysctl_read(SYSCTL_ROOT, path, value, sizeof(value)) >= 0 && string_equal(value, "0");
}

static void inspect_forwarding(
        struct inspection *inspection, const struct link *link, const struct bridge_plan *plan) {
        if (is_off("ipv4", link->name, "forwarding")) {
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "does not forward IPv4, so its seats reach no other network");
                diagnostics_advise(inspection->diagnostics, REPAIR_NETWORK);
        }
        if (!address6_is_set(&plan->address6))
                return;
        /* Linux 6.17 has a switch for one interface; before, the one for all decides. */
        if (is_off("ipv6", "all", "forwarding") &&
                (is_off("ipv6", link->name, "force_forwarding") ||
                        access(SYSCTL_ROOT "/net/ipv6/conf/all/force_forwarding", F_OK) < 0)) {
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "does not forward IPv6, so its seats reach no other network");
                diagnostics_advise(inspection->diagnostics, REPAIR_NETWORK);
        }
}

/* What comes from the seats is limited by the firewall. qdiscs count bytes. */
static int inspect_course_rate(
        struct inspection *inspection, const struct link *link, const struct bridge_plan *plan) {
        uint64_t bits = plan->traffic.course_rate.bits, real;
        int r;

        r = qdisc_get_rate(&inspection->host, link->index, &real);
        if (r < 0)
                return failure(inspection->diagnostics, link->name, r, "its limit cannot be read");
        if (real / 8 != bits / 8) {
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "the course is limited to %" PRIu64
                        " bits per second to its seats instead of %" PRIu64 " (0: no limit)",
                        real, bits);
                diagnostics_advise(inspection->diagnostics, REPAIR_NETWORK);
        }
        return 0;
}

/*
 * Whether the bridge has an address that is not planned, and not the planned one: then the settings were
 * edited, and seats that are up have the former address, which is put into *ret_text, as their gateway.
 */
static int find_former4(struct inspection *inspection, const struct link *link, const struct address *planned,
        char ret_text[static ADDRESS6_TEXT_SIZE]) {
        _cleanup_link_networks_ struct link_networks networks = {0};
        bool found = false;
        int r;

        r = link_list_addresses(&inspection->host, &networks);
        for (size_t i = 0; r >= 0 && i < networks.n_items; i++) {
                const struct link_network *item = &networks.items[i];

                if (item->index != link->index)
                        continue;
                if (item->address.ip == planned->ip && item->address.prefix == planned->prefix)
                        return 0;
                address_format(&item->address, ret_text);
                found = true;
        }
        return r < 0 ? r : found;
}

static int find_former6(struct inspection *inspection, const struct link *link,
        const struct address6 *planned, char ret_text[static ADDRESS6_TEXT_SIZE]) {
        _cleanup_link_networks6_ struct link_networks6 networks = {0};
        bool found = false;
        int r;

        r = link_list_addresses6(&inspection->host, &networks);
        for (size_t i = 0; r >= 0 && i < networks.n_items; i++) {
                const struct link_network6 *item = &networks.items[i];

                if (item->index != link->index)
                        continue;
                if (address6_same_ip(&item->address, planned) && item->address.prefix == planned->prefix)
                        return 0;
                address6_format(&item->address, ret_text);
                found = true;
        }
        return r < 0 ? r : found;
}

/*
 * True: the difference has been reported, and the bridge must not be set to its plan while there are seats on
 * it.
 */
static int inspect_edited(
        struct inspection *inspection, const struct link *link, const struct bridge_plan *plan) {
        char former[ADDRESS6_TEXT_SIZE], planned[ADDRESS6_TEXT_SIZE] = "no IPv6";
        int r;

        r = find_former4(inspection, link, &plan->address, former);
        if (r > 0)
                address_format(&plan->address, planned);
        else if (r == 0) {
                r = find_former6(inspection, link, &plan->address6, former);
                if (r > 0 && address6_is_set(&plan->address6))
                        address6_format(&plan->address6, planned);
        }
        if (r < 0)
                return failure(inspection->diagnostics, link->name, r, "its addresses cannot be listed");
        if (r > 0)
                diagnostics_warning(inspection->diagnostics, link->name, 0,
                        "has the address %s, while the settings plan %s now: the new one applies from the "
                        "next "
                        "start of the course, after its last seat has gone",
                        former, planned);
        return r;
}

/* Its cables keep the MTU that they have, so the course's next start is the better one. */
static void advise_stretch(struct inspection *inspection, const struct bridge_plan *plan) {
        diagnostics_advise(inspection->diagnostics,
                "the course's next start corrects this (coursenetctl stop %s ends its logins); coursenet-net "
                "bridge start %s (in /usr/libexec/coursenet) does so now",
                plan->course, plan->course);
}

static int inspect_stretch(
        struct inspection *inspection, const struct link *bridge, const struct bridge_plan *plan) {
        const char *difference;
        struct link link;
        char buffer[128];
        int r;

        r = link_find(&inspection->host, plan->vxlan, "vxlan", &link);
        if (r < 0)
                return failure(inspection->diagnostics, plan->vxlan, r, "cannot be looked up");
        if (plan->vni == 0) {
                if (r != LINK_OURS)
                        return 0;
                diagnostics_warning(inspection->diagnostics, bridge->name, 0,
                        "is one network with the other members, while the settings have spread = no now: "
                        "that applies from the next start of the course, after its last seat has gone");
                return 0;
        }
        if (r != LINK_OURS) {
                diagnostics_error(inspection->diagnostics, bridge->name, 0,
                        "is not one network with the other members (spread = yes): there is no link %s of "
                        "ours",
                        plan->vxlan);
                advise_stretch(inspection, plan);
                return 0;
        }
        difference = link_vxlan_difference(&link, plan, bridge->index, buffer, sizeof(buffer));
        if (!difference && !(link.flags & IFF_UP))
                difference = "it is down";
        if (!difference && bridge->mtu > link.mtu)
                difference = "the bridge sends it larger packets than it can carry";
        if (difference) {
                diagnostics_error(inspection->diagnostics, link.name, 0,
                        "the link to the other members is not as planned: %s", difference);
                advise_stretch(inspection, plan);
        }
        return 0;
}

int inspect_bridge(struct inspection *inspection, const struct link *link, const struct bridge_plan *plan) {
        char repair[128];
        int r, edited;

        edited = inspect_edited(inspection, link, plan);
        if (edited < 0)
                return edited;
        (void)snprintf(repair, sizeof(repair),
                edited ? "ip link set br-%s up corrects this"
                       : "coursenet-net bridge start %s (in /usr/libexec/coursenet) corrects this",
                plan->course);
        if (edited)
                inspect_link_up(inspection, link, repair);
        else
                inspect_link(inspection, link, &plan->mac, repair);
        /*
         * A link that is down has lost its IPv6 addresses and more, so the rest is compared only if it is up.
         */
        if (!(link->flags & IFF_UP))
                return 0;
        inspect_forwarding(inspection, link, plan);
        r = inspect_stretch(inspection, link, plan);
        if (r >= 0)
                r = inspect_course_rate(inspection, link, plan);
        if (r < 0 || edited)
                return r;
        return inspect_addresses(
                inspection, &inspection->host, link, &plan->address, &plan->address6, repair);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Compares both ends of a seat's cable with the plan. If the end in the seat differs, the usual reason is a
 * change of the settings since the seat started. The seat's next start corrects that, so nobody has to be
 * logged out.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>

#include "base/failure.h"
#include "inspect.h"
#include "kernel/netns-mount.h"
#include "kernel/rule.h"
#include "kernel/sysctl.h"
#include "run-files.h"

#define REPAIR_SIZE 96U

static void format_repair(const struct seat_plan *plan, char ret_repair[static REPAIR_SIZE]) {
        (void)snprintf(ret_repair, REPAIR_SIZE,
                "the seat's next start corrects this (coursenetctl stop %s ends its logins)", plan->name);
}

/* qdiscs count bytes. */
static void inspect_rate(struct inspection *inspection, const char *name, uint64_t real, uint64_t planned,
        const char *repair) {
        if (real / 8 != planned / 8) {
                diagnostics_error(inspection->diagnostics, name, 0,
                        "is limited to %" PRIu64 " bits per second instead of %" PRIu64 " (0: no limit)",
                        real, planned);
                diagnostics_advise(inspection->diagnostics, "%s", repair);
        }
}

/* A kernel without netem has none of it. */
static void inspect_impairment(struct inspection *inspection, const char *name, const struct impairment *real,
        const struct impairment *planned, const char *repair) {
        if (memcmp(real, planned, sizeof(*real)) == 0)
                return;
        if (impairment_is_none(real)) {
                diagnostics_warning(inspection->diagnostics, name, 0,
                        "has not the delay, jitter and loss of the settings");
                diagnostics_advise(
                        inspection->diagnostics, "modprobe sch_netem, if the kernel has it; %s", repair);
                return;
        }
        diagnostics_error(inspection->diagnostics, name, 0,
                "has a delay of %u us, a jitter of %u us and a loss of %u in a million instead of %u, %u and "
                "%u",
                real->delay_usec, real->jitter_usec, real->loss_ppm, planned->delay_usec,
                planned->jitter_usec, planned->loss_ppm);
        diagnostics_advise(inspection->diagnostics, "%s", repair);
}

static void inspect_limits(struct inspection *inspection, const char *name, const struct qdisc_rate *real,
        const struct seat_plan *plan, const char *repair) {
        inspect_rate(inspection, name, real->bits, plan->rate, repair);
        inspect_impairment(inspection, name, &real->impairment, &plan->impairment, repair);
}

static int inspect_master(struct inspection *inspection, const struct link *link,
        const struct seat_plan *plan, const char *repair) {
        struct link bridge = {0};
        int r;

        r = link_find(&inspection->host, plan->bridge, "bridge", &bridge);
        if (r < 0)
                return failure(inspection->diagnostics, plan->bridge, r, "cannot be looked up");
        if (link->master != 0 && link->master == bridge.index)
                return 1;
        diagnostics_error(inspection->diagnostics, link->name, 0, "is not connected to %s", plan->bridge);
        diagnostics_advise(inspection->diagnostics, "%s", repair);
        return 0;
}

static int inspect_port(struct inspection *inspection, const struct link *link, const struct seat_plan *plan,
        bool edited, const char *repair) {
        struct qdisc_rate real = qdisc_find(&inspection->rates, link->index);
        int r;

        inspect_limits(inspection, link->name, &real, plan, repair);
        if (edited)
                inspect_link_up(inspection, link, repair);
        else {
                inspect_link(inspection, link, &plan->link_mac, repair);
                r = inspect_master(inspection, link, plan, repair);
                if (r <= 0)
                        return r;
        }
        if (link->isolated != (plan->isolation == ISOLATION_SEAT)) {
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "the seat can%s reach the others of its course, which is not what the settings say",
                        link->isolated ? "not" : "");
                diagnostics_advise(inspection->diagnostics, "%s", repair);
        }
        return 0;
}

static int inspect_inner_rate(struct inspection *inspection, struct link_socket *inside,
        const struct link *peer, const struct seat_plan *plan, const char *repair) {
        struct qdisc_rate real;
        int r;

        r = qdisc_get(inside, peer->index, &real);
        if (r < 0)
                return failure(inspection->diagnostics, peer->name, r, "its limit cannot be read");
        inspect_limits(inspection, peer->name, &real, plan, repair);
        return 0;
}

static int inspect_routes(struct inspection *inspection, struct link_socket *inside, const struct link *peer,
        const struct seat_plan *plan, const char *repair) {
        char gateway[ADDRESS6_TEXT_SIZE];
        int r;

        r = link_has_default_route(inside, peer->index, plan->gateway);
        if (r == 0) {
                address_format_ip(plan->gateway, gateway);
                diagnostics_error(inspection->diagnostics, peer->name, 0,
                        "there is no default route by %s in the seat", gateway);
                diagnostics_advise(inspection->diagnostics, "%s", repair);
        }
        if (r >= 0 && address6_is_set(&plan->gateway6) && access("/proc/sys/net/ipv6", F_OK) >= 0) {
                r = link_has_default_route6(inside, peer->index, &plan->gateway6);
                if (r == 0) {
                        address6_format_ip(&plan->gateway6, gateway);
                        diagnostics_error(inspection->diagnostics, peer->name, 0,
                                "there is no default route by %s in the seat", gateway);
                        diagnostics_advise(inspection->diagnostics, "%s", repair);
                }
        }
        return r < 0 ? failure(inspection->diagnostics, peer->name, r, "its routes cannot be listed") : 0;
}

/* What else the rules for 127.0.0.53 need. True: both are on. */
static bool has_dns_switches(const char *peer) {
        static const char *const names[] = {"route_localnet", "accept_local"};

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char path[64], value[8];

                (void)snprintf(path, sizeof(path), "net/ipv4/conf/%s/%s", peer, names[i]);
                if (sysctl_read(SYSCTL_ROOT, path, value, sizeof(value)) < 0 || !string_equal(value, "1"))
                        return false;
        }
        return true;
}

/* The same, in the namespace. Negative errno if this process cannot enter the namespace or cannot return. */
static int has_dns_switches_in(int netns_fd, const char *peer) {
        _cleanup_close_ int own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        bool yes;

        if (own_fd < 0 || setns(netns_fd, CLONE_NEWNET) < 0)
                return -errno;
        yes = has_dns_switches(peer);
        return setns(own_fd, CLONE_NEWNET) < 0 ? -errno : yes;
}

static int inspect_dns(struct inspection *inspection, int netns_fd, struct link_socket *inside,
        const struct link *peer, const struct seat_plan *plan, const char *repair) {
        int r;

        if (!plan->dns)
                return 0;
        r = rule_has_loopback_dns(inside, peer->index, plan->address.ip, plan->gateway);
        if (r > 0)
                r = has_dns_switches_in(netns_fd, peer->name);
        if (r == 0) {
                diagnostics_error(inspection->diagnostics, peer->name, 0,
                        "DNS queries to 127.0.0.53 and the like do not leave the seat");
                diagnostics_advise(inspection->diagnostics, "%s", repair);
        }
        return r < 0 ? failure(inspection->diagnostics, peer->name, r, "its DNS rules cannot be listed") : 0;
}

static int inspect_inside(struct inspection *inspection, int netns_fd, const struct seat_plan *plan,
        bool edited, const char *repair) {
        _cleanup_link_socket_ struct link_socket inside = {0};
        struct link peer;
        int r;

        r = link_open_in(netns_fd, &inside);
        if (r >= 0)
                r = link_find(&inside, plan->peer, "veth", &peer);
        if (r < 0)
                return failure(inspection->diagnostics, plan->netns, r, "cannot be examined");
        if (r != LINK_OURS) {
                diagnostics_error(inspection->diagnostics, plan->netns, 0,
                        "there is no link %s of ours in the seat", plan->peer);
                diagnostics_advise(inspection->diagnostics, "%s", repair);
                return 0;
        }
        r = inspect_inner_rate(inspection, &inside, &peer, plan, repair);
        if (edited) {
                inspect_link_up(inspection, &peer, repair);
                return r;
        }
        inspect_link(inspection, &peer, &plan->peer_mac, repair);
        if (r >= 0)
                r = inspect_addresses(inspection, &inside, &peer, &plan->address, &plan->address6, repair);
        if (r >= 0)
                r = inspect_routes(inspection, &inside, &peer, plan, repair);
        if (r >= 0)
                r = inspect_dns(inspection, netns_fd, &inside, &peer, plan, repair);
        return r;
}

/* The seat keeps its addresses and everything that follows from them until it stops. */
static void tell_edited(
        struct inspection *inspection, const struct link *link, const struct seat_plan *plan) {
        char address[ADDRESS_TEXT_SIZE], gateway[ADDRESS_TEXT_SIZE];

        address_format(&plan->address, address);
        address_format_ip(plan->gateway, gateway);
        diagnostics_warning(inspection->diagnostics, link->name, 0,
                "has another address, gateway, bridge or name service than the settings plan now (%s by %s): "
                "the new ones apply from the seat's next start, and until then it works as before",
                address, gateway);
}

/* The worker has made the cable, and gives the namespace its name in a moment. */
static bool is_being_prepared(const struct seat_plan *plan) {
        char receipt[sizeof(PREPARED_DIRECTORY "/netns@") + SEAT_ID_SIZE];

        (void)snprintf(receipt, sizeof(receipt), PREPARED_DIRECTORY "/netns@%s", plan->name);
        return access(receipt, F_OK) >= 0;
}

int inspect_seat(
        struct inspection *inspection, const struct link *link, const struct seat_plan *plan, bool edited) {
        _cleanup_close_ int netns_fd = -1;
        char repair[REPAIR_SIZE];
        int r;

        format_repair(plan, repair);
        if (edited)
                tell_edited(inspection, link, plan);
        r = inspect_port(inspection, link, plan, edited, repair);
        if (r < 0)
                return r;
        r = netns_mount_find(plan->netns, &netns_fd);
        if (r < 0)
                return failure(inspection->diagnostics, plan->netns, r, "the namespace cannot be examined");
        if (r != NETNS_OURS && is_being_prepared(plan))
                return 0;
        if (r != NETNS_OURS) {
                diagnostics_error(inspection->diagnostics, link->name, 0,
                        "the seat's namespace " NETNS_DIRECTORY "/%s is gone, so nobody can log in: "
                        "systemctl stop netns@%s.service ends the logins that are still in it, and the "
                        "next login creates a new one",
                        plan->netns, plan->name);
                return 0;
        }
        return inspect_inside(inspection, netns_fd, plan, edited, repair);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * nsbr@: a veth pair, the cable: vl- is on the bridge, and vr- is in the namespace with the seat's address
 * and its default route. One request creates both ends in their places. So if this program is killed, there
 * is either nothing or a vl- of ours, which the next start replaces.
 *
 * A cable is made and removed under its lock of receipt.h, and also under the lock of seat-rules.h.
 *
 * A stop deletes vl- itself, because the namespace and its cable exist as long as a process is left in the
 * namespace.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/claim.h"
#include "base/clock.h"
#include "base/failure.h"
#include "firewall/seat-rules.h"
#include "kernel/link.h"
#include "kernel/neighbour.h"
#include "kernel/netns-mount.h"
#include "kernel/qdisc.h"
#include "kernel/rule.h"
#include "receipt.h"
#include "seat-argument.h"
#include "seat.h"

/* After that time a login continues without a carrier. */
#define CARRIER_PATIENCE_MS 200U

/* Longer than the courses' firewall ever took; shorter than the unit's own limit. */
#define BRIDGE_PATIENCE_MS 15000
#define BRIDGE_PAUSE_MAX_MS 32U

/* Where the two ends of a cable go. */
struct seat_ends {
        struct link_socket host, inside;
        int netns_fd;
        int bridge;   /* its index */
        unsigned mtu; /* for both ends of the cable; 0: the kernel's */
};

#define SEAT_ENDS_NONE ((struct seat_ends){.netns_fd = -1})

static void seat_ends_done(struct seat_ends *ends) {
        link_close(&ends->host);
        link_close(&ends->inside);
        close_pointer(&ends->netns_fd);
}

#define _cleanup_seat_ends_ _cleanup_(seat_ends_done)

static void missing_bridge_error(const struct seat_plan *plan, struct diagnostics *diagnostics) {
        if (plan->bridge_course[0] == '\0')
                diagnostics_error(diagnostics, plan->bridge, 0,
                        "there is no such bridge for seat %s: create it, or change BR in " OVERRIDE_DIRECTORY
                        "/%s.conf",
                        plan->name, plan->netns);
        else
                diagnostics_error(diagnostics, plan->bridge, 0,
                        "there is no such bridge for seat %s: see systemctl status netbr@%s.service, which "
                        "creates it, and starts with seats that are on a roster (coursenetctl roster add %s "
                        "NAME)",
                        plan->name, plan->bridge_course, plan->id.course);
}

/* The bridge may be an administrator's own (BR=). Then only the port is added to it. */
static int find_bridge(struct link_socket *socket, const struct seat_plan *plan, struct link *ret,
        struct diagnostics *diagnostics) {
        int r;

        r = link_find(socket, plan->bridge, "bridge", ret);
        if (r < 0)
                return failure(diagnostics, plan->bridge, r, "cannot be looked up");
        if (r == LINK_ABSENT) {
                missing_bridge_error(plan, diagnostics);
                return -ENODEV;
        }
        if (!string_equal(ret->kind, "bridge")) {
                diagnostics_error(diagnostics, plan->bridge, 0,
                        "is no bridge, so seat %s cannot be connected to it", plan->name);
                return -EINVAL;
        }
        return 0;
}

static int open_namespace(const struct seat_plan *plan, int *ret_fd, struct diagnostics *diagnostics) {
        int r;

        r = netns_mount_find(plan->netns, ret_fd);
        if (r < 0)
                return failure(diagnostics, plan->netns, r, "the namespace cannot be examined");
        if (r == NETNS_OURS)
                return 0;
        if (r == NETNS_FOREIGN)
                diagnostics_error(diagnostics, plan->netns, 0,
                        "the namespace was not made by coursenet: remove it (ip netns delete %s), then start "
                        "netns@%s.service",
                        plan->netns, plan->name);
        else
                diagnostics_error(diagnostics, plan->netns, 0,
                        "there is no such namespace: netns@%s.service creates it (systemctl start "
                        "nsbr@%s.service starts both)",
                        plan->name, plan->name);
        return r == NETNS_FOREIGN ? -EEXIST : -ENOENT;
}

static void foreign_link_error(const char *name, const char *where, struct diagnostics *diagnostics) {
        diagnostics_error(diagnostics, name, 0,
                "exists already %s and was not made by coursenet: rename or remove it, then try again",
                where);
}

static int remove_leftover(
        struct link_socket *socket, const char *name, const char *where, struct diagnostics *diagnostics) {
        struct link link;
        int r;

        r = link_find(socket, name, "veth", &link);
        if (r == LINK_ABSENT)
                return 0;
        if (r == LINK_FOREIGN) {
                foreign_link_error(name, where, diagnostics);
                return -EEXIST;
        }
        if (r >= 0)
                r = link_delete(socket, link.index);
        return r < 0 ? failure(diagnostics, name, r, "exists from before and cannot be removed") : 0;
}

static int create_cable(
        struct seat_ends *ends, const struct seat_plan *plan, struct diagnostics *diagnostics) {
        struct link_cable cable = {
                .link = plan->link,
                .link_mac = plan->link_mac,
                .bridge = ends->bridge,
                .peer = plan->peer,
                .peer_mac = plan->peer_mac,
                .netns_fd = ends->netns_fd,
                .mtu = ends->mtu,
        };
        int r;

        r = link_create_cable(&ends->host, &cable);
        if (r == -EXFULL) {
                diagnostics_error(diagnostics, plan->bridge, 0,
                        "has the 1023 ports that Linux allows a bridge: there is no room for seat %s",
                        plan->name);
                return r;
        }
        return r < 0 ? failure(diagnostics, plan->link, r, "cannot be created") : 0;
}

/* A kernel without netem refuses no login for it. */
static int limit_link(struct link_socket *socket, const char *name, int index, const struct seat_plan *plan,
        struct diagnostics *diagnostics) {
        int r;

        if (plan->rate == 0 && impairment_is_none(&plan->impairment))
                return 0;
        r = qdisc_set(socket, index, plan->rate, &plan->impairment);
        if (r < 0)
                return failure(diagnostics, name, r, "cannot get its limit (rate, delay, jitter, loss)");
        if (r == QDISC_NO_NETEM)
                diagnostics_warning(diagnostics, name, 0,
                        "delay, jitter and loss have no effect: this kernel has no netem (module sch_netem)");
        return 0;
}

/* Sets the limits at the end that the student cannot reach. No packet is sent before it is up. */
static int guard_link(struct link_socket *socket, const struct seat_plan *plan, struct link *ret,
        struct diagnostics *diagnostics) {
        struct link link;
        int r;

        r = link_find(socket, plan->link, "veth", &link);
        if (r != LINK_OURS)
                return failure(diagnostics, plan->link, r < 0 ? r : -ENODEV,
                        "was removed by another program during setup");
        /* Nobody could reach the address of a port, and each program that watches addresses lists all again.
         */
        r = link_set_no_address6(socket, link.index);
        if (r < 0)
                return failure(diagnostics, plan->link, r, "cannot do without an IPv6 address");
        if (plan->isolation == ISOLATION_SEAT) {
                r = link_set_isolated(socket, link.index, true);
                if (r < 0)
                        return failure(diagnostics, plan->link, r, "cannot be isolated (isolation = seat)");
        }
        r = limit_link(socket, plan->link, link.index, plan, diagnostics);
        if (r >= 0)
                r = seat_rules_apply(plan, diagnostics);
        if (r >= 0)
                *ret = link;
        return r;
}

/* With it the whole cable is up, see link_create_cable(). */
static int bring_up_link(struct link_socket *socket, const struct seat_plan *plan, const struct link *link,
        struct diagnostics *diagnostics) {
        int r = link_bring_up(socket, link, NULL);

        return r < 0 ? failure(diagnostics, plan->link, r, "cannot be set up") : 0;
}

/*
 * This comes before the link is up, when the kernel would add the address itself: see add_address6() in
 * bridge.c.
 */
static int add_link_local(struct link_socket *inside, const struct seat_plan *plan, int index) {
        struct address6 link_local = mac_link_local(&plan->peer_mac);
        int r;

        if (!address6_is_set(&plan->address6))
                return 0;
        r = link_add_address6(inside, index, &link_local);
        return r == -EOPNOTSUPP || r == -EACCES ? 0 : r;
}

/* On a host without IPv6, seats have no IPv6 either. */
static int configure_peer6(struct link_socket *inside, const struct seat_plan *plan, int index) {
        int r;

        if (!address6_is_set(&plan->address6))
                return 0;
        r = link_add_address6(inside, index, &plan->address6);
        if (r == -EOPNOTSUPP || r == -EACCES)
                return 0;
        return r < 0 ? r : link_add_default_route6(inside, index, &plan->gateway6);
}

static int configure_peer(struct link_socket *inside, const struct seat_plan *plan, int *ret_index,
        struct diagnostics *diagnostics) {
        struct link peer;
        int r;

        r = link_find(inside, plan->peer, "veth", &peer);
        if (r != LINK_OURS)
                return failure(diagnostics, plan->peer, r < 0 ? r : -ENODEV,
                        "was removed by another program during setup");
        r = limit_link(inside, plan->peer, peer.index, plan, diagnostics);
        if (r < 0)
                return r;
        r = add_link_local(inside, plan, peer.index);
        if (r >= 0)
                r = link_bring_up(inside, &peer, NULL);
        if (r < 0)
                return failure(diagnostics, plan->peer, r, "cannot be set up");
        r = link_add_address(inside, peer.index, &plan->address);
        if (r < 0)
                return failure(diagnostics, plan->peer, r, "cannot get its address");
        r = link_add_default_route(inside, peer.index, plan->gateway);
        if (r >= 0)
                r = configure_peer6(inside, plan, peer.index);
        if (r < 0)
                return failure(diagnostics, plan->peer, r, "cannot get its default route");
        *ret_index = peer.index;
        return 0;
}

/*
 * A seat has the host's resolv.conf, which may name a resolver on the loopback: see rule.h. The answers come
 * from outside with that address as their sender.
 */
static int configure_names(struct link_socket *inside, const struct seat_plan *plan, int index,
        struct diagnostics *diagnostics) {
        int r;

        if (!plan->dns)
                return 0;
        r = rule_add_loopback_dns(inside, index, plan->address.ip, plan->gateway);
        if (r >= 0)
                r = link_allow_loopback_senders(inside, index);
        return r < 0 ? failure(diagnostics, plan->peer, r, "cannot redirect its name queries to the gateway")
                     : 0;
}

/*
 * The kernel handles a new carrier in the background. Until then both ends and, with the first seat, the
 * bridge drop the packets that they should send. One of these would be the ARP request of a student's first
 * connection, which is repeated only a second later. Recent kernels handle the carrier when they are asked
 * for the link's state, so this rarely waits.
 */
static void wait_for_carrier(struct link_socket *socket, const char *name) {
        struct link link;

        for (unsigned i = 0; i < CARRIER_PATIENCE_MS; i++) {
                int r = link_find(socket, name, NULL, &link);

                if (r < 0 || r == LINK_ABSENT || !(link.flags & IFF_UP) || (link.flags & IFF_RUNNING))
                        return;
                (void)usleep(1000);
        }
}

static void bridge_down_error(const struct seat_plan *plan, struct diagnostics *diagnostics) {
        diagnostics_error(diagnostics, plan->bridge, 0,
                "is down, so seat %s cannot be connected to it: see systemctl status netbr@%s.service; if "
                "that "
                "has not failed, somebody has set the bridge down (ip link set %s up)",
                plan->name, plan->bridge_course, plan->bridge);
}

/*
 * A course's bridge is set up after its rules are applied. That happens in bridge.c while systemd prepares
 * this program, so this rarely waits. An administrator's own bridge may be down.
 */
static int wait_for_bridge(struct link_socket *socket, const struct seat_plan *plan, int index,
        int patience_ms, struct diagnostics *diagnostics) {
        int64_t end_ms = clock_now_ms() + patience_ms;
        unsigned pause_ms = 1;
        struct link link;

        for (;;) {
                int r = link_find(socket, plan->bridge, "bridge", &link);

                if (r < 0)
                        return failure(diagnostics, plan->bridge, r, "cannot be looked up");
                if (r == LINK_ABSENT || link.index != index) {
                        missing_bridge_error(plan, diagnostics);
                        return -ENODEV;
                }
                if (r == LINK_FOREIGN || (link.flags & IFF_UP))
                        return 0;
                if (clock_now_ms() >= end_ms) {
                        bridge_down_error(plan, diagnostics);
                        return -ENETDOWN;
                }
                (void)usleep(pause_ms * 1000U);
                if (pause_ms < BRIDGE_PAUSE_MAX_MS)
                        pause_ms *= 2;
        }
}

/* The link is removed before its rules, so that it never exists without them. */
static int remove_cable(struct link_socket *socket, const char *name, struct diagnostics *diagnostics) {
        struct link link;
        int r;

        r = link_find(socket, name, "veth", &link);
        if (r == LINK_FOREIGN) {
                diagnostics_error(diagnostics, name, 0, "was not made by coursenet and is left as it is");
                return -EEXIST;
        }
        if (r == LINK_OURS)
                r = link_delete(socket, link.index);
        if (r < 0)
                return failure(diagnostics, name, r, "cannot be removed");

        return seat_rules_remove(name, diagnostics);
}

static int lock_rules(const char *link, int *ret_fd, struct diagnostics *diagnostics) {
        int r = seat_rules_lock(ret_fd);

        return r < 0 ? failure(diagnostics, link, r, "its firewall cannot be locked") : 0;
}

/*
 * The address of a seat of a spread course is live on one member only, even if an administrator starts the
 * units by hand.
 */
static int check_claim(const struct seat_plan *plan, struct diagnostics *diagnostics) {
        enum claim_state state = plan->spread ? claim_look(plan->name) : CLAIM_GOOD;

        if (state == CLAIM_OVER)
                diagnostics_error(diagnostics, plan->link, 0,
                        "this server is cut off from the store that says which server has seat %s of a "
                        "spread course, so it cannot have it: coursenetctl hosts shows which servers can, "
                        "and systemctl status coursenet-hosts.service why",
                        plan->name);
        else if (state == CLAIM_MISSING)
                diagnostics_error(diagnostics, plan->link, 0,
                        "this server has no claim to seat %s, which is of a spread course: a login or "
                        "coursenetctl start %s gets it, and coursenetctl hosts shows who has it",
                        plan->name, plan->name);
        return state == CLAIM_GOOD ? 0 : -EPERM;
}

static int connect_seat(
        struct seat_ends *ends, const struct seat_plan *plan, struct diagnostics *diagnostics) {
        _cleanup_close_ int lock = -1;
        struct link link;
        int r, index;

        r = lock_rules(plan->link, &lock, diagnostics);
        if (r >= 0)
                r = remove_leftover(&ends->host, plan->link, "on the host", diagnostics);
        if (r >= 0)
                r = remove_leftover(&ends->inside, plan->peer, "in the seat's namespace", diagnostics);
        if (r < 0)
                return r;

        r = create_cable(ends, plan, diagnostics);
        if (r >= 0)
                r = guard_link(&ends->host, plan, &link, diagnostics);
        if (r >= 0)
                r = configure_peer(&ends->inside, plan, &index, diagnostics);
        if (r >= 0)
                r = configure_names(&ends->inside, plan, index, diagnostics);
        if (r >= 0)
                r = bring_up_link(&ends->host, plan, &link, diagnostics);
        /* The claim may have gone since, and claims.c, which was told, has seen no cable that was up. */
        if (r >= 0)
                r = check_claim(plan, diagnostics);
        /* The cable is there as well if the kernel's answer was lost. */
        if (r < 0)
                (void)remove_cable(&ends->host, plan->link, diagnostics);
        return r;
}

/* The lock of the rules is not held while this waits for the bridge. */
static int wait_until_connected(struct seat_ends *ends, const struct seat_plan *plan, int patience_ms,
        struct diagnostics *diagnostics) {
        _cleanup_close_ int lock = -1;
        int r;

        r = wait_for_bridge(&ends->host, plan, ends->bridge, patience_ms, diagnostics);
        if (r < 0) {
                if (lock_rules(plan->link, &lock, diagnostics) >= 0)
                        (void)remove_cable(&ends->host, plan->link, diagnostics);
                return r;
        }
        wait_for_carrier(&ends->inside, plan->peer);
        wait_for_carrier(&ends->host, plan->link);
        wait_for_carrier(&ends->host, plan->bridge);
        return 0;
}

/* A failure costs no more than some time: the seat's first packet tells the same. */
static void announce(struct seat_ends *ends, const struct seat_plan *plan) {
        struct link link;

        if (plan->spread && link_find(&ends->host, plan->link, "veth", &link) == LINK_OURS)
                (void)neighbour_announce(&ends->host, ends->bridge, link.index, plan);
}

static int make(struct seat_ends *ends, const struct seat_plan *plan, int patience_ms,
        struct diagnostics *diagnostics) {
        int r = connect_seat(ends, plan, diagnostics);

        if (r >= 0)
                r = wait_until_connected(ends, plan, patience_ms, diagnostics);
        if (r >= 0)
                announce(ends, plan);
        return r;
}

/* --- what the worker has made --------------------------------------------------------------------------- */

static int format_receipt(const struct seat_plan *plan, const struct link *link, const struct link *peer,
        const struct stat *netns, receipt_text_t ret_text) {
        char address[ADDRESS_TEXT_SIZE], gateway[ADDRESS_TEXT_SIZE], address6[ADDRESS6_TEXT_SIZE],
                gateway6[ADDRESS6_TEXT_SIZE], link_mac[MAC_TEXT_SIZE], peer_mac[MAC_TEXT_SIZE];
        char mtu[32] = "";
        int n;

        if (plan->spread)
                (void)snprintf(mtu, sizeof(mtu), ", spread, mtu %u and %u", link->mtu, peer->mtu);
        address_format(&plan->address, address);
        address_format_ip(plan->gateway, gateway);
        address6_format(&plan->address6, address6);
        address6_format_ip(&plan->gateway6, gateway6);
        mac_format(&link->mac, link_mac);
        mac_format(&peer->mac, peer_mac);
        n = snprintf(ret_text, sizeof(receipt_text_t),
                "%s, index %d, %s, on %d (%s), %s%s; %s, index %d, %s, %s, inode %ju on %ju; %s via %s, %s "
                "via %s, "
                "isolation %d, rate %" PRIu64 ", delay %u, jitter %u, loss %u%s%s\n",
                plan->link, link->index, link->flags & IFF_UP ? "up" : "down", link->master, plan->bridge,
                link_mac, link->isolated ? ", isolated" : "", plan->peer, peer->index,
                peer->flags & IFF_UP ? "up" : "down", peer_mac, (uintmax_t)netns->st_ino,
                (uintmax_t)netns->st_dev, address, gateway, address6, gateway6, (int)plan->isolation,
                plan->rate, plan->impairment.delay_usec, plan->impairment.jitter_usec,
                plan->impairment.loss_ppm, plan->dns ? ", with names" : "", mtu);
        return n < 0 || (size_t)n >= sizeof(receipt_text_t) ? -ENAMETOOLONG : 0;
}

/* Describes both ends as they are, and what is planned. -ENODEV if an end is missing or is not ours. */
static int describe(struct seat_ends *ends, const struct seat_plan *plan, receipt_text_t ret_text) {
        struct link link, peer;
        struct stat netns;
        int r;

        if (fstat(ends->netns_fd, &netns) < 0)
                return -errno;
        r = link_find(&ends->host, plan->link, "veth", &link);
        if (r == LINK_OURS)
                r = link_find(&ends->inside, plan->peer, "veth", &peer);
        if (r != LINK_OURS)
                return r < 0 ? r : -ENODEV;
        return format_receipt(plan, &link, &peer, &netns, ret_text);
}

static bool is_prepared(struct seat_ends *ends, const struct seat_plan *plan) {
        receipt_text_t text;

        return receipt_exists(RECEIPT_CABLE, plan->name) && describe(ends, plan, text) >= 0 &&
               receipt_says(RECEIPT_CABLE, plan->name, text) && seat_rules_fit(plan->link, plan);
}

/* Whether the worker has made what is planned now. In any case the cable is the unit's from here on. */
static bool adopt(struct seat_ends *ends, const struct seat_plan *plan) {
        bool same = is_prepared(ends, plan);

        receipt_remove(RECEIPT_CABLE, plan->name);
        return same;
}

/*
 * Returns 1 if the cable has been prepared already. One without a receipt is a unit's, or one that a stop
 * will remove: the worker does not use it and does not replace it.
 */
static int take(struct seat_ends *ends, const struct seat_plan *plan, struct diagnostics *diagnostics) {
        struct link link;
        int r;

        if (is_prepared(ends, plan))
                return 1;
        r = link_find(&ends->host, plan->link, "veth", &link);
        if (r < 0)
                return failure(diagnostics, plan->link, r, "cannot be looked up");
        if (r == LINK_FOREIGN) {
                foreign_link_error(plan->link, "on the host", diagnostics);
                return -EEXIST;
        }
        if (r == LINK_OURS && !receipt_exists(RECEIPT_CABLE, plan->name)) {
                diagnostics_error(
                        diagnostics, plan->link, 0, "is there already and was not made by the worker");
                return -EBUSY;
        }
        r = receipt_begin(RECEIPT_CABLE, plan->name);
        return r < 0 ? failure(diagnostics, plan->link, r, "cannot be recorded in " PREPARED_DIRECTORY) : 0;
}

static int write_receipt(
        struct seat_ends *ends, const struct seat_plan *plan, struct diagnostics *diagnostics) {
        receipt_text_t text;
        int r = describe(ends, plan, text);

        if (r >= 0)
                r = receipt_complete(RECEIPT_CABLE, plan->name, text);
        return r < 0 ? failure(diagnostics, plan->link, r, "cannot be recorded in " PREPARED_DIRECTORY) : 0;
}

/* --- start and stop ------------------------------------------------------------------------------------ */

static int lock_cable(const struct seat_plan *plan, bool wait, int *ret_fd, struct diagnostics *diagnostics) {
        int r = receipt_lock(RECEIPT_CABLE, plan->name, wait, ret_fd);

        return r < 0 ? failure(diagnostics, plan->link, r, "cannot be locked") : 0;
}

/* The namespace is open already. */
static int find_ends(const struct seat_plan *plan, struct seat_ends *ret, struct diagnostics *diagnostics) {
        struct link bridge;
        int r;

        r = link_open(&ret->host);
        if (r >= 0)
                r = link_open_in(ret->netns_fd, &ret->inside);
        if (r < 0)
                return failure(
                        diagnostics, plan->name, r, "the kernel's network configuration cannot be reached");
        r = find_bridge(&ret->host, plan, &bridge, diagnostics);
        if (r >= 0)
                ret->bridge = bridge.index;
        /* What the bridge passes on to other members has room for less. */
        if (r >= 0 && plan->spread)
                ret->mtu = bridge.mtu;
        return r;
}

int seat_start(const char *etc, const char *seat, struct diagnostics *diagnostics) {
        _cleanup_seat_ends_ struct seat_ends ends = SEAT_ENDS_NONE;
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_close_ int lock = -1;
        struct seat_plan plan;
        int r;

        r = seat_argument_load(etc, seat, &settings, &plan, diagnostics);
        if (r >= 0)
                r = check_claim(&plan, diagnostics);
        if (r >= 0)
                r = lock_cable(&plan, true, &lock, diagnostics);
        if (r >= 0)
                r = open_namespace(&plan, &ends.netns_fd, diagnostics);
        if (r >= 0)
                r = find_ends(&plan, &ends, diagnostics);
        if (r < 0)
                return r;
        return adopt(&ends, &plan) ? 0 : make(&ends, &plan, BRIDGE_PATIENCE_MS, diagnostics);
}

/* The caller has the lock of the cable. */
static int disconnect_seat(const struct seat_plan *plan, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_close_ int lock = -1;
        int r;

        r = lock_rules(plan->link, &lock, diagnostics);
        if (r < 0)
                return r;
        r = link_open(&socket);
        if (r < 0)
                return failure(
                        diagnostics, plan->link, r, "the kernel's network configuration cannot be reached");
        r = remove_cable(&socket, plan->link, diagnostics);
        if (r >= 0)
                receipt_remove(RECEIPT_CABLE, plan->name);
        return r;
}

static int copy_namespace(
        const struct seat_plan *plan, int netns_fd, int *ret_fd, struct diagnostics *diagnostics) {
        *ret_fd = fcntl(netns_fd, F_DUPFD_CLOEXEC, 0);
        return *ret_fd < 0 ? failure(diagnostics, plan->netns, -errno, "the namespace cannot be used") : 0;
}

int seat_prepare(const struct seat_plan *plan, int netns_fd, struct diagnostics *diagnostics) {
        _cleanup_seat_ends_ struct seat_ends ends = SEAT_ENDS_NONE;
        _cleanup_close_ int lock = -1;
        int r;

        r = check_claim(plan, diagnostics);
        if (r >= 0)
                r = lock_cable(plan, false, &lock, diagnostics);
        if (r >= 0)
                r = copy_namespace(plan, netns_fd, &ends.netns_fd, diagnostics);
        if (r >= 0)
                r = find_ends(plan, &ends, diagnostics);
        if (r >= 0)
                r = take(&ends, plan, diagnostics);
        if (r != 0)
                return r < 0 ? r : 0;
        r = make(&ends, plan, 0, diagnostics);
        if (r >= 0)
                return write_receipt(&ends, plan, diagnostics);
        /* Removes what make() could not undo, and the receipt if nothing is left. */
        (void)disconnect_seat(plan, diagnostics);
        return r;
}

int seat_stop(const char *seat, struct diagnostics *diagnostics) {
        _cleanup_close_ int lock = -1;
        struct seat_plan plan;
        int r;

        r = seat_argument_name(seat, &plan, diagnostics);
        if (r >= 0)
                r = lock_cable(&plan, true, &lock, diagnostics);
        return r < 0 ? r : disconnect_seat(&plan, diagnostics);
}

int seat_discard(const char *seat, struct diagnostics *diagnostics) {
        _cleanup_close_ int lock = -1;
        struct seat_plan plan;
        int r;

        r = seat_argument_name(seat, &plan, diagnostics);
        if (r >= 0)
                r = lock_cable(&plan, false, &lock, diagnostics);
        if (r < 0 || !receipt_exists(RECEIPT_CABLE, seat))
                return r < 0 ? r : 0;
        return disconnect_seat(&plan, diagnostics);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Two members of [hosts]. This namespace is hosta, where coursenet works. The other one, hostb, is made with
 * ip(8): the namespace "hostb" with br-123 and vx-123, and the namespace "seatb" for its seat 11. Entries of
 * the kernel's tables stand in for FRR.
 */

#include <inttypes.h>
#include <net/if.h>

#include "netsetup/base/claim.h"
#include "netsetup/verbs/bridge.h"
#include "netsetup/verbs/netns.h"
#include "netsetup/verbs/seat.h"
#include "plan.h"
#include "sandbox.h"

#define SPREAD_SETTINGS                                                                                      \
        "[hosts]\nmembers = hosta=192.0.2.1 hostb=192.0.2.2\nhost-name = hosta\n"                            \
        "store = http://127.0.0.1:2379\n"                                                                    \
        "[site]\nnetwork6 = fd12:3456:789a::/48\n"

/* more: further lines of the section. */
static inline void configure_spread(const char *more) {
        char text[1024];

        (void)snprintf(text, sizeof(text), SPREAD_SETTINGS "[course 123]\nspread = yes\n%s", more);
        configure("coursenet.conf", text);
}

static inline void make_underlay(void) {
        assert_shell("ip link set lo up && ip netns add hostb && ip -n hostb link set lo up && "
                     "ip link add eth0 type veth peer name eth0 netns hostb && "
                     "ip addr add 192.0.2.1/24 dev eth0 && ip link set eth0 up && "
                     "ip -n hostb addr add 192.0.2.2/24 dev eth0 && ip -n hostb link set eth0 up");
}

/* What coursenet-hosts writes. seconds: from now, also below zero. */
static inline void set_deadline(int seconds) {
        char text[32];

        (void)snprintf(
                text, sizeof(text), "%" PRId64 "\n", (int64_t)claims_now() + (int64_t)seconds * 1000000);
        assert_shell("mkdir -p -m 700 " HOSTS_CLAIM_DIRECTORY);
        write_file(HOSTS_DIRECTORY "/.new", text);
        assert_int_equal(rename(HOSTS_DIRECTORY "/.new", HOSTS_DEADLINE_FILE), 0);
}

static inline void give_claim(const char *seat) {
        assert_shell("mkdir -p -m 700 " HOSTS_CLAIM_DIRECTORY " && echo cs123-amy >" HOSTS_CLAIM_DIRECTORY
                     "/%s",
                seat);
}

static inline void take_claim(const char *seat) {
        assert_shell("rm " HOSTS_CLAIM_DIRECTORY "/%s", seat);
}

/* After hosta has its bridge. */
static inline void make_hostb(void) {
        assert_shell("ip -n hostb link add br-123 type bridge && ip -n hostb link set br-123 up && "
                     "ip -n hostb link add vx-123 mtu 1450 master br-123 type vxlan id 100123 "
                     "local 192.0.2.2 dstport 4789 nolearning && ip -n hostb link set vx-123 up && "
                     "bridge -n hostb fdb append 00:00:00:00:00:00 dev vx-123 dst 192.0.2.1");
        assert_shell("ip netns add seatb && ip link add seatb netns hostb mtu 1450 master br-123 "
                     "type veth peer name vr-12311 netns seatb mtu 1450 address 02:63:0a:00:7b:0b && "
                     "ip -n hostb link set seatb up && ip -n seatb link set lo up && "
                     "ip -n seatb addr add 10.0.123.11/24 dev vr-12311 && "
                     "ip -n seatb addr add fd12:3456:789a:123::11/64 dev vr-12311 nodad && "
                     "ip -n seatb link set vr-12311 up && ip -n seatb route add default via 10.0.123.1");
        assert_shell("bridge fdb append 00:00:00:00:00:00 dev vx-123 dst 192.0.2.2");
}

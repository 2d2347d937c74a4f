/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A socket and a few links for the tests of what speaks rtnetlink. */

#include <net/if.h>

#include "netsetup/kernel/link.h"
#include "sandbox.h"

static inline void open_socket_in(const char *netns, struct link_socket *ret) {
        char path[128];
        int fd;

        (void)snprintf(path, sizeof(path), "/run/netns/%s", netns);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(link_open_in(fd, ret), 0);
        (void)close(fd);
}

static inline int index_of(const char *name) {
        int index = (int)if_nametoindex(name);

        assert_true(index > 0);
        return index;
}

static inline int index_in(struct link_socket *socket, const char *name) {
        struct link link;

        assert_int_not_equal(link_find(socket, name, NULL, &link), LINK_ABSENT);
        return link.index;
}

/* br-123 (10.0.123.1) and its seat 12310, with the names and groups that bridge.c and seat.c give them. */
static inline void make_course(void) {
        assert_shell("ip link set lo up && ip link add br-123 up group %d type bridge &&"
                     "ip addr add 10.0.123.1/24 dev br-123",
                COURSENET_LINK_GROUP);
        assert_shell("ip netns add ns12310 && ip link add vl-12310 up group %d master br-123 type veth "
                     "peer name vr-12310 group %d netns ns12310",
                COURSENET_LINK_GROUP, COURSENET_LINK_GROUP);
        assert_shell("ip -n ns12310 link set lo up && ip -n ns12310 link set vr-12310 up &&"
                     "ip -n ns12310 addr add 10.0.123.10/24 dev vr-12310");
}

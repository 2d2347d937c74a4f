/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A netlink socket for notifications, for watch-nft.c and watch-route.c. */

#include <stddef.h>

#include <netlink/netlink.h>

/* groups: n multicast groups. valid is called for every message with userdata. Negative errno. */
int watch_socket_open(int protocol, const int *groups, size_t n, nl_recvmsg_msg_cb_t valid, void *userdata,
        struct nl_sock **ret);

/*
 * Reads the messages there are, some hundred at most: the socket stays readable then. 0, or -ENOBUFS if some
 * were lost, or another negative errno.
 */
int watch_socket_read(struct nl_sock *nl);

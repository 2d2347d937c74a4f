/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads notifications without waiting for them. */

#include <sys/socket.h>

#include "util.h"
#include "watch-socket.h"

/*
 * The receive buffer: a transaction with the chains of a thousand seats is about ten megabytes. This is a
 * limit, and no memory is reserved.
 */
#define RECEIVE_BUFFER (64 * 1024 * 1024)

/*
 * A limit for one read, so that a program that changes something without a pause does not keep the watch from
 * its other work.
 */
#define READS_MAX 256U

static int to_errno(int r) {
        switch (-r) {
        case NLE_NOMEM: /* what libnl makes of ENOBUFS */
                return -ENOBUFS;
        case NLE_AGAIN:
                return -EAGAIN;
        case NLE_PERM:
                return -EPERM;
        case NLE_PROTO_MISMATCH:
                return -EPROTONOSUPPORT;
        default:
                return r < 0 ? -EIO : 0;
        }
}

static int set_up(struct nl_sock *nl, int protocol, const int *groups, size_t n) {
        int size = RECEIVE_BUFFER, r;

        nl_socket_disable_seq_check(nl);
        nl_socket_enable_msg_peek(nl);
        r = nl_connect(nl, protocol);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = nl_socket_add_membership(nl, groups[i]);
        if (r >= 0)
                r = nl_socket_set_nonblocking(nl);
        if (r >= 0)
                (void)setsockopt(nl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        return to_errno(r);
}

int watch_socket_open(int protocol, const int *groups, size_t n, nl_recvmsg_msg_cb_t valid, void *userdata,
        struct nl_sock **ret) {
        struct nl_sock *nl = nl_socket_alloc();
        int r;

        if (!nl)
                return -ENOMEM;
        r = nl_socket_modify_cb(nl, NL_CB_VALID, NL_CB_CUSTOM, valid, userdata);
        if (r >= 0)
                r = set_up(nl, protocol, groups, n);
        if (r < 0) {
                nl_socket_free(nl);
                return r;
        }
        *ret = nl;
        return 0;
}

int watch_socket_read(struct nl_sock *nl) {
        bool lost = false;

        for (unsigned i = 0; i < READS_MAX; i++) {
                int r = to_errno(nl_recvmsgs_default(nl));

                if (r == -EAGAIN)
                        break;
                if (r < 0 && r != -ENOBUFS)
                        return r;
                lost |= r == -ENOBUFS;
        }
        return lost ? -ENOBUFS : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A socket for rtnetlink. libnl keeps only a class of each error that the kernel answers with (-NLE_…); a
 * callback keeps the kernel's own error, so that callers get the same errno as from a system call.
 */

#include <fcntl.h>
#include <sched.h>

#include <netlink/netlink.h>

#include "link-socket.h"
#include "util.h"

static const struct {
        int nle;
        int error;
} errors[] = {
        {NLE_AGAIN, EAGAIN},
        {NLE_BUSY, EBUSY},
        {NLE_DUMP_INTR, EAGAIN},
        {NLE_EXIST, EEXIST},
        {NLE_INTR, EINTR},
        {NLE_INVAL, EINVAL},
        {NLE_NOACCESS, EACCES},
        {NLE_NODEV, ENODEV},
        {NLE_NOMEM, ENOMEM},
        {NLE_OBJ_NOTFOUND, ENODEV},
        {NLE_OPNOTSUPP, EOPNOTSUPP},
        {NLE_PERM, EPERM},
        {NLE_PROTO_MISMATCH, EPROTONOSUPPORT},
};

int link_socket_errno(struct link_socket *socket, int r) {
        int error = socket->error;

        socket->error = 0;
        if (r >= 0)
                return 0;
        if (error < 0)
                return error;
        for (size_t i = 0; i < ELEMENTSOF(errors); i++)
                if (errors[i].nle == -r)
                        return -errors[i].error;
        return -EIO;
}

int link_socket_keep_error(struct sockaddr_nl *from, struct nlmsgerr *message, void *userdata) {
        int *error = userdata;

        (void)from;
        *error = message->error;
        return NL_STOP;
}

/* The kernel fits what it lists into this much, so libnl need not ask for the size of each message first. */
#define MESSAGE_SIZE 32768U

int link_open(struct link_socket *ret) {
        struct nl_sock *nl;
        int r;

        nl = nl_socket_alloc();
        if (!nl)
                return -ENOMEM;
        nl_socket_disable_msg_peek(nl);
        *ret = (struct link_socket){.nl = nl};
        nl_socket_modify_err_cb(nl, NL_CB_CUSTOM, link_socket_keep_error, &ret->error);

        r = nl_socket_set_msg_buf_size(nl, MESSAGE_SIZE);
        if (r >= 0)
                r = nl_connect(nl, NETLINK_ROUTE);
        if (r < 0) {
                r = link_socket_errno(ret, r);
                link_close(ret);
        }
        return r;
}

int link_open_in(int netns_fd, struct link_socket *ret) {
        _cleanup_close_ int own_fd = -1;
        int r;

        own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (own_fd < 0 || setns(netns_fd, CLONE_NEWNET) < 0)
                return -errno;

        /* A socket stays in the namespace it was made in; we need not. */
        r = link_open(ret);
        if (setns(own_fd, CLONE_NEWNET) < 0 && r >= 0) {
                r = -errno;
                link_close(ret);
        }
        return r;
}

void link_close(struct link_socket *socket) {
        if (socket->nl)
                nl_socket_free(socket->nl);
        *socket = (struct link_socket){0};
}

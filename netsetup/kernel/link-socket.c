/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A socket for rtnetlink. libnl keeps only a class of each error that the kernel answers with (-NLE_…); a
 * callback keeps the kernel's own error, so that callers get the same errno as from a system call.
 */

#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

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

static int to_errno(int r) {
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

        errno = 0;
        r = nl_socket_set_msg_buf_size(nl, MESSAGE_SIZE);
        if (r >= 0)
                r = nl_connect(nl, NETLINK_ROUTE);
        if (r >= 0)
                return 0;
        /* libnl has no class of its own for having too many descriptors. */
        r = r == -NLE_FAILURE && errno > 0 ? -errno : to_errno(r);
        link_close(ret);
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

static bool is_own_namespace(int netns_fd) {
        struct stat own, other;

        return stat("/proc/self/ns/net", &own) >= 0 && fstat(netns_fd, &other) >= 0 &&
               own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

/*
 * Replaces the socket by a new one of the same namespace. An answer that could not be received would be taken
 * for the answer to the next request, and after a request that could not be sent libnl takes no answer any
 * more. So without this, what was done before could not be undone. If it fails, the next request fails.
 */
static void renew(struct link_socket *socket) {
        _cleanup_close_ int netns_fd = -1;
        struct link_socket fresh = {0};
        int r;

        netns_fd = ioctl(nl_socket_get_fd(socket->nl), SIOCGSKNS);
        if (netns_fd < 0)
                return;
        r = is_own_namespace(netns_fd) ? link_open(&fresh) : link_open_in(netns_fd, &fresh);
        if (r < 0)
                return;
        nl_socket_free(socket->nl);
        socket->nl = fresh.nl;
        nl_socket_modify_err_cb(socket->nl, NL_CB_CUSTOM, link_socket_keep_error, &socket->error);
}

int link_socket_errno(struct link_socket *socket, int r) {
        int error = socket->error;

        socket->error = 0;
        if (r >= 0)
                return 0;
        if (error < 0)
                return error;
        r = to_errno(r);
        /* A list that was interrupted has been read to its end. */
        if (r != -EAGAIN)
                renew(socket);
        return r;
}

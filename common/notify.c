/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sends a datagram to the socket that systemd names in the environment; "@" means an abstract one. It does
 * without libsystemd, because each login would wait for the loading of that library three times.
 */

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "message-fd.h"
#include "notify.h"
#include "util.h"

/* The address in NOTIFY_SOCKET; 0: there is none. */
static int parse_address(struct sockaddr_un *ret, socklen_t *ret_size) {
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        if (!path)
                return 0;
        if ((path[0] != '/' && path[0] != '@') ||
                string_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
                return -EINVAL;
        /* An abstract name has no NUL behind it, so its length counts. */
        *ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
        if (path[0] == '@')
                address.sun_path[0] = '\0';
        else
                (*ret_size)++;
        *ret = address;
        return 1;
}

/* passed_fd: sent along unless it is negative. */
static int send_message(const char *state, int passed_fd) {
        _cleanup_close_ int fd = -1;
        struct sockaddr_un address;
        struct iovec text = {.iov_base = (void *)(uintptr_t)state, .iov_len = strlen(state)};
        struct msghdr message = {.msg_name = &address, .msg_iov = &text, .msg_iovlen = 1};
        struct message_fd room;
        int r;

        r = parse_address(&address, &message.msg_namelen);
        if (r <= 0)
                return r;
        message_attach_fd(&message, &room, passed_fd);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return fd < 0 || sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 1;
}

int notify_send(const char *state) {
        int r = send_message(state, -1);

        return r < 0 ? r : 0;
}

int notify_wait(int timeout_ms) {
        _cleanup_close_ int ours = -1;
        _cleanup_close_ int theirs = -1;
        struct pollfd pollfd;
        int pair[2], r;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];
        r = send_message("BARRIER=1", theirs);
        if (r <= 0)
                return r;
        /* Now the only copy of that end is systemd's. */
        (void)close(theirs);
        theirs = -1;
        pollfd = (struct pollfd){.fd = ours};
        r = poll(&pollfd, 1, timeout_ms);
        if (r < 0)
                return -errno;
        return r == 0 ? -ETIMEDOUT : 0;
}

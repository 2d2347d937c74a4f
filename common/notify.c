/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sends a datagram to the socket that systemd names in the environment; "@" means an abstract one. It does
 * without libsystemd, because each login would wait for the loading of that library three times.
 */

#include <linux/sockios.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "notify.h"
#include "util.h"

/* systemd usually takes a message within a millisecond. */
#define PAUSE_MIN_US 100U
#define PAUSE_MAX_US 3200U

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

/* 1: sent, by a socket that the caller closes; 0: there is no service manager, and no socket. */
static int send_message(const char *state, int *ret_fd) {
        _cleanup_close_ int fd = -1;
        struct sockaddr_un address;
        socklen_t size;
        int r;

        r = parse_address(&address, &size);
        if (r <= 0)
                return r;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size) < 0)
                return -errno;
        *ret_fd = fd;
        fd = -1;
        return 1;
}

int notify_send(const char *state) {
        _cleanup_close_ int fd = -1;
        int r = send_message(state, &fd);

        return r < 0 ? r : 0;
}

/*
 * What nobody has received yet counts as the sender's memory (SIOCOUTQ). sd_notify_barrier(3) would be told
 * by a descriptor that systemd closes, for which systemd starts a process each time.
 */
int notify_deliver(const char *state, unsigned timeout_ms) {
        uint64_t left_us = timeout_ms * UINT64_C(1000);
        useconds_t pause_us = PAUSE_MIN_US;
        _cleanup_close_ int fd = -1;
        int r, unread = 0;

        r = send_message(state, &fd);
        if (r <= 0)
                return r;
        while ((r = ioctl(fd, SIOCOUTQ, &unread)) >= 0 && unread > 0) {
                if (left_us < pause_us)
                        return -ETIMEDOUT;
                (void)usleep(pause_us);
                left_us -= pause_us;
                if (pause_us < PAUSE_MAX_US)
                        pause_us *= 2;
        }
        return r < 0 ? -errno : 0;
}

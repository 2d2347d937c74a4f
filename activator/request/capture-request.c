/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A place of a user's is a lock on one byte of a file. The lock belongs to the open file, which the server
 * gets with the grant and keeps. So a place is free again when the server has ended, whatever ended it, and
 * the activator has nothing to count and nothing to restore.
 */

#include <fcntl.h>
#include <sys/un.h>

#include "capture-protocol.h"
#include "capture-request.h"
#include "message-fd.h"
#include "seat-namespace.h"

/* Returns the open file with the lock; -EBUSY: all places of the user are taken. */
static int take_place(uid_t key) {
        int fd = open(CAPTURE_PLACE_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

        if (fd < 0)
                return -errno;
        for (off_t i = 0; i < CAPTURES_PER_USER_MAX; i++) {
                lock.l_start = (off_t)key * CAPTURES_PER_USER_MAX + i;
                if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
                        return fd;
        }
        (void)close(fd);
        return -EBUSY;
}

/* connect() does not wait: a full queue is an error. */
static int connect_server(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = CAPTURE_SOCKET};
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int r;

        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        r = fd;
        fd = -1;
        return r;
}

static int send_grant(int fd, const struct seat_grant *grant, int place) {
        struct iovec iovec = {.iov_base = (void *)(uintptr_t)grant, .iov_len = sizeof(*grant)};
        struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
        struct message_fd room;

        message_attach_fd(&message, &room, place);
        return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static bool seat_is_up(const char *seat) {
        _cleanup_close_ int fd = -1;
        const char *ignored;

        fd = seat_namespace_open(seat, &ignored);
        return fd >= 0;
}

int capture_connect(uid_t key, const struct seat_grant *grant, const char **ret_reason) {
        _cleanup_close_ int place = -1, fd = -1;
        int r;

        *ret_reason = "the seat is not up";
        if (!seat_is_up(grant->seat))
                return -ENETDOWN;

        place = take_place(key);
        *ret_reason = "you have " STRINGIFY(CAPTURES_PER_USER_MAX) " captures already";
        if (place == -EBUSY)
                return -EBUSY;

        *ret_reason = "there is no service for captures; an administrator can start it: systemctl start "
                      "coursenet-capture.socket";
        fd = place < 0 ? place : connect_server();
        if (fd < 0)
                return fd;
        r = send_grant(fd, grant, place);
        if (r < 0)
                return r;
        /* The flag is of the open file, which the peer shares. */
        if (fcntl(fd, F_SETFL, 0) < 0)
                return -errno;
        r = fd;
        fd = -1;
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The activator, its clients and notify.c pass descriptors with this. */

#include "message-fd.h"

void message_attach_fd(struct msghdr *message, struct message_fd *room, int fd) {
        struct cmsghdr *header;

        if (fd < 0)
                return;
        *room = (struct message_fd){0};
        message->msg_control = room->control.buffer;
        message->msg_controllen = sizeof(room->control.buffer);
        header = CMSG_FIRSTHDR(message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(int));
}

void message_expect_fd(struct msghdr *message, struct message_fd *room) {
        message->msg_control = room->control.buffer;
        message->msg_controllen = CMSG_LEN(sizeof(int));
}

int message_take_fd(struct msghdr *message) {
        const struct cmsghdr *header = CMSG_FIRSTHDR(message);
        int fd = -1;

        if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
                header->cmsg_len == CMSG_LEN(sizeof(int)))
                memcpy(&fd, CMSG_DATA(header), sizeof(int));
        return fd;
}

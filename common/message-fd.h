/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One file descriptor that goes along with a message over a Unix socket (SCM_RIGHTS, unix(7)). */

#include <sys/socket.h>

#include "util.h"

/* Memory for it beside the message; must stay valid until the message is sent, or the descriptor is taken. */
struct message_fd {
        union {
                char buffer[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control;
};

/* Sends fd along, which is borrowed; -1: sends the message alone. */
void message_attach_fd(struct msghdr *message, struct message_fd *room, int fd);

/*
 * Prepares a message for receiving one descriptor. There is no room for a second one: the kernel closes it
 * and sets MSG_CTRUNC. Call it again before each attempt to receive.
 */
void message_expect_fd(struct msghdr *message, struct message_fd *room);

/* The descriptor that came along, which the caller closes; -1: none did. */
int message_take_fd(struct msghdr *message);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who is at the other end of a connection. The kernel says who connected (SO_PEERCRED); the pidfd that a peer
 * sends along is believed only if it is one of that very process.
 */

#include <stdint.h>
#include <sys/socket.h>

#include "util.h"

int peer_credentials(int fd, struct ucred *ret);

/*
 * 0 if pidfd refers to the process pid, which is alive; -ESRCH if its process has ended, whichever that was;
 * -EPERM if it refers to something else; other negative errno.
 */
int peer_check_pidfd(int pidfd, pid_t pid);

/* A new pidfd of the process pid, which the caller closes. -ESRCH: there is none. */
int peer_open_pidfd(pid_t pid);

/* When the process started, in clock ticks since boot: with the pid, it identifies a process. proc(5),
 * field 22. */
int peer_start_time(pid_t pid, uint64_t *ret);

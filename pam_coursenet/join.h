/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Moves this process into a seat's network namespace, and back. */

#include <sys/types.h>

#include "util.h"

/*
 * The network namespace that the process came from, and the thread that left it. It is kept during a session,
 * in which the program may close any descriptor and get its number again. So the descriptor is used only if
 * it still is that namespace.
 */
struct origin {
        int fd; /* -1: the process did not join any */
        dev_t device;
        ino_t inode;
        pid_t thread;
};

#define ORIGIN_NONE ((struct origin){.fd = -1})

/*
 * 0 if this process can join a seat: it has one thread, or it is a program whose session is known to run in
 * the thread that opens it. -EBUSY if not, because setns() would move only the calling thread. service is the
 * program's PAM service, or NULL.
 */
int join_check_threads(const char *service);

/*
 * Joins the namespace of the seat. The caller frees *ret with join_leave() or origin_done(). On failure the
 * process stays where it was, and *ret_failed says what failed, as a static sentence fragment.
 */
int join_seat(const char *seat, struct origin *ret, const char **ret_failed);

/*
 * Goes back to the origin and forgets it; 0 if there is none. -ESTALE if the descriptor is another file,
 * -EBUSY if the calling thread is not the one that joined, because it cannot move that one back.
 */
int join_leave(struct origin *origin);

/* Forgets the origin; the process stays where it is. */
void origin_done(struct origin *origin);

#define _cleanup_origin_ _cleanup_(origin_done)

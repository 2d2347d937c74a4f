/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Children that do what may hang, such as asking the user database: at most so many at once, at most one for
 * a user, and each is killed after a while. One that has no turn yet waits, and whoever has waited longest is
 * next. A child counts until it is reaped, also one that was killed: a file system that hangs may keep it
 * from dying.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

struct child;

/* What the children of one queue have in common. */
struct child_queue {
        sd_event *event; /* borrowed */
        unsigned children_max;
        uint64_t timeout_usec;

        /* Starts the child. Negative errno. */
        int (*start)(void *userdata, pid_t *ret_pid);
        /*
         * The child has ended, and info is as from waitid(2); late: it was killed because its time was over.
         * With info NULL it could not be started, and error is the negative errno. The last callback.
         */
        void (*ended)(void *userdata, const siginfo_t *info, bool late, int error);
        /* Its time is over; it has been killed but may not have ended. NULL: only ended() counts. */
        void (*timed_out)(void *userdata);

        struct child *children;       /* a utlist, the oldest first */
        sd_event_source *turn_source; /* children are to be started */
};

/*
 * Has a child started for the user who counts as key, as soon as it has its turn, but not before this
 * returns. *place is the child until its last callback comes, and NULL from then on. Negative errno.
 */
int child_queue_add(struct child_queue *queue, uid_t key, void *userdata, struct child **place);

/* It has no turn yet. */
bool child_waits(const struct child *child);

/* No callback comes any more. A child that runs is killed; one that waits has its place no longer. */
void child_drop(struct child **place);

/* When the activator ends: kills all children. */
void child_queue_done(struct child_queue *queue);

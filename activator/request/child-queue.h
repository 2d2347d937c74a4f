/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Children for work that may hang, such as asking the user database. Their number is limited, in all and to
 * one for each user, and each is killed after a time. Further children wait, and the one that has waited
 * longest is next. A child counts until it is reaped, also after it was killed, because a file system that
 * hangs may delay its end.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

struct child;

/* What the children of one queue share. */
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
        sd_event_source *turn_source; /* set while children must be started */
};

/*
 * Starts a child for the user who counts as key when it has its turn, but not before this function
 * returns. *place is the child until its last callback comes, and NULL from then on. Negative errno.
 */
int child_queue_add(struct child_queue *queue, uid_t key, void *userdata, struct child **place);

/* It has no turn yet. */
bool child_waits(const struct child *child);

/* No callback comes any more. A child that runs is killed; one that waits is removed. */
void child_drop(struct child **place);

/* When the activator ends: kills all children. */
void child_queue_done(struct child_queue *queue);

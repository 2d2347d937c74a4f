/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A command that the watch runs repeatedly in a child process, usually this program with other arguments. It
 * is a process of its own because a user database may be slow, because a library may hang, and because the
 * kernel then reports its changes under the name of this program.
 */

#include <stdint.h>
#include <sys/types.h>

#include "util.h"

struct job {
        const char *words[6]; /* ends with NULL; borrowed */
        unsigned timeout_ms;  /* how long it may run */

        bool wanted;
        uint64_t due_usec;    /* if wanted: when to begin */
        uint64_t wanted_usec; /* since when: a stream of events must not delay the job without end */

        pid_t pid; /* 0: it does not run */
        int output_fd;
        uint64_t deadline_usec;

        bool has_ended;    /* it has ended at least once, with or without success */
        int status;        /* of the last end: exit status, or -1 if it was killed */
        unsigned n_failed; /* in a row */
        char *said;        /* the output of the last run, which is not printed twice */

        /* For repairs after changes by other programs. */
        uint64_t repair_usec; /* when the last one was due, or the next one is */
        unsigned n_repairs;   /* in quick succession */
};

void job_init(struct job *job, unsigned timeout_ms, const char *const *words);
void job_done(struct job *job);

/* Asks for a run after a delay. Events that follow each other closely cause one run. */
void job_want(struct job *job, uint64_t now_usec, unsigned delay_ms);

/*
 * Asks for a run after another program has changed the rules: at once, but at most a few times a second, and
 * with a pause when the other program has undone the repairs for some seconds. False if such a pause begins.
 */
bool job_want_repair(struct job *job, uint64_t now_usec);

/*
 * Starts a job that is due, and kills one that takes too long. A job that failed is retried at growing
 * intervals.
 */
void job_tick(struct job *job, uint64_t now_usec);

/* Ends a run whose input is out of date. The caller asks for the next run. */
void job_interrupt(struct job *job);

/* A child has ended with this status of waitpid(2). False if it is not this job's. */
bool job_reap(struct job *job, pid_t pid, int status, uint64_t now_usec);

/* When job_tick() has something to do; UINT64_MAX: never. */
uint64_t job_next_usec(const struct job *job);

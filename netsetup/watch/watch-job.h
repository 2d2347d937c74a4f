/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A piece of work that the watch has done by another process, again and again: this program with other
 * arguments, mostly. A process of its own, because a user database may take its time and libraries may not
 * come back; and because the kernel then reports its changes under this program's name.
 */

#include <stdint.h>
#include <sys/types.h>

#include "util.h"

struct job {
        const char *words[6]; /* ends with NULL; borrowed */
        unsigned timeout_ms;  /* how long it may run */

        bool wanted;
        uint64_t due_usec;    /* if wanted: when to begin */
        uint64_t wanted_usec; /* since when: a stream of events must not put it off for ever */

        pid_t pid; /* 0: it does not run */
        int output_fd;
        uint64_t deadline_usec;

        bool has_ended;    /* at least once, whatever came of it */
        int status;        /* of the last end: exit status, or -1 if it was killed */
        unsigned n_failed; /* in a row */
        char *said;        /* the last time; the same is not said twice */

        /* Repairs of what others do. */
        uint64_t repair_usec; /* when the last one was due, or the next one is */
        unsigned n_repairs;   /* in quick succession */
};

void job_init(struct job *job, unsigned timeout_ms, const char *const *words);
void job_done(struct job *job);

/* It is to run some time from now; events that follow each other closely are answered once. */
void job_want(struct job *job, uint64_t now_usec, unsigned delay_ms);

/*
 * The same for something that somebody else has undone: at once, but not more often than a few times a
 * second, and after a fight of some seconds with a pause. False if this is where a pause begins.
 */
bool job_want_repair(struct job *job, uint64_t now_usec);

/* Begins what is due; ends what takes too long. Failures come again, later and later. */
void job_tick(struct job *job, uint64_t now_usec);

/* It has begun with what no longer holds, and is to end. The caller says when it runs again. */
void job_interrupt(struct job *job);

/* A child has ended with this status of waitpid(2). False if it is not this job's. */
bool job_reap(struct job *job, pid_t pid, int status, uint64_t now_usec);

/* When job_tick() has something to do; UINT64_MAX: never. */
uint64_t job_next_usec(const struct job *job);

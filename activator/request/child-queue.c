/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Starts, watches and kills the children of whois.c and peer-report.c. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

#include "base/peer.h"
#include "child-queue.h"

struct child {
        struct child_queue *queue;
        struct child **place; /* NULL: nobody is told of its end */
        uid_t key;
        void *userdata;
        pid_t pid; /* 0: it waits for its turn */
        bool late;
        sd_event_source *exit_source, *timeout_source;
        struct child *prev, *next;
};

static void destroy(struct child *child) {
        if (child->place)
                *child->place = NULL;
        DL_DELETE(child->queue->children, child);
        (void)sd_event_source_disable_unref(child->exit_source);
        (void)sd_event_source_disable_unref(child->timeout_source);
        free(child);
}

bool child_waits(const struct child *child) {
        return child->pid == 0;
}

void child_drop(struct child **place) {
        struct child *child = *place;

        if (!child)
                return;
        *place = NULL;
        child->place = NULL;
        if (child->pid > 0)
                (void)kill(child->pid, SIGKILL); /* handle_exit() goes on */
        else
                destroy(child);
}

/* --- one child ------------------------------------------------------------------------------- */

static int start_soon(struct child_queue *queue);

/* A child that was dropped has no callback at its end. */
static void tell_end(struct child *child, const siginfo_t *info, int error) {
        struct child_queue *queue = child->queue;
        void *userdata = child->userdata;
        bool told = child->place, late = child->late;

        destroy(child);
        if (told)
                queue->ended(userdata, info, late, error);
}

static int handle_exit(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct child *child = userdata;
        struct child_queue *queue = child->queue;
        siginfo_t info = {0};

        (void)source;
        (void)fd;
        (void)events;
        (void)waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG);
        tell_end(child, &info, 0);
        (void)start_soon(queue);
        return 0;
}

static int handle_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        struct child *child = userdata;

        (void)source;
        (void)usec;
        child->late = true;
        (void)kill(child->pid, SIGKILL);
        if (child->place && child->queue->timed_out)
                child->queue->timed_out(child->userdata);
        return 0;
}

static int watch(struct child *child) {
        sd_event *event = child->queue->event;
        int pidfd = peer_open_pidfd(child->pid), r;

        if (pidfd < 0)
                return pidfd;
        r = sd_event_add_io(event, &child->exit_source, pidfd, EPOLLIN, handle_exit, child);
        if (r < 0) {
                (void)close(pidfd);
                return r;
        }
        (void)sd_event_source_set_io_fd_own(child->exit_source, true);
        return sd_event_add_time_relative(event, &child->timeout_source, CLOCK_MONOTONIC,
                child->queue->timeout_usec, 0, handle_timeout, child);
}

static int start(struct child *child) {
        int r = child->queue->start(child->userdata, &child->pid);

        if (r < 0) {
                child->pid = 0;
                return r;
        }
        r = watch(child);
        if (r < 0) {
                (void)kill(child->pid, SIGKILL);
                (void)waitpid(child->pid, NULL, 0);
        }
        return r;
}

/* --- turns ----------------------------------------------------------------------------------- */

static bool has_turn(const struct child *child) {
        const struct child *other;
        unsigned n = 0;

        if (child->pid > 0)
                return false;
        DL_FOREACH (child->queue->children, other) {
                n += other->pid > 0;
                if (other->pid > 0 && other->key == child->key)
                        return false;
        }
        return n < child->queue->children_max;
}

static struct child *find_next(const struct child_queue *queue) {
        struct child *child;

        DL_FOREACH (queue->children, child)
                if (has_turn(child))
                        return child;
        return NULL;
}

static int handle_turn(sd_event_source *source, void *userdata) {
        struct child_queue *queue = userdata;
        struct child *child;

        queue->turn_source = sd_event_source_disable_unref(source);
        /* A callback may change the queue, so each search starts at its beginning. */
        while ((child = find_next(queue))) {
                int r = start(child);

                if (r < 0)
                        tell_end(child, NULL, r);
        }
        return 0;
}

static int start_soon(struct child_queue *queue) {
        return queue->turn_source ? 0
                                  : sd_event_add_defer(queue->event, &queue->turn_source, handle_turn, queue);
}

int child_queue_add(struct child_queue *queue, uid_t key, void *userdata, struct child **place) {
        struct child *child;
        int r;

        r = start_soon(queue);
        if (r < 0)
                return r;
        child = malloc(sizeof(*child));
        if (!child)
                return -ENOMEM;
        *child = (struct child){.queue = queue, .place = place, .key = key, .userdata = userdata};
        DL_APPEND(queue->children, child);
        *place = child;
        return 0;
}

void child_queue_done(struct child_queue *queue) {
        queue->turn_source = sd_event_source_disable_unref(queue->turn_source);
        while (queue->children) {
                if (queue->children->pid > 0)
                        (void)kill(queue->children->pid, SIGKILL);
                destroy(queue->children);
        }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A lease as the files of this folder see it. There is one timer and one call for each purpose. Nobody
 * outside this folder includes this file.
 */

#include <uthash.h>

#include "base/event.h"
#include "base/seat-lookup.h"
#include "keeper.h"
#include "lease-machine.h"
#include "lease.h"

/* A timer stands for the event that it raises. */
enum lease_timer_purpose {
        TIMER_DEADLINE,
        TIMER_SEAT,
        TIMER_LEADER,
        TIMER_NAMESPACE,
        TIMER_LINGER,
        TIMER_KEEP,
        TIMER_LOOK,
        TIMER_GONE,
        TIMER_STOP,
        _LEASE_TIMER_MAX,
};

struct lease_timer {
        struct lease *lease;
        sd_event_source *source; /* NULL: it is not set */
};

/* Does an action of lease-machine.h. */
typedef void (*lease_action_t)(struct lease *lease);

struct lease {
        struct lease_record record; /* what a restart keeps */
        struct lease_table *table;  /* borrowed */
        UT_hash_handle hh;

        const lease_action_t *actions; /* by enum lease_action: lease-run.c, or a test's */
        enum lease_state state;
        uint64_t raised; /* a bit for each event that is still to be handled */
        bool handling;   /* an event is being handled: what is raised meanwhile comes after it */
        struct lease_timer timers[_LEASE_TIMER_MAX];

        /* Who waits for the answer: lease-answer.c */
        struct lease_waiter waiter; /* .answer is NULL: nobody waits; .place is NULL: nobody is tied to it */
        bool pass_namespace;        /* the answer comes with a descriptor of the seat's namespace */
        char moved_to[HOST_MEMBER_NAME_SIZE]; /* another server has the seat now; "": none */
        char *reason;                         /* of EVENT_FAULT, EVENT_FAULT_FOUND or EVENT_CONTAINER_FAULT */

        /* Its start: lease-start.c */
        const struct found_seat *seat;    /* borrowed, and only while EVENT_OPENED is being handled */
        struct service_settings services; /* the units that it wants */
        bool wait_container;              /* the answer has to wait for the container */
        uint32_t timeout_ms;              /* how long who asked will wait */
        uint64_t begun_usec; /* when it asked for a seat that was down, monotonic; 0: it was up */
        char job[64];        /* the D-Bus path of its start job; "": none is under way */
        struct wiring_update *wiring;
        struct bus_call *reload_call, *start_call;
        char bridge_course[COURSE_SIZE]; /* whose bridge the seat is on; "": an administrator's own */
        struct bus_call *seat_call;      /* lease-early.c */
        struct worker_call *worker_call; /* lease-early.c */
        uint64_t seat_delay_usec;        /* until the next question for the units of the seat */
        struct diagnosis *diagnosis;

        /* Its opener: lease-opener.c */
        int pidfd; /* ours; -1: the opener is dead, or it has none */
        sd_event_source *opener_watch;
        struct leader_search *leader_search;

        /* After its login: linger.c */
        struct keeper keeper; /* what keeps the seat */
        sd_event_source *group_watch;
        uint64_t look_delay_usec; /* from an event to the next look */

        /* Its unit: lease-unit.c */
        struct bus_call *stop_call, *gone_call;
};

/* A new lease with that record, in the table; it takes pidfd, also when it fails. NULL: out of memory. */
struct lease *lease_new(struct lease_table *table, const struct lease_record *record, int pidfd,
        const lease_action_t *actions);

/* Takes it out of the table. It must wait for nothing any more. */
void lease_free(struct lease *lease);

/*
 * Handles the event, or notes it if another one of the lease is being handled. The lease may have been freed
 * when this returns.
 */
void lease_raise(struct lease *lease, enum lease_event event);

/* The same for EVENT_FAULT, EVENT_FAULT_FOUND and EVENT_CONTAINER_FAULT. The reason is a sentence; it is
 * copied. */
void lease_raise_fault(struct lease *lease, enum lease_event event, const char *reason);

/* Sets or stops the timer. One that cannot be set raises EVENT_FAULT where the lease depends on it. */
void lease_set_timer(struct lease *lease, enum lease_timer_purpose purpose, uint64_t usec);
void lease_stop_timer(struct lease *lease, enum lease_timer_purpose purpose);

/* How long to wait before a question is asked again that systemd or logind did not answer. */
#define LEASE_RETRY_USEC (2 * USEC_PER_SEC)

/* It was asked for over query.sock: by coursenet-enter, or by another program of the student's. */
bool lease_is_entered(const struct lease *lease);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A lease: one login's need of a seat. It is a transient slice in PID 1, which is bound to the seat's units;
 * systemd's own graph counts them. What is kept here beside it (and in a record below /run/coursenet/state,
 * so that a restart loses nothing) is whom it belongs to and which process opened it.
 *
 * LEASE_STARTING: until its job is done; a job that fails, a deadline, and an opener that hangs up, end it.
 *
 * LEASE_ACTIVE: until it is closed, or its opener is dead and no logind session is led by it.
 *
 * LEASE_LINGERING: in place of ending, if it is the seat's last and the course keeps the seat for a while
 * (linger.h).
 *
 * LEASE_ENDING: until its unit is gone; then it is freed.
 *
 * An admin's hold is a lease without an opener: only lease_stop_all() ends it.
 */

#include <uthash.h>

#include "base/event.h"
#include "base/record-store.h"
#include "keeper.h"
#include "plan.h"
#include "protocol.h"

enum lease_state {
        LEASE_STARTING,
        LEASE_ACTIVE,
        LEASE_LINGERING,
        LEASE_ENDING,
};

struct bus_call;
struct leader_search;
struct lease;
struct seats;
struct wiring_update;

/* The leases, and what they need of the rest of the program; all of that is borrowed. */
struct lease_table {
        sd_event *event;
        struct bus *bus;
        struct seats *seats;
        const char *etc;      /* the directory of the settings */
        struct lease *leases; /* a uthash by id */

        /* Logs a line about a user's request over query.sock. Such lines are limited. */
        void (*log_query)(void *userdata, uid_t uid, const char *text);
        void *userdata;
};

/*
 * Who waits for a lease. The answer comes exactly once, at once or later, unless lease_abandon() comes first.
 * *place is the lease meanwhile, and NULL before and after: it is NULL when an answer comes, but for that of
 * REQUEST_OPEN or REQUEST_HOLD with a seat. With these the lease is tied to its waiter until lease_confirm()
 * or lease_abandon().
 */
struct lease_waiter {
        void (*answer)(
                void *userdata, const struct reply *reply, int fd); /* fd: -1, or for the peer; borrowed */
        void *userdata;
        struct lease **place;
};

struct lease {
        struct lease_record record; /* what a restart keeps */
        enum lease_state state;

        uint64_t joined_usec; /* CLOCK_MONOTONIC; its login is in no namespace that is younger */
        bool opener_dead;
        int pidfd; /* ours, of the opener; -1: the opener is gone */

        struct lease_table *table;        /* borrowed */
        struct lease_waiter waiter;       /* its answer is NULL: nobody waits */
        char job[64];                     /* the start job that is under way, its D-Bus path */
        bool retried;                     /* the start job was cancelled once already */
        bool retry;                       /* it is to be started again, once its old unit has gone */
        struct service_settings services; /* while it starts: the units it wants */
        bool wait_container;              /* answer when the container runs */
        bool pass_namespace;              /* answer with a descriptor of the seat's namespace */
        sd_event_source *death_source;
        sd_event_source *deadline_source;
        struct keeper keeper;           /* while it lingers: what keeps the seat */
        bool linger_told;               /* the log has it that it lingers */
        uint64_t look_delay_usec;       /* from an event to the next look at what keeps the seat */
        sd_event_source *look_source;   /* the next look; NULL: linger= is not over yet */
        sd_event_source *keeper_source; /* the control group of what keeps the seat */
        struct wiring_update *wiring;   /* while its seat's wiring is brought up to date */
        struct leader_search *leader_search;
        struct bus_call *call;      /* the one call that is under way */
        struct bus_call *gone_call; /* the question whether the unit is really gone */
        void (*diagnosis)(void *lease, const char *seat, const char *container); /* see diagnosis.h */
        UT_hash_handle hh;
};

/* "coursenet-ID.slice": one dash, so that systemd makes no more parent slices than coursenet.slice. */
#define LEASE_UNIT_SIZE (sizeof("coursenet-.slice") + LEASE_ID_SIZE)
void lease_unit_name(const struct lease *lease, char ret_unit[static LEASE_UNIT_SIZE]);

/* It was asked for over query.sock: by coursenet-enter, or by another program of the student's. */
bool lease_is_entered(const struct lease *lease);

/* An empty lease in the table, with that id. NULL: out of memory. */
struct lease *lease_new(struct lease_table *table, const char *id);

/* Takes it out of the table, with its record and its place in the FD store. */
void lease_free(struct lease *lease);

/*
 * Forgets all leases but leaves their records, their descriptors in the FD store and their units alone: the
 * activator ends, they do not.
 */
void lease_forget_all(struct lease_table *table);

struct lease *lease_find(struct lease_table *table, const char *id);

/* Whether there is a lease of the seat, or of the user, whatever its state. userdata: the table. */
bool lease_seat_has_one(void *userdata, const char *seat);
bool lease_user_has_one(void *userdata, uid_t uid);

/* Ties a waiter to the lease, and unties what is tied to it. */
void lease_tie(struct lease *lease, const struct lease_waiter *waiter);
void lease_untie(struct lease *lease);

/* Sends the lease's waiter, who is not tied any more, an answer with a sentence. NULL: there is none. */
void lease_waiter_answer(const struct lease_waiter *waiter, enum reply_type type, const char *text);

/* Logs a line about a lease that a user has asked for. */
void lease_log_query(struct lease_table *table, uid_t uid, const char *format, ...) _printf_(3, 4);

/*
 * Starts what REQUEST_OPEN asks for, or REQUEST_ENTER once it has user and uid. Takes pidfd. The waiter is
 * copied.
 */
void lease_open(struct lease_table *table, const struct lease_waiter *waiter, const struct request *request,
        const struct ucred *peer, int pidfd);

/* The waiter has read its answer: from now on the lease is on its own. */
void lease_confirm(struct lease *lease);

/* The waiter hung up: nobody will ever close this lease. */
void lease_abandon(struct lease *lease);

/*
 * A hold on the seat of the request's user: as lease_open(), but nobody's life ends it. A second one is the
 * first.
 */
void lease_hold(struct lease_table *table, const struct lease_waiter *waiter, const struct request *request);

/* The login has ended: ends the lease, at once or after it has lingered (linger.h). */
void lease_close(struct lease *lease);

/* The login that had the lease is over: forgets its process, and everything that the lease waited for. */
void lease_let_go(struct lease *lease);

/* Ends every lease of a user, a seat or a course, and tells the users' terminals. Returns how many. */
unsigned lease_stop_all(struct lease_table *table, const char *target);

/* The unit of a lease that is starting has gone: starts it again, if that is what it waits for. */
void lease_retry(struct lease *lease);

/* Ends a lease that is starting and answers who waits for it. */
void lease_fail(struct lease *lease, enum reply_type type, const char *text);

/* One line in the journal, with fields. what: see lease-event.h. */
void lease_log(const struct lease *lease, const char *what);

/* Has all leases that last logged once a day, see there. Negative errno. */
int lease_log_daily(struct lease_table *table);

/* Ends a lease, now. Returns at once; the table forgets it when systemd says that its unit is gone. */
void lease_end(struct lease *lease);

/* The lease that REQUEST_CLOSE means, or NULL. */
struct lease *lease_find_for_close(struct lease_table *table, const struct request *request, pid_t peer);

/*
 * Watches the opener's life: takes pidfd, a descriptor of it, or -1 if it is dead already. Used by
 * lease_open() and after a restart.
 */
int lease_watch_opener(struct lease *lease, int pidfd);

/* Ends the lease if its opener is dead and logind has no session led by it. */
void lease_check_opener(struct lease *lease);

/* Subscribes to what systemd and logind say of leases. Negative errno. */
int lease_subscribe(struct lease_table *table);

/* Its answer has to wait for the container, which its seat has. */
bool lease_waits_for_container(const struct lease *lease);

/* Its seat is up, and its login is in the namespace that is there now. */
void lease_activate(struct lease *lease);

/* Ends a lease whose login goes on without a network: it is told how that came. */
void lease_take(struct lease *lease, const char *how);

/* What a reply says of a lease. */
void lease_fill_reply(const struct lease *lease, enum reply_type type, struct reply *ret);

/* systemd reports that a job of the unit, which may be a lease's, has ended. userdata: the table. */
void lease_job_removed(void *userdata, const char *job, const char *unit, const char *result);

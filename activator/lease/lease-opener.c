/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Watches the login of an active lease: the process that opened it, its session, its namespace. The process
 * is known by a pidfd, never by its number alone. Its death does not end the lease at once, because `kill -9`
 * of sshd's privileged process leaves the student's shell alive: logind is asked. lease-run.c calls these
 * functions as actions.
 */

#include <sys/epoll.h>

#include "base/event.h"
#include "base/log.h"
#include "base/namespace-id.h"
#include "lease-object.h"
#include "lease-opener.h"
#include "systemd/logind.h"

static int handle_death(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct lease *lease = userdata;

        (void)source;
        (void)fd;
        (void)events;
        lease->opener_watch = sd_event_source_disable_unref(lease->opener_watch);
        lease_raise(lease, EVENT_OPENER_DIED);
        return 0;
}

void lease_opener_watch(struct lease *lease) {
        int r;

        if (lease->pidfd < 0) {
                lease_raise(lease, EVENT_OPENER_DIED);
                return;
        }
        r = sd_event_add_io(
                lease->table->event, &lease->opener_watch, lease->pidfd, EPOLLIN, handle_death, lease);
        if (r >= 0)
                r = sd_event_source_set_priority(lease->opener_watch, PRIORITY_DEATH);
        if (r < 0)
                lease_raise_fault(lease, EVENT_FAULT, "the login's process cannot be watched");
}

static void handle_leader(void *userdata, enum leader_answer answer) {
        static const enum lease_event events[] = {
                [LEADER_NONE] = EVENT_LEADER_NONE,
                [LEADER_FOUND] = EVENT_LEADER_FOUND,
                [LEADER_UNKNOWN] = EVENT_LEADER_UNKNOWN,
        };

        struct lease *lease = userdata;

        /* logind says nothing when the last process of a session ends that it does not know. */
        if (answer == LEADER_NONE && !lease_is_entered(lease) &&
                keeper_has_forgotten_session(&keeper_roots, lease->record.uid))
                answer = LEADER_UNKNOWN;
        /* A logind that does not answer for long does not keep the seat of a process that is dead. */
        else if (answer == LEADER_UNKNOWN && !keeper_may_have_session(&keeper_roots, lease->record.uid))
                answer = LEADER_NONE;
        lease_raise(lease, events[answer]);
}

/*
 * A search that is under way is not begun again at each session that ends: the session that it finds is there
 * at that time, and logind tells of its end after that.
 */
void lease_opener_ask_leader(struct lease *lease) {
        lease_stop_timer(lease, TIMER_LEADER);
        if (lease->leader_search)
                return;
        if (logind_find_leader(lease->table->bus, lease->record.uid, lease->record.opener, handle_leader,
                    lease, &lease->leader_search) < 0)
                lease_raise(lease, EVENT_LEADER_UNKNOWN);
}

/*
 * The next activator has to know it, because the seat may have another namespace by then. If it cannot be
 * recorded, that activator takes the one that it finds for the login's.
 */
void lease_opener_mark_joined(struct lease *lease) {
        int r;

        lease->record.starting = false;
        lease->record.joined = namespace_id_find(lease->record.seat);
        r = record_store_save(lease->table->state_directory, &lease->record);
        if (r < 0)
                log_warning("Which namespace the lease %s has joined cannot be recorded: %s",
                        lease->record.id, strerror(-r));
}

void lease_opener_stop_watch(struct lease *lease) {
        lease->opener_watch = sd_event_source_disable_unref(lease->opener_watch);
        lease_stop_timer(lease, TIMER_NAMESPACE);
}

/*
 * The number of an inode may be used again, but not while the login has a process in the namespace, and
 * nobody else can be left behind in it.
 */
void lease_opener_ask_namespace(struct lease *lease) {
        struct namespace_id now = namespace_id_find(lease->record.seat), *joined = &lease->record.joined;

        lease_stop_timer(lease, TIMER_NAMESPACE);
        if (joined->inode == 0)
                *joined = now;
        if (now.inode == 0)
                lease_raise(lease, EVENT_NAMESPACE_UNKNOWN);
        else if (now.inode == joined->inode && now.device == joined->device)
                lease_raise(lease, EVENT_NAMESPACE_SAME);
        else
                lease_raise(lease, EVENT_NAMESPACE_NEW);
}

void lease_opener_drop(struct lease *lease) {
        lease->opener_watch = sd_event_source_disable_unref(lease->opener_watch);
        close_pointer(&lease->pidfd);
        logind_drop_search(&lease->leader_search);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What we ask of PID 1 and of logind over D-Bus. Nothing here waits: replies come by callback
 * (sd_bus_message_handler_t, whose slot the caller owns: dropping it forgets the call), and what has no slot
 * is sent without asking for a reply.
 */

#include "base/manager.h"
#include "lease/lease.h"

/* Connects, subscribes to systemd's and logind's signals, and attaches the bus to the event loop. */
int systemd_connect(struct manager *manager);

/* StartTransientUnit of the lease's slice. JobRemoved tells the end: lease_job_removed(). */
int systemd_start_lease(struct lease *lease, sd_bus_message_handler_t callback, sd_bus_slot **ret_slot);

/* StartTransientUnit of a slice that needs n units, which are up; mode "fail": whatever is queued already
 * wins. */
int systemd_start_needing_slice(struct manager *manager, const char *slice, const char *const *units,
        size_t n, sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot);

/*
 * StopUnit, with a job mode, ResetFailedUnit, and KillUnit of all processes with SIGKILL; with no callback no
 * reply is asked for.
 */
int systemd_stop_unit(struct manager *manager, const char *unit, const char *mode,
        sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot);
int systemd_reset_failed(struct manager *manager, const char *unit);
int systemd_kill_unit(struct manager *manager, const char *unit);

/* One row of ListUnitsByPatterns; strings are borrowed from the reply. */
struct unit_row {
        const char *name;
        const char *active_state;
        uint32_t job; /* the number of a job that is queued for it; 0: none */
};

/* Asks for the units that match the patterns (n of them). */
int systemd_list_units(struct manager *manager, const char *const *patterns, size_t n,
        sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot);

/* Reads such a reply: first systemd_enter_units(), then rows until 0 (end) or negative errno. */
int systemd_enter_units(sd_bus_message *reply);
int systemd_read_unit(sd_bus_message *reply, struct unit_row *ret);

/* Reads a property that every kind of unit has (a reply with one variant). */
int systemd_get_property(struct manager *manager, const char *unit, const char *property,
        sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot);

/* The same of a service's own properties. */
int systemd_get_service_property(struct manager *manager, const char *unit, const char *property,
        sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot);

/*
 * Blocks until systemd has taken what was sent without a callback: it does nothing for a peer that has left
 * the bus meanwhile. For a program that is about to end. Negative errno.
 */
int systemd_wait(struct manager *manager);

/* Manager.Reload: daemon-reload. Never on the login path. */
int systemd_reload(
        struct manager *manager, sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot);

/* logind: all sessions, a(susso); and a session's leader (a reply with one variant, "u"). */
int logind_list_sessions(
        struct manager *manager, sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot);
int logind_get_leader(struct manager *manager, const char *session_path, sd_bus_message_handler_t callback,
        void *userdata, sd_bus_slot **ret_slot);

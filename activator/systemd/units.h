/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is asked of systemd (org.freedesktop.systemd1(5)). Each call that has a callback returns at once, 0 or
 * negative errno; then the callback comes once, later, unless the call is dropped: see bus.h for call. In a
 * callback error is 0 or negative errno, and what else it is given is borrowed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"

/*
 * job: the D-Bus path of the job that systemd has queued, or "" with an error; text is then what systemd
 * says. -ENOENT: there is no such unit.
 */
typedef void (*unit_job_callback_t)(void *userdata, int error, const char *job, const char *text);

/* A unit without a file. Lists end with NULL; NULL for a list or the description: none. */
struct transient_unit {
        const char *name;
        const char *mode; /* of the job: "replace" others that are queued, or "fail" if there are any */
        const char *description;
        const char *const *binds_to, *const *after, *const *wants, *const *requisite;
        bool ignore_on_isolate;
};

int unit_start_transient(struct bus *bus, const struct transient_unit *unit, unit_job_callback_t callback,
        void *userdata, struct bus_call **call);

/* StopUnit with job mode "replace". With no callback no reply is asked for, and call is NULL. */
int unit_stop(struct bus *bus, const char *unit, unit_job_callback_t callback, void *userdata,
        struct bus_call **call);

/* TryRestartUnit with job mode "replace": leaves a unit that is stopped alone. No reply is asked for. */
int unit_try_restart(struct bus *bus, const char *unit);

/* ResetFailedUnit, and KillUnit of all processes with SIGKILL; no reply is asked for. */
int unit_reset_failed(struct bus *bus, const char *unit);
int unit_kill(struct bus *bus, const char *unit);

/* Asks whether systemd has the unit in memory, and loads nothing: -ENOENT if it does not. job: its path. */
int unit_find(struct bus *bus, const char *unit, unit_job_callback_t callback, void *userdata,
        struct bus_call **call);

/* A property that is a number. is_scale: a part of UINT32_MAX, as MemoryMaxScale has it. */
struct unit_number {
        const char *property;
        uint64_t number;
        bool is_scale;
};

typedef void (*unit_done_callback_t)(void *userdata, int error);

/* SetUnitProperties until the next boot: systemd writes drop-ins into /run/systemd/system.control. */
int unit_set_numbers(struct bus *bus, const char *unit, const struct unit_number *numbers, size_t n,
        unit_done_callback_t callback, void *userdata, struct bus_call **call);

/* A unit that systemd has in memory. */
struct unit_row {
        const char *name;
        const char *active_state;
        uint32_t job;         /* the number of a job that is queued for it; 0: none */
        const char *job_type; /* "start", "stop" and so on; "": there is no job */
};

typedef void (*unit_list_callback_t)(void *userdata, int error, const struct unit_row *rows, size_t n_rows);

/* The units in memory whose names match one of the patterns (n of them); systemd goes through all units. */
int unit_list(struct bus *bus, const char *const *patterns, size_t n, unit_list_callback_t callback,
        void *userdata, struct bus_call **call);

/*
 * The units with these names, a row for each, whatever their state. systemd looks at no other unit. It loads
 * those that it does not have in memory, which takes longer than to look through a thousand: unit_find().
 */
int unit_list_names(struct bus *bus, const char *const *names, size_t n, unit_list_callback_t callback,
        void *userdata, struct bus_call **call);

/* The D-Bus path of the job with that number. */
#define UNIT_JOB_PATH_SIZE 64U
void unit_job_path(uint32_t job, char ret_path[static UNIT_JOB_PATH_SIZE]);

enum unit_property {
        UNIT_BINDS_TO,           /* list */
        UNIT_DROP_IN_PATHS,      /* list */
        UNIT_NEED_DAEMON_RELOAD, /* flag */
        UNIT_INACTIVE_EXIT,  /* number: when it last began to start, in µs of CLOCK_MONOTONIC; 0: never */
        UNIT_ACTIVE_EXIT,    /* number: when it was last up no longer, the same; 0: never */
        SERVICE_STATUS_TEXT, /* text: what the service says of itself, sd_notify(3) */
        SERVICE_RESULT,      /* text: why the service ended */
        _UNIT_PROPERTY_MAX,
};

/* What a property has; the other fields are empty, and so are all with an error. text is never NULL. */
struct unit_value {
        const char *text;
        bool flag;
        uint64_t number;
        char *const *list; /* n_list of them */
        size_t n_list;
};

typedef void (*unit_property_callback_t)(void *userdata, int error, const struct unit_value *value);

int unit_get_property(struct bus *bus, const char *unit, enum unit_property property,
        unit_property_callback_t callback, void *userdata, struct bus_call **call);

/* daemon-reload. A login waits for it only if systemd would start its units as they were before. */
int units_reload(struct bus *bus, unit_done_callback_t callback, void *userdata, struct bus_call **call);

/* A job of the unit has ended. result: "done", "failed", "canceled" and so on, see JobRemoved(). */
typedef void (*unit_job_removed_t)(void *userdata, const char *job, const char *unit, const char *result);

/* systemd has removed the unit from memory. At a daemon-reload it removes all units and loads them again. */
typedef void (*unit_removed_t)(void *userdata, const char *unit);

/* Subscribes for as long as the bus lasts. Subscribers are called in the order in which they came. */
int units_on_job_removed(struct bus *bus, unit_job_removed_t callback, void *userdata);
int units_on_removed(struct bus *bus, unit_removed_t callback, void *userdata);

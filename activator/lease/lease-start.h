/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The start of a lease's unit, from the wiring of its seat to what went wrong. */

#include "lease.h"

/* The timer of EVENT_DEADLINE: a little less than who asked will wait, so that the answer comes in time. */
void lease_start_set_deadline(struct lease *lease);

/* The same timer, for a login that has its answer: much longer than its start job can take. */
void lease_start_set_patience(struct lease *lease);

/* Brings the seat's wiring up to date: EVENT_WIRED, EVENT_WIRED_STALE or EVENT_FAULT. */
void lease_start_wire(struct lease *lease);

/* daemon-reload: EVENT_RELOADED or EVENT_FAULT. */
void lease_start_reload(struct lease *lease);

/* StartTransientUnit: EVENT_ACCEPTED or EVENT_FAULT, and EVENT_JOB_* when the job ends. */
void lease_start_unit(struct lease *lease);

/* A job of the lease's unit has ended. */
void lease_start_job_removed(struct lease *lease, const char *job, const char *result);

/* EVENT_READY or EVENT_READY_HOLD, or EVENT_CONTAINER_FAULT. */
void lease_start_check_container(struct lease *lease);

/* Which unit is to blame: EVENT_FAULT_FOUND or EVENT_CONTAINER_FAULT. */
void lease_start_diagnose(struct lease *lease);

/* Drops the calls that are under way; and all of it, the job that is under way too. */
void lease_start_drop_calls(struct lease *lease);
void lease_start_drop(struct lease *lease);

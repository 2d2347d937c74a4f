/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What connects a seat's namespace with its bridge: what nsbr@.service starts and stops. And how a seat named
 * on the command line is read, which the other subcommands need too.
 */

#include "diagnostics.h"
#include "plan.h"

/*
 * Connects the namespace of a seat with its bridge: both must be there. A cable of ours that is left from
 * before is replaced. Negative errno with at least one error in diagnostics; what was made by this call is
 * then gone again.
 */
int seat_start(const char *etc, const char *seat, struct diagnostics *diagnostics);

/*
 * Removes the cable, whether or not the namespace is still there; one that is gone already is success.
 * -EINVAL for what can be no seat, -EEXIST for a link that is not ours, which stays.
 */
int seat_stop(const char *seat, struct diagnostics *diagnostics);

/* The id of a seat as this site writes it; -EINVAL with an error in diagnostics. */
int seat_parse_id(const struct settings *settings, const char *seat, struct seat_id *ret,
        struct diagnostics *diagnostics);

/* Settings and the plan of a seat; errors are in diagnostics. The caller frees *ret_settings. */
int seat_load(const char *etc, const char *seat, struct settings *ret_settings, struct seat_plan *ret_plan,
        struct diagnostics *diagnostics);

/* The names alone, for a stop, which needs no configuration. -EINVAL for what can be no seat. */
int seat_plan_for_stop(const char *seat, struct seat_plan *ret, struct diagnostics *diagnostics);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The seat that a subcommand is about, as the command line names it: "12310". */

#include "diagnostics.h"
#include "plan.h"

/* The id of a seat as this site writes it; -EINVAL with an error in diagnostics. */
int seat_argument_parse(const struct settings *settings, const char *seat, struct seat_id *ret,
        struct diagnostics *diagnostics);

/* Loads the settings and the seat's plan; errors are in diagnostics. The caller frees *ret_settings. */
int seat_argument_load(const char *etc, const char *seat, struct settings *ret_settings,
        struct seat_plan *ret_plan, struct diagnostics *diagnostics);

/*
 * Fills in only the names of a plan, for a stop, which needs no configuration. -EINVAL, with an error in
 * diagnostics, if the text cannot be a seat.
 */
int seat_argument_name(const char *seat, struct seat_plan *ret, struct diagnostics *diagnostics);

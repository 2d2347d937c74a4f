/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why a seat did not come up: which of its units failed or hangs, as a sentence that says where to look. */

#include <stdbool.h>

/* Begins the part of such a sentence that is for administrators: students may not read the journal. */
#define DIAGNOSIS_HINT "; see: "

struct bus;
struct diagnosis;

/*
 * seat: what is wrong with the seat; NULL: nothing. Then container is what is wrong with its container, in
 * words for the student; NULL: nothing.
 */
typedef void (*diagnosis_callback_t)(void *userdata, const char *seat, const char *container);

/*
 * Asks which unit is to blame for a start that failed or takes too long. 0 or negative errno; then the
 * callback comes once, later, unless the diagnosis is dropped. *diagnosis is set meanwhile, as with struct
 * bus_call: one that is under way there already is dropped first.
 */
int diagnosis_start(struct bus *bus, const char *course, const char *seat, bool with_container,
        diagnosis_callback_t callback, void *userdata, struct diagnosis **diagnosis);

/* The seat is up: asks whether its container runs. The same otherwise. */
int diagnosis_start_container(struct bus *bus, const char *seat, diagnosis_callback_t callback,
        void *userdata, struct diagnosis **diagnosis);

void diagnosis_drop(struct diagnosis **diagnosis);

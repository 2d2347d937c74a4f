/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why a seat did not come up: which of its units failed or hangs, as a sentence that says where to look. */

/* Begins the part of such a sentence that is for administrators: students may not read the journal. */
#define DIAGNOSIS_HINT "; see: "

#include "lease.h"

/*
 * seat: what is wrong with the seat; NULL: nothing. Then container is what is wrong with its container, in
 * words for the student; NULL: nothing.
 */
typedef void (*diagnosis_callback_t)(void *lease, const char *seat, const char *container);

/* Uses the lease's call; the callback comes later, unless the lease goes first. */
int diagnosis_start(struct lease *lease, diagnosis_callback_t callback);

/* The seat is up: whether its container runs. Same as above. */
int diagnosis_start_container(struct lease *lease, diagnosis_callback_t callback);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why a seat did not come up: which of its units failed or hangs, as a sentence that says where to look. */

#include "lease.h"

typedef void (*diagnosis_callback_t)(void *lease, const char *text);

/* Uses the lease's call_slot; the callback comes later, unless the lease goes first. */
int diagnosis_start(struct lease *lease, diagnosis_callback_t callback);

/* Whether the seat's container runs: the callback gets NULL if so, else why not. */
int diagnosis_start_container(struct lease *lease, diagnosis_callback_t callback);

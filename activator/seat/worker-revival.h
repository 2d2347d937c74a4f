/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemd restarts coursenet-worker when it ends. If somebody cancels that job (`systemctl cancel`), the unit
 * stays in "auto-restart" for ever, and its socket starts it only when it is dead.
 */

#include "seats.h"

/* Asks systemd about the worker, which does not answer, and restarts its unit if it is in that state.
 * userdata: struct seats. */
void worker_revival_begin(void *userdata);

/* Drops the question. */
void worker_revival_drop(struct seats *seats);

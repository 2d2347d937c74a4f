/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading the whole configuration again and writing the wiring of every seat: at boot, and when a roster has
 * changed. */

#include "seat/seats.h"

/* text: one sentence for an administrator. */
typedef void (*reload_callback_t)(void *userdata, bool good, const char *text);

/* The callback comes once, at once or later. It must be good until then. */
void reload(struct seats *seats, reload_callback_t callback, void *userdata);

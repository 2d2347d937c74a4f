/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lease-machine.c has a lease do. */

#include "lease-object.h"

/* By enum lease_action: for lease_new(). DO_NOTHING has none. */
extern const lease_action_t lease_run_actions[_LEASE_ACTION_MAX];

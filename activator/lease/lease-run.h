/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The functions that do the actions of lease-machine.h. */

#include "lease-object.h"

/* By enum lease_action: for lease_new(). DO_NOTHING has none. */
extern const lease_action_t lease_run_actions[_LEASE_ACTION_MAX];

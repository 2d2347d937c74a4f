/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Applies the fence's rules, which are full of uids, without a user database having a say in them. */

#include "diagnostics.h"

/* As firewall_apply(). */
int fence_apply(const char *rules, const char *what, struct diagnostics *diagnostics);

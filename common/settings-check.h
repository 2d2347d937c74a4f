/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings of coursenet.conf against each other. */

#include "settings.h"

/*
 * Checks settings of which each is good by itself. Returns 0, or -EINVAL (-ENOMEM) with at least one error
 * added to diagnostics. path is for messages only.
 */
int settings_check(const struct settings *settings, const char *path, struct diagnostics *diagnostics);

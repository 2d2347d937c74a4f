/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Points in time as systemd.time(7) describes them: "yesterday", "2 hours ago", "Mon 2026-02-02 08:00". */

#include <stdint.h>

#include "util.h"

/*
 * What moment_parse() understands means the beginning of that day, minute or second. systemd-analyze(1) is
 * asked for everything else, because no library has systemd's parser. -EINVAL: it is no time. Another
 * negative errno: systemd-analyze cannot be run.
 */
int calendar_parse(const char *text, uint64_t *ret_usec);

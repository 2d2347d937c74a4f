/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lines of subuid(5): OWNER:FIRST:COUNT, with the owner's name or uid. */

#include <stdint.h>

#include "util.h"

#define SUBUID_FILE "/etc/subuid"

/*
 * Leaves the owner in line, and gives the first and the last uid of the range. Uid 4294967295 is none, so no
 * range ends with it. False: the line has another form.
 */
bool subuid_parse_line(char *line, uint32_t *ret_first, uint32_t *ret_last);

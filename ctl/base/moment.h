/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Points in time, in the formats that people write and read. Values are microseconds since 1970, like those
 * of the journal. */

#include <stdint.h>
#include <time.h>

#include "util.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* From from_usec to just before to_usec. */
struct span {
        uint64_t from_usec;
        uint64_t to_usec;
};

/* What moment_parse() understands, for messages. */
#define MOMENT_FORMS                                                                                         \
        "YYYY-MM-DD, YYYY-MM-DD HH:MM or YYYY-MM-DD HH:MM:SS, today's HH:MM or HH:MM:SS (all local, unless " \
        "Z, UTC or +HHMM follows), or @SECONDS"

/*
 * Parses a day, a minute or a second: a text without seconds means the whole minute. A "T" may replace the
 * space. now is the current time, for texts without a day. -EINVAL for anything else, and for a time that
 * does not exist (30 February, an hour that summer time skips).
 */
int moment_parse(const char *text, time_t now, struct span *ret);

/* "2026-01-31 09:00", the host's own time. */
void moment_format_minute(uint64_t usec, char *text, size_t size);

/* "2026-01-31 09:00:00", the host's own time. */
void moment_format(uint64_t usec, char *text, size_t size);

/* "2026-01-31T09:00:00Z" (RFC 3339). */
void moment_format_utc(uint64_t usec, char *text, size_t size);

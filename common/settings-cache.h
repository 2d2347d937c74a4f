/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Settings and rosters for a process that answers many logins: they are parsed again when their files have
 * changed, and not at each login. Every call compares the files with what was read (file-identity.h), so that
 * a change counts at the next call, and nothing has to be reloaded or watched.
 *
 * Only what was read without any finding is kept. So a file with a mistake is read each time, and each login
 * gets and logs the findings.
 */

#include "settings.h"

/* What is kept at most. A larger site works as well, and its files are read each time. */
#define SETTINGS_CACHE_COURSES_MAX 1024U
#define SETTINGS_CACHE_ROSTERS_SIZE ((size_t)4 * 1024 * 1024)

struct cached_roster;

/* For one thread. Set etc; all else is zero in the empty value. */
struct settings_cache {
        const char *etc;          /* borrowed */
        struct settings settings; /* loaded last */
        bool kept;
        struct cached_roster *rosters; /* by the settings above; the one that was used last is the first */
        size_t rosters_size;           /* bytes */
};

void settings_cache_done(struct settings_cache *cache);

/* As settings_load(). *ret is borrowed until the next call or settings_cache_done(). */
int settings_cache_load(
        struct settings_cache *cache, const struct settings **ret, struct diagnostics *diagnostics);

/*
 * The seat number of a student on the roster of a course, by the settings that settings_cache_load() has just
 * returned. -ENOENT: the course has no roster, or the student is not on it. Otherwise as roster_load().
 */
int settings_cache_find_seat(struct settings_cache *cache, const char *course, const char *student,
        unsigned *ret_seat, struct diagnostics *diagnostics);

#define _cleanup_settings_cache_ _cleanup_(settings_cache_done)

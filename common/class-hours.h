/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The syntax of schedule = in coursenet.conf: "Mon,Wed 09:00-10:30; 2026-12-01 14:00-16:00 Europe/Berlin".
 * Whether systemd knows the days and the zone is not checked here. All functions are pure.
 */

#include "util.h"

#define SCHEDULE_TEXT_SIZE 192U
#define ZONE_SIZE 64U

struct class_hours {
        char start[SCHEDULE_TEXT_SIZE]; /* a calendar expression of systemd.time(7): "Mon,Wed 09:00:00 UTC" */
        char zone[ZONE_SIZE];           /* empty: the host's */
        unsigned end_seconds;           /* since midnight of that zone */
        bool next_day;                  /* the end is on the day after the start */
};

/* Takes the next range from *rest. 1: *ret is filled; 0: there is none; -EINVAL. */
int class_hours_next(const char **rest, struct class_hours *ret);

/* Whether the text is ranges and at least one. */
bool class_hours_valid(const char *text);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When classes are: from and until, in seconds since 1970. */

#include <time.h>

#include "util.h"

/* How long a class may last. */
#define CLASS_MAX_SECONDS 86400

struct class_time {
        time_t start, end; /* end: just after it */
        char *name;        /* as its timetable calls it; NULL: it is one of the settings */
};

/* The empty value is all zero. */
struct class_times {
        struct class_time *items;
        size_t n_items;
};

void class_times_done(struct class_times *times);

/* The name is copied. -ENOMEM. */
int class_times_add(struct class_times *times, time_t start, time_t end, const char *name);

void class_times_sort(struct class_times *times);

/* What the times mean for one moment. */
struct class_moment {
        bool wanted;       /* the seats should be held: a class begins within the lead, or has begun */
        time_t start, end; /* of the class that is the reason, or of the next one; 0: there is none */
        const struct class_time *class; /* that class, borrowed; NULL: there is none */
        time_t next_change;             /* when that changes; 0: never */
};

/*
 * Of sorted times. The lead is how long before a class its seats are wanted. Classes that overlap, or whose
 * lead does, are one.
 */
struct class_moment class_times_at(const struct class_times *times, time_t now, time_t lead);

/*
 * The first of two classes of the settings that overlap. NULL: none do. Those of a timetable may, because
 * a course can have groups.
 */
const struct class_time *class_times_find_overlap(const struct class_times *times);

#define _cleanup_class_times_ _cleanup_(class_times_done)

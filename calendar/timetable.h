/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The classes of a timetable in iCalendar (RFC 5545), as timetable programs export it. */

#include <time.h>

#include "mistake.h"

/* A longer event, such as a term, is no class. */
#define CLASS_SECONDS_MAX 86400

/* More than a class has in decades. */
#define CLASSES_MAX 20000

/* The text is borrowed, as the timetable has it: "" if the event has no name. */
typedef void (*timetable_class_t)(void *userdata, time_t start, time_t end, const char *summary);

/*
 * Calls back for each class that is not over at the time from and begins before the time until, in no order.
 * Times without a zone are the host's. These events are no classes: those of whole days, without a length, of
 * more than a day, that are cancelled, and that leave the time free (TRANSP:TRANSPARENT).
 *
 * -EINVAL: there is a mistake, and the classes so far are not all. -ENOMEM.
 *
 * It may take long: a rule of one line can stand for any number of events.
 */
int timetable_read(const char *text, time_t from, time_t until, timetable_class_t found, void *userdata,
        struct mistake *ret_mistake);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Time zones of a timetable: those that it defines, those of the tz database, and Microsoft's names. */

#include <libical/ical.h>

#include "util.h"

/*
 * Makes sure that libical knows the zone of a property, and replaces one of Microsoft's names by that of the
 * tz database. Without that, a time in a zone that libical does not know would be the host's. -ENOENT: there
 * is no such zone; -EINVAL: the calendar defines it and does not say how its clocks go. *ret_name is then its
 * name, borrowed from the property.
 */
int zone_settle(icalcomponent *calendar, icalproperty *property, const char **ret_name);

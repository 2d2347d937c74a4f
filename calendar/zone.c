/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A zone that the timetable defines has precedence over one of the same name in the tz database (RFC 5545).
 */

#include <unicode/ucal.h>
#include <unicode/ustring.h>

#include "zone.h"

#define ZONE_NAME_SIZE 128

static bool is_complete(icalcomponent *clock) {
        return icalcomponent_get_first_property(clock, ICAL_DTSTART_PROPERTY) &&
               icalcomponent_get_first_property(clock, ICAL_TZOFFSETFROM_PROPERTY) &&
               icalcomponent_get_first_property(clock, ICAL_TZOFFSETTO_PROPERTY);
}

/* Standard time or summer time. libical ignores those that are not complete. */
static bool has_clock(icalcomponent *zone) {
        icalcompiter part = icalcomponent_begin_component(zone, ICAL_ANY_COMPONENT);

        for (; icalcompiter_deref(&part); (void)icalcompiter_next(&part))
                if (is_complete(icalcompiter_deref(&part)))
                        return true;
        return false;
}

static bool is_known(const char *name) {
        return icaltimezone_get_builtin_timezone_from_tzid(name) || icaltimezone_get_builtin_timezone(name);
}

/* "W. Europe Standard Time" is "Europe/Berlin". */
static bool translate(const char *microsoft, char *ret, int32_t size) {
        UChar from[ZONE_NAME_SIZE], to[ZONE_NAME_SIZE];
        UErrorCode error = U_ZERO_ERROR;
        int32_t length;

        (void)u_strFromUTF8(from, ZONE_NAME_SIZE, NULL, microsoft, -1, &error);
        length = ucal_getTimeZoneIDForWindowsID(from, -1, NULL, to, ZONE_NAME_SIZE, &error);
        if (U_FAILURE(error) || length <= 0)
                return false;
        (void)u_strToUTF8(ret, size, NULL, to, length, &error);
        return error == U_ZERO_ERROR;
}

int zone_settle(icalcomponent *calendar, icalproperty *property, const char **ret_name) {
        icalparameter *parameter = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER);
        const char *name = parameter ? icalparameter_get_tzid(parameter) : NULL;
        char translated[ZONE_NAME_SIZE];
        icaltimezone *own;

        if (!name)
                return 0;
        *ret_name = name;
        own = icalcomponent_get_timezone(calendar, name);
        if (own)
                return has_clock(icaltimezone_get_component(own)) ? 0 : -EINVAL;
        if (is_known(name))
                return 0;
        if (!translate(name, translated, sizeof(translated)) || !is_known(translated))
                return -ENOENT;
        icalparameter_set_tzid(parameter, translated);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "moment.h"
#include "number.h"

#define SECONDS_PER_MINUTE 60

/* The largest offset from UTC is Kiribati's. */
#define OFFSET_MAX (14L * 3600)

static const struct form {
        const char *format; /* of strptime() */
        unsigned seconds;   /* how long what it names lasts; 0: a day */
        bool time_only;
} forms[] = {
        /* The longest first, because the rest behind a shorter one would be parsed as a zone. */
        {"%Y-%m-%dT%H:%M:%S", 1, false},
        {"%Y-%m-%d %H:%M:%S", 1, false},
        {"%Y-%m-%dT%H:%M", SECONDS_PER_MINUTE, false},
        {"%Y-%m-%d %H:%M", SECONDS_PER_MINUTE, false},
        {"%Y-%m-%d", 0, false},
        {"%H:%M:%S", 1, true},
        {"%H:%M", SECONDS_PER_MINUTE, true},
};

/* What follows the time. */
struct zone {
        bool local;
        long offset; /* seconds east of Greenwich, if not local */
};

static bool parse_zone(const char *text, struct zone *ret) {
        struct tm tm = {0};
        const char *end;

        *ret = (struct zone){.local = text[0] == '\0'};
        if (ret->local || string_equal(text, "Z") || string_equal(text, " UTC"))
                return true;
        if (text[0] != '+' && text[0] != '-')
                return false;
        end = strptime(text, "%z", &tm);
        ret->offset = tm.tm_gmtoff;
        return end && *end == '\0' && labs(ret->offset) <= OFFSET_MAX;
}

/* -1: there is no such time. */
static time_t to_seconds(const struct tm *tm, const struct zone *zone, bool day) {
        struct tm normal = *tm;
        time_t seconds;

        normal.tm_isdst = -1;
        seconds = zone->local ? mktime(&normal) : timegm(&normal);
        /* Where summer time begins at midnight, the day begins at one o'clock. */
        if (seconds < 0 || normal.tm_mday != tm->tm_mday ||
                (!day && (normal.tm_hour != tm->tm_hour || normal.tm_min != tm->tm_min)))
                return -1;
        return zone->local ? seconds : seconds - zone->offset;
}

static int fill_span(const struct tm *tm, const struct zone *zone, unsigned length, struct span *ret) {
        time_t from = to_seconds(tm, zone, length == 0), to = from + (time_t)length;
        struct tm next = *tm;

        if (from < 0)
                return -EINVAL;
        if (length == 0) {
                /* Not all days have 24 hours. */
                next.tm_mday++;
                next.tm_isdst = -1;
                to = zone->local ? mktime(&next) : timegm(&next) - zone->offset;
        }
        *ret = (struct span){
                .from_usec = (uint64_t)from * USEC_PER_SEC, .to_usec = (uint64_t)to * USEC_PER_SEC};
        return 0;
}

/* The current day in the zone. */
static void fill_today(const struct zone *zone, time_t now, struct tm *ret) {
        time_t there = zone->local ? now : now + zone->offset;

        if (!(zone->local ? localtime_r(&there, ret) : gmtime_r(&there, ret)))
                *ret = (struct tm){0};
        ret->tm_sec = 0;
}

static int parse_form(const char *text, const struct form *form, time_t now, struct span *ret) {
        struct zone zone;
        struct tm tm = {0};
        const char *rest;

        rest = strptime(text, form->format, &tm);
        if (!rest || !parse_zone(rest, &zone))
                return -EINVAL;
        if (form->time_only) {
                fill_today(&zone, now, &tm);
                (void)strptime(text, form->format, &tm);
        }
        return fill_span(&tm, &zone, form->seconds, ret);
}

static int parse_epoch(const char *text, struct span *ret) {
        unsigned long long seconds;

        if (!digits_only(text) || strlen(text) > 11)
                return -EINVAL;
        seconds = strtoull(text, NULL, 10);
        *ret = (struct span){.from_usec = seconds * USEC_PER_SEC, .to_usec = (seconds + 1) * USEC_PER_SEC};
        return 0;
}

int moment_parse(const char *text, time_t now, struct span *ret) {
        if (text[0] == '@')
                return parse_epoch(text + 1, ret);
        /* strptime() would skip white space. */
        if (text[0] < '0' || text[0] > '9')
                return -EINVAL;
        for (size_t i = 0; i < ELEMENTSOF(forms); i++)
                if (parse_form(text, &forms[i], now, ret) >= 0)
                        return 0;
        return -EINVAL;
}

static bool to_local(uint64_t usec, struct tm *ret) {
        time_t seconds = (time_t)(usec / USEC_PER_SEC);

        return localtime_r(&seconds, ret) != NULL;
}

void moment_format_minute(uint64_t usec, char *text, size_t size) {
        struct tm tm;

        if (!to_local(usec, &tm) || strftime(text, size, "%Y-%m-%d %H:%M", &tm) == 0)
                text[0] = '\0';
}

void moment_format(uint64_t usec, char *text, size_t size) {
        struct tm tm;

        if (!to_local(usec, &tm) || strftime(text, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                text[0] = '\0';
}

void moment_format_utc(uint64_t usec, char *text, size_t size) {
        time_t seconds = (time_t)(usec / USEC_PER_SEC);
        struct tm tm;

        if (!gmtime_r(&seconds, &tm) || strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                text[0] = '\0';
}

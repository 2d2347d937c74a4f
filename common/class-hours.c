/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A range is words: days, the hours, a zone. The hours are the only word that is always there. */

#include "class-hours.h"

#define SEPARATOR ';'
#define BLANKS " \t"
#define DAY_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,.*/~-"
#define ZONE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/+-"
#define DAY_SECONDS (24U * 3600U)

static bool take_number(const char **text, unsigned maximum, unsigned *ret) {
        const char *p = *text;

        if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
                return false;
        *ret = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
        *text += 2;
        return *ret <= maximum;
}

/* HH:MM or HH:MM:SS; 24:00 is the end of a day. */
static bool take_time(const char **text, unsigned *ret_seconds) {
        unsigned hour, minute, second = 0;

        if (!take_number(text, 24, &hour) || *(*text)++ != ':' || !take_number(text, 59, &minute))
                return false;
        if (**text == ':') {
                (*text)++;
                if (!take_number(text, 59, &second))
                        return false;
        }
        *ret_seconds = hour * 3600 + minute * 60 + second;
        return *ret_seconds <= DAY_SECONDS;
}

static bool parse_hours(const char *word, unsigned *ret_start, unsigned *ret_end) {
        return take_time(&word, ret_start) && *word++ == '-' && take_time(&word, ret_end) && *word == '\0' &&
               *ret_start != *ret_end && *ret_start < DAY_SECONDS;
}

static bool append(char *text, size_t size, const char *word) {
        size_t length = strlen(text);
        int n = snprintf(text + length, size - length, "%s%s", length > 0 ? " " : "", word);

        return n >= 0 && (size_t)n < size - length;
}

/* The text has no separator. */
static bool parse_range(char *text, struct class_hours *ret) {
        struct class_hours hours = {0};
        bool has_hours = false;
        char *rest = NULL;

        for (char *word = strtok_r(text, BLANKS, &rest); word; word = strtok_r(NULL, BLANKS, &rest)) {
                unsigned start, end;
                char clock[16];

                if (!has_hours && parse_hours(word, &start, &end)) {
                        (void)snprintf(clock, sizeof(clock), "%02u:%02u:%02u", start / 3600, start / 60 % 60,
                                start % 60);
                        has_hours = append(hours.start, sizeof(hours.start), clock);
                        hours.end_seconds = end % DAY_SECONDS;
                        hours.next_day = end <= start || end == DAY_SECONDS;
                } else if (strspn(word, has_hours ? ZONE_CHARACTERS : DAY_CHARACTERS) != strlen(word) ||
                           (has_hours && (hours.zone[0] ||
                                                 string_copy(hours.zone, sizeof(hours.zone), word) < 0)) ||
                           !append(hours.start, sizeof(hours.start), word))
                        return false;
        }
        if (!has_hours || hours.zone[0] == '/' || strstr(hours.zone, ".."))
                return false;
        *ret = hours;
        return true;
}

int class_hours_next(const char **rest, struct class_hours *ret) {
        char text[SCHEDULE_TEXT_SIZE];
        size_t length;

        *rest += strspn(*rest, BLANKS);
        if (**rest == '\0')
                return 0;
        length = strcspn(*rest, (const char[]){SEPARATOR, '\0'});
        if (length >= sizeof(text))
                return -EINVAL;
        memcpy(text, *rest, length);
        text[length] = '\0';
        *rest += length;
        *rest += **rest == SEPARATOR;
        return parse_range(text, ret) ? 1 : -EINVAL;
}

bool class_hours_valid(const char *text) {
        struct class_hours ignored;
        unsigned n = 0;
        int r;

        while ((r = class_hours_next(&text, &ignored)) > 0)
                n++;
        return r == 0 && n > 0;
}

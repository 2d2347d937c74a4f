/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Unfolds the lines of a timetable, follows what begins and ends, and copies what matters. */

#include <libical/ical.h>
#include <strings.h>

#include "reduced-text.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define DEPTH_MAX 8U
#define NAME_SIZE 32U

struct lines {
        const char *next;
        unsigned number, begin; /* of the last line of the file; of the first one of the line that it folds */
        char *line;             /* without its folds and its end */
        size_t length;
        char open[DEPTH_MAX][NAME_SIZE]; /* what has begun and not ended: VCALENDAR, VEVENT */
        size_t depth;
        bool any; /* something has begun */
        FILE *output;
        struct mistake *mistake;
};

/* --- lines ----------------------------------------------------------------------------------- */

/* Appends the next line of the file. */
static void take_part(struct lines *lines) {
        size_t length = strcspn(lines->next, "\n"), kept = length;

        if (kept > 0 && lines->next[kept - 1] == '\r')
                kept--;
        memcpy(lines->line + lines->length, lines->next, kept);
        lines->length += kept;
        lines->line[lines->length] = '\0';
        lines->next += length;
        lines->next += *lines->next == '\n';
        lines->number++;
}

static bool take_line(struct lines *lines) {
        if (*lines->next == '\0')
                return false;
        lines->length = 0;
        lines->begin = lines->number + 1;
        take_part(lines);
        /* A line that begins with a blank continues the one before. */
        while (*lines->next == ' ' || *lines->next == '\t') {
                lines->next++;
                take_part(lines);
        }
        return true;
}

static bool has_name(const char *line, const char *name) {
        size_t length = strlen(name);

        return strncasecmp(line, name, length) == 0 && (line[length] == ':' || line[length] == ';');
}

static bool has_one_of(const char *line, const char *const names[], size_t n) {
        for (size_t i = 0; i < n; i++)
                if (has_name(line, names[i]))
                        return true;
        return false;
}

/* --- what begins and ends -------------------------------------------------------------------- */

/* Of the calendar, not inside another part. */
static bool is_in(const struct lines *lines, const char *part) {
        return lines->depth > 1 && strcasecmp(lines->open[1], part) == 0;
}

static bool is_kept_part(const struct lines *lines) {
        return lines->depth == 1 || is_in(lines, "VTIMEZONE") ||
               (is_in(lines, "VEVENT") && lines->depth == 2);
}

static void copy_line(const struct lines *lines) {
        (void)fprintf(lines->output, "%s\r\n", lines->line);
}

static int begin_part(struct lines *lines, const char *name) {
        if (lines->depth == DEPTH_MAX)
                return mistake_set(lines->mistake, lines->begin, "parts are nested too deeply");
        if (lines->depth > 0 && strcasecmp(name, "VCALENDAR") == 0)
                return mistake_set(lines->mistake, lines->begin, "the calendar before it has not ended");
        if (lines->depth > 1 && strcasecmp(name, "VEVENT") == 0)
                return mistake_set(lines->mistake, lines->begin, "the %s before it has not ended",
                        lines->open[lines->depth - 1]);
        (void)snprintf(lines->open[lines->depth++], NAME_SIZE, "%s", name);
        lines->any = true;
        if (is_kept_part(lines))
                copy_line(lines);
        if (is_in(lines, "VEVENT") && lines->depth == 2)
                (void)fprintf(lines->output, LINE_PROPERTY ":%u\r\n", lines->begin);
        return 0;
}

static int end_part(struct lines *lines, const char *name) {
        if (strncasecmp(lines->open[lines->depth - 1], name, NAME_SIZE - 1) != 0)
                return mistake_set(
                        lines->mistake, lines->begin, "END:%.40s ends something that has not begun", name);
        if (is_kept_part(lines))
                copy_line(lines);
        lines->depth--;
        return 0;
}

/* --- properties ------------------------------------------------------------------------------ */

static int check_property(struct lines *lines) {
        icalproperty *property = icalproperty_new_from_string(lines->line);
        bool fine = property && icalproperty_isa(property) != ICAL_XLICERROR_PROPERTY &&
                    icalproperty_get_value(property);

        if (property)
                icalproperty_free(property);
        return fine ? 0 : mistake_set(lines->mistake, lines->begin, "'%.100s' cannot be read", lines->line);
}

static int take_property(struct lines *lines) {
        static const char *const times[] = {
                "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXRULE", "EXDATE", "RECURRENCE-ID"};
        static const char *const others[] = {"UID", "SUMMARY", "STATUS", "TRANSP"};
        int r = 0;

        if (is_in(lines, "VTIMEZONE"))
                copy_line(lines);
        else if (is_in(lines, "VEVENT") && lines->depth == 2) {
                if (has_one_of(lines->line, times, ELEMENTSOF(times)))
                        r = check_property(lines);
                else if (!has_one_of(lines->line, others, ELEMENTSOF(others)))
                        return 0;
                copy_line(lines);
        }
        return r;
}

/* --- the text -------------------------------------------------------------------------------- */

static int take(struct lines *lines) {
        const char *line = lines->line;

        if (line[0] == '\0')
                return 0;
        if (lines->depth == 0 && strcasecmp(line, "BEGIN:VCALENDAR") != 0)
                return mistake_set(lines->mistake, lines->begin,
                        lines->any ? "something follows END:VCALENDAR"
                                   : "this is no iCalendar file: it must begin with BEGIN:VCALENDAR");
        /* With a blank it would continue the line before. */
        if (!strchr(line, ':') || line[0] == ' ' || line[0] == '\t')
                return mistake_set(lines->mistake, lines->begin, "expected NAME:VALUE");
        if (has_name(line, "BEGIN"))
                return begin_part(lines, line + strlen("BEGIN:"));
        if (has_name(line, "END"))
                return end_part(lines, line + strlen("END:"));
        return take_property(lines);
}

static int take_all(struct lines *lines) {
        int r = 0;

        while (r >= 0 && take_line(lines))
                r = take(lines);
        if (r >= 0 && !lines->any)
                return mistake_set(lines->mistake, 0, "the file is empty");
        if (r >= 0 && lines->depth > 0)
                return mistake_set(lines->mistake, lines->number, "the file ends before END:%s",
                        lines->open[lines->depth - 1]);
        return r;
}

int reduced_text_make(const char *text, char **ret, struct mistake *ret_mistake) {
        struct lines lines = {.next = text, .mistake = ret_mistake};
        _cleanup_free_ char *line = malloc(strlen(text) + 1), *output = NULL;
        size_t size;
        int r;

        /* Otherwise libical aborts. */
        icalerror_set_errors_are_fatal(false);
        lines.line = line;
        lines.output = open_memstream(&output, &size);
        if (!line || !lines.output)
                return -ENOMEM;
        if (string_starts_with(text, BYTE_ORDER_MARK))
                lines.next += strlen(BYTE_ORDER_MARK);
        r = take_all(&lines);
        if (fclose(lines.output) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;
        *ret = output;
        output = NULL;
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reads coursenet.conf with inih: sections, names, and the line of each of them. Values are setting-set.c's.
 * Every mistake is reported, so that an administrator sees all of them at once. settings-load.c calls this.
 */

#include <ini.h>

#include "number.h"
#include "setting-set.h"
#include "settings-parse.h"

/* No value is longer than its line. */
#define LINE_SIZE (SETTING_VALUE_SIZE - 1U)

#define COURSE_SECTION "course "

struct parser {
        struct settings *settings;
        struct diagnostics *diagnostics;
        const char *path;
        const char *next;   /* the rest of the text */
        unsigned line;      /* the line that inih was given last */
        size_t n_allocated; /* courses that settings->courses has room for */
        size_t course;      /* index of the course that was looked up last */
        int error;          /* 0: no mistake so far */
};

/* The section that a setting stands in. */
struct section {
        const char *title;
        unsigned bit;                   /* SECTION_… */
        struct course_settings *course; /* NULL but in [course N] */
        unsigned *lines;
};

static void _printf_(2, 3) report(struct parser *parser, const char *format, ...) {
        char text[2048];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);

        diagnostics_error(parser->diagnostics, parser->path, parser->line, "%s", text);
        if (parser->error == 0)
                parser->error = -EINVAL;
}

static void report_out_of_memory(struct parser *parser) {
        report(parser, "out of memory");
        parser->error = -ENOMEM;
}

/* --- settings --- */

/* Lists the names that are allowed in the section. */
static void report_unknown(struct parser *parser, const struct section *section, const char *name) {
        const struct setting *setting;
        char names[1024] = "";
        size_t n = 0, n_listed = 0;

        for (size_t i = 0; (setting = setting_at(i)); i++)
                n += (setting->sections & section->bit) != 0;
        for (size_t i = 0; (setting = setting_at(i)); i++)
                if (setting->sections & section->bit)
                        alternative_append(names, sizeof(names), n_listed++, n, setting->name);
        report(parser, "unknown setting '%s' in [%s]: expected %s", name, section->title, names);
}

static void report_misplaced(
        struct parser *parser, const struct section *section, const struct setting *setting) {
        report(parser, "%s does not belong in [%s]: move it to %s", setting->name, section->title,
                setting->sections == SECTION_SITE    ? "[site]"
                : setting->sections == SECTION_HOSTS ? "[hosts]"
                                                     : "the [course N] that it is for");
}

static void set(struct parser *parser, const struct section *section, const char *name, const char *value) {
        const struct setting *setting = setting_find(name);
        char reason[SETTING_REASON_SIZE];
        unsigned *line;

        if (!setting) {
                report_unknown(parser, section, name);
                return;
        }
        if (!(setting->sections & section->bit)) {
                report_misplaced(parser, section, setting);
                return;
        }

        line = &section->lines[setting_index(setting)];
        if (*line > 0 && !setting->list.repeats)
                report(parser, "%s is set twice in [%s], first in line %u: keep one of the two", name,
                        section->title, *line);
        *line = parser->line;
        if (setting_set(setting, setting_base(setting, parser->settings, section->course), value, reason) < 0)
                report(parser, "%s", reason);
}

/* --- sections --- */

/* Appends a course. NULL if there is no memory, which is reported. */
static struct course_settings *add_course(struct parser *parser, const char *course) {
        struct settings *settings = parser->settings;
        size_t n = parser->n_allocated > 0 ? 2 * parser->n_allocated : 4;
        struct course_settings *courses;

        if (settings->n_courses == parser->n_allocated) {
                courses = reallocarray(settings->courses, n, sizeof(*courses));
                if (!courses) {
                        report_out_of_memory(parser);
                        return NULL;
                }
                settings->courses = courses;
                parser->n_allocated = n;
        }

        parser->course = settings->n_courses++;
        courses = &settings->courses[parser->course];
        *courses = (struct course_settings){.line = parser->line};
        (void)string_copy(courses->course, sizeof(courses->course), course);
        return courses;
}

/* The course of a section, appended if it is new. NULL if it is no course or there is no memory; reported. */
static struct course_settings *find_or_add_course(struct parser *parser, const char *course) {
        struct settings *settings = parser->settings;

        /* Usually it is the course of the previous setting. */
        if (parser->course < settings->n_courses &&
                string_equal(settings->courses[parser->course].course, course))
                return &settings->courses[parser->course];
        for (size_t i = 0; i < settings->n_courses; i++)
                if (string_equal(settings->courses[i].course, course)) {
                        parser->course = i;
                        return &settings->courses[i];
                }

        if (!digits_only(course) || strlen(course) >= COURSE_SIZE) {
                report(parser, "[course %s]: expected a course number, as in [course 123]", course);
                return NULL;
        }
        return add_course(parser, course);
}

/* inih calls this for each setting. It would take 0 for a syntax error, so mistakes return 1 as well. */
static int handle_setting(void *user, const char *title, const char *name, const char *value) {
        struct parser *parser = user;
        struct section section = {.title = title};

        if (string_equal(title, "site")) {
                section.bit = SECTION_SITE;
                section.lines = parser->settings->lines;
                set(parser, &section, name, value);
        } else if (string_equal(title, "hosts")) {
                section.bit = SECTION_HOSTS;
                section.lines = parser->settings->lines;
                set(parser, &section, name, value);
        } else if (string_starts_with(title, COURSE_SECTION)) {
                section.bit = SECTION_COURSE;
                section.course = find_or_add_course(parser, title + strlen(COURSE_SECTION));
                if (!section.course)
                        return 1;
                section.lines = section.course->lines;
                set(parser, &section, name, value);
        } else if (title[0] == '\0')
                report(parser, "'%s' is before any section: write [site] above it", name);
        else
                report(parser, "unknown section [%s]: expected [site], [hosts] or [course N]", title);
        return 1;
}

/* --- lines --- */

/* Skips a line. inih gets an empty one in its place, because it counts the lines as well. */
static char *skip_line(struct parser *parser, char *buffer) {
        parser->next += strcspn(parser->next, "\n");
        parser->next += *parser->next == '\n';
        return strcpy(buffer, "\n");
}

static bool is_cut_off(const char *line, size_t length) {
        const char *mark = memchr(line, ';', length);

        for (; mark; mark = memchr(mark + 1, ';', length - (size_t)(mark + 1 - line)))
                if (mark > line && (mark[-1] == ' ' || mark[-1] == '\t'))
                        return true;
        return false;
}

/* Gives inih one line at a time, as fgets() does. So the line of each setting is known. */
static char *read_line(char *buffer, int size, void *stream) {
        struct parser *parser = stream;
        size_t length, whole;

        if (*parser->next == '\0')
                return NULL;
        parser->line++;

        /* inih takes an indented line for more of the value above it. */
        while (*parser->next == ' ' || *parser->next == '\t')
                parser->next++;
        length = strcspn(parser->next, "\n");
        whole = length + (parser->next[length] == '\n');
        if (length > LINE_SIZE || whole >= (size_t)size) {
                report(parser, "the line is longer than %u characters: make it shorter", LINE_SIZE);
                return skip_line(parser, buffer);
        }
        /* Most of the file that is installed are comments: inih need not look at them. */
        if (*parser->next == '#' || *parser->next == ';')
                return skip_line(parser, buffer);

        /* inih takes it for a comment, and the times behind it would be lost. */
        if ((string_starts_with(parser->next, "schedule") || string_starts_with(parser->next, "exam")) &&
                is_cut_off(parser->next, length))
                report(parser, "a blank before ';' begins a comment: write ';' without it");

        memcpy(buffer, parser->next, whole);
        buffer[whole] = '\0';
        parser->next += whole;
        return buffer;
}

int settings_parse(
        const char *text, const char *path, struct settings *settings, struct diagnostics *diagnostics) {
        struct parser parser = {.settings = settings, .diagnostics = diagnostics, .path = path, .next = text};
        int line;

        line = ini_parse_stream(read_line, &parser, handle_setting, &parser);
        if (line > 0) {
                parser.line = (unsigned)line;
                report(&parser, "expected 'NAME = VALUE' or a [section]");
        } else if (line < 0)
                report_out_of_memory(&parser);
        return parser.error;
}

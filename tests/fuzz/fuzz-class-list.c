/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Class lists, as `coursenetctl roster import` reads them. The input is the file, in any encoding. */

#include "fuzz.h"
#include "roster.h"
#include "roster/class-parse.h"
#include "roster/class-text.h"

#define COURSE "123"

/* What was decoded is text with "\n" at the ends of lines, and decoding it again changes nothing. */
static void check_text(const char *text) {
        _cleanup_free_ char *again = NULL;
        const char *reason;

        CHECK(!strchr(text, '\r'));
        CHECK(text[strspn(text, " \t\r\n")] != '<');
        /* The first three are read as the mark of an encoding or of another format. */
        if (string_starts_with(text, "\xef\xbb\xbf") || string_starts_with(text, "PK") ||
                string_starts_with(text, "%PDF-"))
                return;
        CHECK(class_text_decode(text, strlen(text), &again, &reason) == 0);
        CHECK(string_equal(again, text));
}

/* All students of a list get seats, and the roster that is written names them all. */
static void check_roster(const struct settings *settings, const struct class_list *list) {
        _cleanup_roster_ struct roster roster = {0}, again = {0};
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_free_ char *text = NULL;
        unsigned seat;

        CHECK(roster_parse("", "roster", settings, COURSE, &roster, &diagnostics) == 0);
        for (size_t i = 0; i < list->n_entries; i++)
                if (roster_add(&roster, list->entries[i].student, &seat) != 1)
                        return; /* the course is full */
        text = roster_format(&roster);
        CHECK(text);
        CHECK(roster_parse(text, "roster", settings, COURSE, &again, &diagnostics) == 0);
        CHECK(diagnostics.n_errors == 0);
        for (size_t i = 0; i < list->n_entries; i++)
                CHECK(roster_find(&again, list->entries[i].student));
}

static void check_list(const struct settings *settings, const struct class_list *list, size_t n_lines) {
        char user[USER_NAME_SIZE];

        for (size_t i = 0; i < list->n_entries; i++) {
                const struct class_entry *entry = &list->entries[i];

                CHECK(student_name_valid(entry->student));
                CHECK(name_rule_format(&settings->rule, COURSE, entry->student, user) == 0);
                CHECK(entry->word && entry->line >= 1 && entry->line <= n_lines);
                CHECK(class_list_find(list, entry->student) == entry);
        }
        check_roster(settings, list);
}

static size_t count_lines(const char *text) {
        size_t n = 1;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

static void check_site(const char *text, const char *rule, const struct class_list_options *options) {
        struct settings settings = {.course_digits = 3,
                .first_seat = 10,
                .network = {.ip = 0x0a000000, .prefix = 8},
                .prefix = 24};
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_class_list_ struct class_list list = {0};
        const char *reason;

        CHECK(name_rule_parse(rule, &settings.rule, &reason) == 0);
        CHECK(class_parse(text, "list", &settings, COURSE, options, &list, &diagnostics) == 0);
        check_list(&settings, &list, count_lines(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const struct class_list_options plain = {0}, chosen = {.column = "Login", .skip = true};
        _cleanup_free_ char *text = NULL, *bytes = malloc(size ? size : 1);
        const char *reason = NULL;

        CHECK(bytes);
        if (size > 0)
                memcpy(bytes, data, size);
        if (class_text_decode(bytes, size, &text, &reason) < 0) {
                CHECK(reason);
                return 0;
        }
        check_text(text);
        check_site(text, NAME_RULE_DEFAULT, &plain);
        check_site(text, NAME_RULE_DEFAULT, &chosen);
        check_site(text, "{student}-cs{course}@ad.example.edu", &plain);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks a word up in the rosters. */

#include "target.h"
#include "complain.h"

void target_done(struct target *target) {
        free(target->seats);
        *target = (struct target){0};
}

static int append(struct target *target, const struct site_course *course, size_t i) {
        struct target_seat *seats = reallocarray(target->seats, target->n_seats + 1, sizeof(*seats));

        if (!seats)
                return -ENOMEM;
        target->seats = seats;
        seats[target->n_seats++] = (struct target_seat){
                .course = course,
                .plan = &course->seats[i],
                .student = course->students[i],
        };
        return 0;
}

static bool matches(const struct site *site, const struct site_course *course, size_t i, const char *word) {
        char user[USER_NAME_SIZE];

        if (string_equal(word, course->bridge.course) || string_equal(word, course->seats[i].name))
                return true;
        return name_rule_format(&site->settings.rule, course->bridge.course, course->students[i], user) >=
                       0 &&
               string_equal(word, user);
}

int target_find(const struct site *site, const char *word, struct target *ret) {
        _cleanup_target_ struct target target = {0};

        for (size_t i = 0; i < site->n_courses; i++)
                for (size_t j = 0; j < site->courses[i].n_seats; j++)
                        if (matches(site, &site->courses[i], j, word) &&
                                append(&target, &site->courses[i], j) < 0)
                                return -ENOMEM;

        *ret = target;
        target = (struct target){0};
        return 0;
}

/* --- why a word names nothing -------------------------------------------------------------------------- */

/* What the word could name: a course, whose number is 0 and whose student is empty, or a seat of one. */
struct meaning {
        struct seat_id id;
        char student[USER_NAME_SIZE];
};

static bool parse_word(const struct settings *settings, const char *word, struct meaning *ret) {
        struct meaning meaning = {0};
        char reason[256];

        if (settings_check_course(settings, word, reason, sizeof(reason)) >= 0)
                (void)string_copy(meaning.id.course, sizeof(meaning.id.course), word);
        else if (seat_id_parse(word, settings->course_digits, &meaning.id) < 0 &&
                 !name_rule_match(&settings->rule, word, meaning.id.course, meaning.student))
                return false;
        *ret = meaning;
        return true;
}

static bool means_course(const struct meaning *meaning) {
        return meaning->id.number == 0 && !meaning->student[0];
}

static bool means_line(const struct meaning *meaning, const struct roster_line *line) {
        if (line->removed || !line->student[0])
                return false;
        return means_course(meaning) || line->seat == meaning->id.number ||
               string_equal(line->student, meaning->student);
}

static void find_mistakes_of_seats(const char *etc, const struct settings *settings,
        const struct meaning *meaning, const struct roster *roster, struct diagnostics *diagnostics) {
        struct seat_id id = meaning->id;
        struct seat_plan ignored;

        for (size_t i = 0; i < roster->n_lines; i++) {
                id.number = roster->lines[i].seat;
                if (means_line(meaning, &roster->lines[i]))
                        (void)seat_plan_load(etc, settings, &id, &ignored, diagnostics);
        }
}

/* The mistakes in the lines of other seats are not why there is no such seat. */
static int load_roster(const char *etc, const struct settings *settings, const struct meaning *meaning,
        struct roster *ret, struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics of_roster = {0};
        int r = roster_load(etc, settings, meaning->id.course, ret, &of_roster);

        if (r < 0 || means_course(meaning)) {
                diagnostics_done(diagnostics);
                *diagnostics = of_roster;
                of_roster = (struct diagnostics){0};
        }
        return r;
}

static void find_mistakes(const char *etc, const struct settings *settings, const struct meaning *meaning,
        struct diagnostics *diagnostics) {
        _cleanup_roster_ struct roster roster = {0};
        struct bridge_plan ignored;
        int r;

        r = load_roster(etc, settings, meaning, &roster, diagnostics);
        if (r != -ENOENT && bridge_plan_load(etc, settings, meaning->id.course, &ignored, diagnostics) >= 0)
                find_mistakes_of_seats(etc, settings, meaning, &roster, diagnostics);
}

bool target_explain(
        const char *etc, const struct settings *settings, const struct scope *scope, const char *word) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct meaning meaning;

        if (!parse_word(settings, word, &meaning) || !scope_has_course(scope, meaning.id.course))
                return false;
        find_mistakes(etc, settings, &meaning, &diagnostics);
        if (diagnostics.n_errors == 0)
                return false;
        if (scope_is_everything(scope))
                diagnostics_print(stderr, &diagnostics);
        else
                complain("The configuration has mistakes. Root can run: coursenetctl check");
        return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks a word up in the rosters. */

#include "target.h"

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

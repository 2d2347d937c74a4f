/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <grp.h>
#include <pwd.h>

#include "exam-staff.h"

static void add_uid(struct exam *exam, const char *user) {
        const struct passwd *account = getpwnam(user);

        for (size_t i = 0; account && i < exam->n_staff; i++)
                if (exam->staff[i] == account->pw_uid)
                        return;
        if (account && exam->n_staff < EXAM_STAFF_MAX)
                exam->staff[exam->n_staff++] = account->pw_uid;
}

static void add_staff(const struct staff *staff, struct exam *exam) {
        for (size_t i = 0; i < staff->n_names; i++) {
                const struct group *group;

                if (staff->names[i][0] != STAFF_GROUP) {
                        add_uid(exam, staff->names[i]);
                        continue;
                }
                group = getgrnam(staff->names[i] + 1);
                for (size_t j = 0; group && group->gr_mem[j]; j++)
                        add_uid(exam, group->gr_mem[j]);
        }
}

void exam_staff_add(const struct settings *settings, const char *course, struct exam *exam) {
        add_staff(&settings->values.staff, exam);
        add_staff(&settings_for_course(settings, course)->staff, exam);
}

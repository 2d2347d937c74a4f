/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "exam-members.h"
#include "base/member-difference.h"

void exam_members_find(
        const struct hosts_list *list, const char *course, uint64_t changed_usec, struct exam_members *ret) {
        *ret = (struct exam_members){0};
        for (size_t i = 0; i < list->n_members && ret->n < HOSTS_MAX; i++) {
                const struct listed_member *member = &list->members[i];
                uint64_t applied_usec = member_exam_usec(member, course);

                if (!member->listed)
                        continue;
                ret->n++;
                if (applied_usec > 0 && applied_usec >= changed_usec)
                        ret->n_applied++;
                else
                        ret->missing[ret->n_missing++] = member;
        }
}

/* So many names fit into a line that can be read. */
#define NAMES_MAX 8U

void exam_members_format(const struct exam_members *members, char ret_text[static EXAM_MEMBERS_TEXT_SIZE]) {
        size_t n = (size_t)snprintf(
                ret_text, EXAM_MEMBERS_TEXT_SIZE, "%zu of %zu", members->n_applied, members->n);

        for (size_t i = 0; i < members->n_missing && i < NAMES_MAX; i++)
                n += (size_t)snprintf(ret_text + n, EXAM_MEMBERS_TEXT_SIZE - n, "%s%s%s",
                        i == 0 ? ", not on " : ", ", members->missing[i]->host,
                        members->missing[i]->up ? "" : " (down)");
        if (members->n_missing > NAMES_MAX)
                (void)snprintf(ret_text + n, EXAM_MEMBERS_TEXT_SIZE - n, " and %zu more",
                        members->n_missing - NAMES_MAX);
}

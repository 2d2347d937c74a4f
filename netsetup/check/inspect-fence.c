/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Checks that every student is fenced, and that a directory of subordinate ids can be asked. Accounts are
 * looked up in the user database, which may take long, so the caller has a time limit. After a look-up that
 * fails there are no others.
 */

#include <pwd.h>

#include "fence/subuid-directory.h"
#include "inspect.h"
#include "name-rule.h"

#define NAMES_SHOWN 5U

struct missing {
        char names[NAMES_SHOWN * (USER_NAME_SIZE + 2) + sizeof(", ...")];
        size_t n;
};

static void add_missing(struct missing *missing, const char *user) {
        size_t length = strlen(missing->names);

        missing->n++;
        if (missing->n <= NAMES_SHOWN + 1)
                (void)snprintf(missing->names + length, sizeof(missing->names) - length, "%s%s",
                        length > 0 ? ", " : "", missing->n <= NAMES_SHOWN ? user : "...");
}

static bool is_excepted(const struct fence_settings *fence, const char *user) {
        for (size_t i = 0; i < fence->n_users; i++)
                if (string_equal(fence->users[i], user))
                        return true;
        return false;
}

static int compare_uids(const void *a, const void *b) {
        uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

        return one < other ? -1 : one > other;
}

/* False: the user database does not answer. */
static bool look_up(const struct inspection *inspection, const char *user, const uint32_t *uids,
        size_t n_uids, struct missing *missing) {
        const struct passwd *found;
        uint32_t uid;

        if (is_excepted(&inspection->settings->fence, user))
                return true;
        errno = 0;
        found = getpwnam(user);
        if (!found)
                return errno == 0 || errno == ENOENT || errno == ESRCH;
        uid = found->pw_uid;
        if (uid >= SYSTEM_UID_END && !bsearch(&uid, uids, n_uids, sizeof(uid), compare_uids))
                add_missing(missing, user);
        return true;
}

void inspect_fenced(struct inspection *inspection, uint32_t *uids, size_t n_uids) {
        struct missing missing = {0};
        bool answers = true;

        (void)subuid_directory_check(inspection->diagnostics);
        qsort(uids, n_uids, sizeof(*uids), compare_uids);
        for (size_t i = 0; i < inspection->site->n_courses; i++) {
                const struct site_course *course = &inspection->site->courses[i];

                for (size_t j = 0; answers && j < course->n_seats; j++) {
                        char user[USER_NAME_SIZE];

                        if (name_rule_format(&inspection->settings->rule, course->bridge.course,
                                    course->students[j], user) >= 0)
                                answers = look_up(inspection, user, uids, n_uids, &missing);
                }
        }
        if (missing.n > 0) {
                diagnostics_error(inspection->diagnostics, "fence", 0,
                        "students' processes outside of their seats are not fenced in (%zu): %s", missing.n,
                        missing.names);
                diagnostics_advise(inspection->diagnostics, "systemctl restart coursenet-network.service");
        }
}

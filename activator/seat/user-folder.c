/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <pwd.h>
#include <sys/stat.h>

#include "user-folder.h"
#include "util.h"

static bool is_course_user(const struct passwd *account, const struct name_rule *rule) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];

        return account->pw_uid >= SYSTEM_UID_END && name_rule_match(rule, account->pw_name, course, student);
}

static int make(const char *directory, const char *head, uid_t uid, const char *ending) {
        char path[512];
        int n = snprintf(path, sizeof(path), "%s/%s%u%s.d", directory, head, (unsigned)uid, ending);

        if (n < 0 || (size_t)n >= sizeof(path))
                return -ENAMETOOLONG;
        /* 0700, as wiring_write() makes it. */
        return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int user_folder_make_all(const char *directory, const char *passwd, const struct name_rule *rule) {
        FILE *file = fopen(passwd, "re");
        const struct passwd *account;
        int result = 0;

        if (!file)
                return -errno;
        while ((account = fgetpwent(file))) {
                int r, s;

                if (!is_course_user(account, rule))
                        continue;
                r = make(directory, "user@", account->pw_uid, ".service");
                s = make(directory, "user-", account->pw_uid, ".slice");
                if (result == 0)
                        result = r < 0 ? r : s;
        }
        (void)fclose(file);
        return result;
}

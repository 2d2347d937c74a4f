/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A name with a typo gives nobody the rights of staff, which nobody would notice, and a group with one gives
 * nobody a seat.
 */

#include <grp.h>
#include <pwd.h>

#include "checks.h"

enum lookup {
        LOOKUP_FOUND,
        LOOKUP_MISSING,
        LOOKUP_FAILED
};

static enum lookup look_up(const char *name) {
        bool found;

        errno = 0;
        found = name[0] == STAFF_GROUP ? getgrnam(name + 1) != NULL : getpwnam(name) != NULL;
        if (found)
                return LOOKUP_FOUND;
        return errno == 0 || errno == ENOENT || errno == ESRCH ? LOOKUP_MISSING : LOOKUP_FAILED;
}

/* False if the user database does not answer, because one that is down must not be asked for every name. */
static bool check_names(
        const char *path, const char *section, const struct staff *staff, struct diagnostics *diagnostics) {
        for (size_t i = 0; i < staff->n_names; i++) {
                const char *name = staff->names[i];
                enum lookup lookup = look_up(name);

                if (lookup == LOOKUP_FAILED)
                        return false;
                if (lookup == LOOKUP_MISSING)
                        diagnostics_warning(diagnostics, path, 0,
                                "staff in [%s] names '%s', but this host has no such %s", section, name,
                                name[0] == STAFF_GROUP ? "group" : "user");
        }
        return true;
}

/* False as above. */
static bool check_groups(
        const char *path, const struct course_settings *course, struct diagnostics *diagnostics) {
        for (size_t i = 0; i < course->n_roster_groups; i++) {
                char name[USER_NAME_SIZE + 1];
                enum lookup lookup;

                (void)snprintf(name, sizeof(name), "%c%s", STAFF_GROUP, course->roster_groups[i]);
                lookup = look_up(name);
                if (lookup == LOOKUP_FAILED)
                        return false;
                if (lookup == LOOKUP_MISSING)
                        diagnostics_warning(diagnostics, path, 0,
                                "roster-group of [course %s] names '%s', but this host has no such group",
                                course->course, course->roster_groups[i]);
        }
        return true;
}

void staff_check(const char *etc, const struct settings *settings, struct diagnostics *diagnostics) {
        char section[sizeof("course ") + COURSE_SIZE];
        _cleanup_free_ char *path = NULL;
        bool answers;

        if (asprintf(&path, "%s/" SETTINGS_FILE, etc) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return;
        }
        answers = check_names(path, "site", &settings->values.staff, diagnostics);
        for (size_t i = 0; answers && i < settings->n_courses; i++) {
                (void)snprintf(section, sizeof(section), "course %s", settings->courses[i].course);
                answers = check_names(path, section, &settings->courses[i].values.staff, diagnostics) &&
                          check_groups(path, &settings->courses[i], diagnostics);
        }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compares an account with the staff that the settings name. */

#include <grp.h>
#include <pwd.h>

#include "scope.h"

void scope_done(struct scope *scope) {
        free(scope->courses);
        *scope = (struct scope){0};
}

static bool in_group(const char *name, const gid_t *groups, size_t n_groups) {
        const struct group *group = getgrnam(name);

        for (size_t i = 0; group && i < n_groups; i++)
                if (groups[i] == group->gr_gid)
                        return true;
        return false;
}

static bool is_among(const struct staff *staff, const char *user, const gid_t *groups, size_t n_groups) {
        for (size_t i = 0; i < staff->n_names; i++) {
                const char *name = staff->names[i];

                if (name[0] == STAFF_GROUP ? in_group(name + 1, groups, n_groups) : string_equal(name, user))
                        return true;
        }
        return false;
}

/* A longer name cannot be in the settings. */
static void find_user(uid_t uid, struct scope *scope) {
        const struct passwd *account = getpwuid(uid);

        if (account)
                (void)string_copy(scope->user, sizeof(scope->user), account->pw_name);
}

int scope_find(
        const struct settings *settings, uid_t uid, const gid_t *groups, size_t n_groups, struct scope *ret) {
        _cleanup_scope_ struct scope scope = {.uid = uid};

        find_user(uid, &scope);
        scope.courses = calloc(settings->n_courses + 1, sizeof(*scope.courses));
        if (!scope.courses)
                return -ENOMEM;
        scope.every_course = uid == 0 || is_among(&settings->values.staff, scope.user, groups, n_groups);
        for (size_t i = 0; !scope.every_course && i < settings->n_courses; i++) {
                const struct course_settings *course = &settings->courses[i];

                if (is_among(&course->values.staff, scope.user, groups, n_groups))
                        (void)string_copy(scope.courses[scope.n_courses++], COURSE_SIZE, course->course);
        }

        *ret = scope;
        scope = (struct scope){0};
        return 0;
}

void scope_find_own(const char *etc, struct scope *ret) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_free_ gid_t *groups = NULL;
        int n = getgroups(0, NULL);

        *ret = (struct scope){0};
        groups = calloc(n > 0 ? (size_t)n + 1 : 1, sizeof(*groups));
        if (!groups || settings_load(etc, &settings, &ignored) < 0)
                return;
        n = n > 0 ? getgroups(n, groups) : 0;
        if (n < 0)
                n = 0;
        groups[n] = getegid();
        (void)scope_find(&settings, geteuid(), groups, (size_t)n + 1, ret);
}

bool scope_is_staff(const struct scope *scope) {
        return !scope || scope->every_course || scope->n_courses > 0;
}

bool scope_is_everything(const struct scope *scope) {
        return !scope || scope->every_course;
}

bool scope_has_course(const struct scope *scope, const char *course) {
        if (scope_is_everything(scope))
                return true;
        for (size_t i = 0; i < scope->n_courses; i++)
                if (string_equal(scope->courses[i], course))
                        return true;
        return false;
}

bool scope_has_seat(const struct scope *scope, const char *course, const char *user) {
        return scope_has_course(scope, course) || (user[0] != '\0' && string_equal(user, scope->user));
}

void scope_restrict(const struct scope *scope, struct site *site) {
        size_t n = 0;

        for (size_t i = 0; i < site->n_courses; i++) {
                if (scope_has_course(scope, site->courses[i].bridge.course))
                        site->courses[n++] = site->courses[i];
                else
                        site_course_done(&site->courses[i]);
        }
        site->n_courses = n;
}

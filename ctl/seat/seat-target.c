/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Staff have a scope: for-peer.c runs the command for them. */

#include <fcntl.h>

#include "base/complain.h"
#include "base/report-client.h"
#include "base/scope.h"
#include "seat-target.h"

static int load_site(const struct paths *paths, struct site *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        if (site_load(paths->etc, ret, &diagnostics) >= 0)
                return EXIT_DONE;
        if (scope_is_everything(paths->scope))
                diagnostics_print(stderr, &diagnostics);
        else
                complain("The settings have mistakes. Root can run: coursenetctl check");
        return EXIT_NO;
}

int seat_target_find(const struct paths *paths, const char *word, struct site *site, struct target *target) {
        if (load_site(paths, site) != EXIT_DONE)
                return EXIT_NO;
        scope_restrict(paths->scope, site);
        if (target_find(site, word, target) < 0) {
                complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }
        if (target->n_seats == 0) {
                if (!target_explain(paths->etc, &site->settings, paths->scope, word))
                        complain("'%s' is neither a course, nor a seat, nor a user on a roster%s.", word,
                                scope_is_everything(paths->scope) ? ""
                                                                  : " of a course of which you are staff");
                return EXIT_NO;
        }
        return EXIT_DONE;
}

static bool scope_owns(const struct scope *scope, const struct settings *settings, const char *word) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];
        bool is_name = name_rule_match(&settings->rule, word, course, student), is_seat;
        struct seat_id seat;

        if (is_name && !scope_has_course(scope, course))
                return false;
        is_seat = seat_id_parse(word, settings->course_digits, &seat) >= 0;
        if (is_seat && !scope_has_course(scope, seat.course))
                return false;
        return is_name || is_seat || scope_has_course(scope, word);
}

bool seat_target_is_allowed(const struct paths *paths, const char *word) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_settings_ struct settings settings = {0};

        if (scope_is_everything(paths->scope))
                return true;
        if (settings_load(paths->etc, &settings, &ignored) >= 0 && scope_owns(paths->scope, &settings, word))
                return true;
        complain("'%s' is no course, seat or user of a course of which you are staff " STAFF_HINT ".", word);
        return false;
}

int seat_target_delegate(const struct paths *paths, const char *command, const struct arguments *arguments) {
        if (faccessat(AT_FDCWD, paths->activator_socket, W_OK, AT_EACCESS) >= 0 || errno != EACCES)
                return -1;
        return report_is_for_staff(paths) ? report_ask_change(paths, command, arguments, NULL)
                                          : complain_of_activator(paths->activator_socket, -EACCES);
}

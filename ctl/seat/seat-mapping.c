/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks a seat or a user up, and says why there is no such seat, or why the caller may not know. */

#include <pwd.h>

#include "base/complain.h"
#include "base/report-client.h"
#include "base/scope.h"
#include "roster.h"
#include "seat-mapping.h"

/* Prints why the user has no seat, and what to do about it. */
static void report_no_seat(
        const char *etc, const char *course, const char *student, const struct roster *roster) {
        for (size_t i = 0; i < roster->n_lines; i++)
                if (roster->lines[i].removed && string_equal(roster->lines[i].student, student)) {
                        complain("%s was removed from the roster of course %s. Give seat number %u back: "
                                 "coursenetctl roster add %s %s",
                                student, course, roster->lines[i].seat, course, student);
                        return;
                }
        complain("%s is not on the roster of course %s (%s/" ROSTER_DIRECTORY
                 "/%s). Add them: coursenetctl roster add %s %s",
                student, course, etc, course, course, student);
}

/* Negative errno if the course has no usable roster, after a message. */
static int load_roster(const char *etc, const struct settings *settings, const char *course,
        struct roster *ret, struct diagnostics *diagnostics) {
        char reason[256];
        int r;

        if (settings_check_course(settings, course, reason, sizeof(reason)) < 0) {
                complain("Course %s is not possible: %s", course, reason);
                return -EINVAL;
        }
        r = roster_load(etc, settings, course, ret, diagnostics);
        if (r == -ENOENT)
                complain("Course %s has no roster. Create one: coursenetctl roster import %s FILE", course,
                        course);
        return r;
}

/* Finds whose seat it is. -ENOENT, after a message, if no user on the roster has it. */
static int find_user_of_seat(const char *etc, const struct settings *settings, const struct seat_id *id,
        char ret_user[static USER_NAME_SIZE], struct diagnostics *diagnostics) {
        _cleanup_roster_ struct roster roster = {0};
        char name[SEAT_ID_SIZE];
        int r;

        r = load_roster(etc, settings, id->course, &roster, diagnostics);
        if (r < 0)
                return r;
        for (size_t i = 0; i < roster.n_lines; i++)
                if (roster.lines[i].student[0] && !roster.lines[i].removed &&
                        roster.lines[i].seat == id->number)
                        return name_rule_format(
                                &settings->rule, id->course, roster.lines[i].student, ret_user);

        seat_id_format(id, name);
        complain("Nobody on the roster of course %s has seat %s. To see who has which: coursenetctl roster "
                 "list %s",
                id->course, name, id->course);
        return -ENOENT;
}

static int find_number(const char *etc, const struct settings *settings, const char *course,
        const char *student, unsigned *ret_number, struct diagnostics *diagnostics) {
        _cleanup_roster_ struct roster roster = {0};
        const struct roster_line *line;
        int r;

        r = load_roster(etc, settings, course, &roster, diagnostics);
        if (r < 0)
                return r;

        line = roster_find(&roster, student);
        if (!line) {
                report_no_seat(etc, course, student, &roster);
                return -ENOENT;
        }
        *ret_number = line->seat;
        return 0;
}

/* The account of a course user that the user database finds by another name. NULL: it is not a course user's.
 */
static const char *find_course_account(const struct settings *settings, const char *user) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];
        const struct passwd *account = getpwnam(user);

        /* The first name of the uid, because programs show that. */
        if (account)
                account = getpwuid(account->pw_uid);
        if (!account || (!name_rule_match(&settings->rule, account->pw_name, course, student) &&
                                !name_rule_resembles(&settings->rule, account->pw_name)))
                return NULL;
        return account->pw_name;
}

static int refuse(void) {
        complain("Only root, the course's staff " STAFF_HINT
                 " and the user who has a seat may see whose it is.");
        return -EPERM;
}

static int map_user(const char *etc, const struct settings *settings, const struct scope *scope,
        const char *user, struct seat_mapping *ret, struct diagnostics *diagnostics) {
        char student[USER_NAME_SIZE];
        struct seat_mapping mapping = {0};
        struct seat_id id = {0};
        int r;

        if (name_rule_resembles(&settings->rule, user)) {
                complain("%s cannot be a course user's name: on this host they are written %s, and %s", user,
                        settings->rule_text, name_rule_reason(&settings->rule, user));
                return -EINVAL;
        }
        if (!name_rule_match(&settings->rule, user, mapping.course, student)) {
                const char *account = find_course_account(settings, user);

                if (account) {
                        complain("%s is another name of %s: use that one to log in", user, account);
                        return -EINVAL;
                }
                complain("%s is not a course user: course users are named %s (name-rule in %s/" SETTINGS_FILE
                         ")",
                        user, settings->rule_text, etc);
                return SEAT_MAPPING_NO_COURSE_USER;
        }
        if (!scope_has_seat(scope, mapping.course, user))
                return refuse();
        r = find_number(etc, settings, mapping.course, student, &id.number, diagnostics);
        if (r < 0)
                return r;

        (void)string_copy(id.course, sizeof(id.course), mapping.course);
        (void)string_copy(mapping.user, sizeof(mapping.user), user);
        r = bridge_plan_load(etc, settings, mapping.course, &mapping.bridge, diagnostics);
        if (r < 0)
                return r;
        r = seat_plan_load(etc, settings, &id, &mapping.seat, diagnostics);
        if (r < 0)
                return r;

        mapping.services = settings_for_course(settings, mapping.course)->services;
        for (size_t i = 0; i < mapping.services.n_units; i++)
                mapping.has_container |= string_equal(mapping.services.units[i], SERVICE_CONTAINER);
        *ret = mapping;
        return 0;
}

/* A user may learn whether a seat is their own, but not whether another seat exists, or whose it is. */
static int map_own_seat(const char *etc, const struct settings *settings, const struct scope *scope,
        const struct seat_id *id, struct seat_mapping *ret, struct diagnostics *diagnostics) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];
        int r;

        if (!name_rule_match(&settings->rule, scope->user, course, student) ||
                !string_equal(course, id->course))
                return refuse();
        r = map_user(etc, settings, scope, scope->user, ret, diagnostics);
        return r == 0 && ret->seat.id.number != id->number ? refuse() : r;
}

int seat_mapping_load(const char *etc, const struct scope *scope, const char *word, struct seat_mapping *ret,
        struct diagnostics *diagnostics) {
        _cleanup_settings_ struct settings settings = {0};
        char user[USER_NAME_SIZE];
        struct seat_id id;
        int r;

        r = settings_load(etc, &settings, diagnostics);
        if (r < 0)
                return r;
        if (seat_id_parse(word, settings.course_digits, &id) >= 0) {
                if (!scope_has_course(scope, id.course))
                        return map_own_seat(etc, &settings, scope, &id, ret, diagnostics);
                r = find_user_of_seat(etc, &settings, &id, user, diagnostics);
                if (r < 0)
                        return r;
                word = user;
        }
        return map_user(etc, &settings, scope, word, ret, diagnostics);
}

void seat_mapping_complain(const struct scope *scope, const struct diagnostics *diagnostics) {
        /* A message about a roster quotes the line, which may be about another student. */
        if (scope_is_everything(scope))
                diagnostics_print(stderr, diagnostics);
        else if (diagnostics->n_errors > 0)
                complain("The configuration has mistakes. Root can run: coursenetctl check");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl roster sync`: the roster of a course becomes the members of its groups. Logins read the
 * roster only, so a directory that hangs delays nobody but this command. What the directory does not say for
 * sure changes nothing.
 */

#include "base/complain.h"
#include "group-change.h"
#include "hosts.h"
#include "roster-change.h"
#include "roster-command.h"
#include "shared-number.h"

/* SSSD may have to ask the directory for each member of a large group. */
#define LOOKUP_TIMEOUT_MS 60000U

/* --- who is in the groups -------------------------------------------------------------------- */

static void report_lookup(const char *path, const char *group, int error, struct diagnostics *diagnostics) {
        if (error == -ENOENT)
                diagnostics_error(diagnostics, path, 0,
                        "there is no group '%s', or the user database cannot be reached; to ask it: getent "
                        "group '%s'",
                        group, group);
        else if (error == -ETIMEDOUT)
                diagnostics_error(diagnostics, path, 0,
                        "the user database has not answered in %u seconds who is in group '%s'",
                        LOOKUP_TIMEOUT_MS / 1000U, group);
        else
                diagnostics_error(
                        diagnostics, path, 0, "group '%s' cannot be looked up: %s", group, strerror(-error));
}

static int find_members(const struct course_settings *course, const char *path, struct group_members *members,
        struct diagnostics *diagnostics) {
        for (size_t i = 0; i < course->n_roster_groups; i++) {
                const char *group = course->roster_groups[i];
                int r = group_members_add(group, LOOKUP_TIMEOUT_MS, members);

                if (r < 0) {
                        report_lookup(path, group, r, diagnostics);
                        return r;
                }
        }
        return 0;
}

/* --- the numbers that several servers share -------------------------------------------------- */

static int ask_number(
        struct roster_change *change, int fd, const char *student, unsigned number, unsigned *ret) {
        const struct roster *roster = &change->edit.roster;
        char user[USER_NAME_SIZE], reason[REPLY_TEXT_SIZE];
        int r;

        r = name_rule_format(&roster->rule, roster->course, student, user);
        if (r < 0)
                return r;
        r = shared_number_ask(fd, roster->course, user, number, ret, reason);
        if (r < 0)
                diagnostics_error(&change->diagnostics, change->edit.path, 0,
                        "the seat number of %s cannot be shared with the other servers: %s", student, reason);
        return r;
}

/*
 * The other servers must have the numbers of this roster, before one of them gives them to others. A number
 * that was given out twice before the servers knew each other is for a person to correct.
 */
static int share_numbers(struct roster_change *change, int fd) {
        const struct roster *roster = &change->edit.roster;
        unsigned number;

        for (size_t i = 0; i < roster->n_lines; i++) {
                const struct roster_line *line = &roster->lines[i];
                int r;

                if (line->student[0] == '\0')
                        continue;
                r = ask_number(change, fd, line->student, line->seat, &number);
                if (r < 0)
                        return r;
                if (number != line->seat)
                        diagnostics_error(&change->diagnostics, change->edit.path, (unsigned)i + 1,
                                "%s has seat %u here, but seat %u on the other servers. If nobody uses seat "
                                "%u here, change the line",
                                line->student, line->seat, number, line->seat);
        }
        return change->diagnostics.n_errors > 0 ? -EEXIST : 0;
}

/* Whether the student is new to this roster, and not one who comes back. */
static bool is_new(const struct roster *roster, const char *student) {
        for (size_t i = 0; i < roster->n_lines; i++)
                if (string_equal(roster->lines[i].student, student))
                        return false;
        return true;
}

static int seat_by_store(struct roster_change *change, int fd, const char *student) {
        unsigned number = roster_free_seat(&change->edit.roster);

        /* roster_change_seat() reports a course that is full. */
        if (number > 0 && is_new(&change->edit.roster, student)) {
                int r = ask_number(change, fd, student, number, &number);

                if (r < 0)
                        return r;
        } else
                number = 0;
        return roster_change_seat(change, student, number);
}

static int seat_all(struct roster_change *change, const struct group_change *found, int fd) {
        for (size_t i = 0; i < found->n_joined; i++) {
                const char *student = found->joined[i];
                int r = fd >= 0 ? seat_by_store(change, fd, student) : roster_change_seat(change, student, 0);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- one course ------------------------------------------------------------------------------ */

static void refuse_suspicious(struct roster_change *change, const struct group_change *found) {
        diagnostics_error(&change->diagnostics, change->edit.path, 0,
                "%zu of the %zu students of course %s are in none of the groups of roster-group, which looks "
                "like a mistake of the directory (in SSSD, ignore_group_members = true hides all members). "
                "If it is right: coursenetctl roster sync --force %s",
                found->n_left, found->n_seated, change->edit.roster.course, change->edit.roster.course);
}

/* Returns a connection, -1 if there are no other servers to share numbers with, or negative errno. */
static int connect_store(const struct paths *paths, struct roster_change *change, int *ret_fd) {
        *ret_fd = -1;
        /* A dry run would take numbers for good. */
        if (change->dry || !hosts_configured(&change->edit.site.settings))
                return 0;
        *ret_fd = shared_number_connect(paths->hosts_socket);
        if (*ret_fd < 0)
                diagnostics_error(&change->diagnostics, change->edit.path, 0,
                        "coursenet-hosts, which has the seat numbers of all servers, cannot be reached (%s): "
                        "systemctl status coursenet-hosts",
                        strerror(-*ret_fd));
        return *ret_fd < 0 ? *ret_fd : 0;
}

static void apply(const struct paths *paths, struct roster_change *change, const struct group_change *found) {
        _cleanup_close_ int fd = -1;

        if (connect_store(paths, change, &fd) < 0)
                return;
        if (fd >= 0 && share_numbers(change, fd) < 0)
                return;
        if (seat_all(change, found, fd) < 0)
                return;
        for (size_t i = 0; i < found->n_left; i++)
                roster_change_remove(change, found->left[i]);
        change->n_kept = (unsigned)(found->n_seated - found->n_left);
}

/* The timer's runs would log the notes each time, so they are not on standard error. */
static void show_notes(struct roster_change *change, const struct diagnostics *notes) {
        if (!change->document)
                diagnostics_print(stdout, notes);
        else
                for (size_t i = 0; i < notes->n_items; i++)
                        diagnostics_warning(
                                &change->diagnostics, notes->items[i].path, 0, "%s", notes->items[i].text);
}

static int sync_course(const struct paths *paths, const struct arguments *arguments,
        const struct course_settings *course, const char *settings_path) {
        _cleanup_group_members_ struct group_members members = {0};
        _cleanup_roster_change_ struct roster_change change = ROSTER_CHANGE_EMPTY;
        _cleanup_group_change_ struct group_change found = {0};
        _cleanup_diagnostics_ struct diagnostics notes = {0};
        int r;

        /* Before the roster is locked, because it may take long. */
        if (find_members(course, settings_path, &members, &change.diagnostics) < 0)
                return roster_change_finish(paths, &change, "roster sync", "seated");
        if (roster_change_begin(paths, course->course, arguments, &change) < 0)
                return roster_change_finish(paths, &change, "roster sync", "seated");

        r = group_change_find(
                &change.edit.site.settings, &change.edit.roster, &members, change.edit.path, &found, &notes);
        if (r < 0)
                diagnostics_error(&change.diagnostics, change.edit.path, 0, "%s", strerror(-r));
        else if (group_change_suspicious(&found) && !arguments->force)
                refuse_suspicious(&change, &found);
        else
                apply(paths, &change, &found);
        show_notes(&change, &notes);
        return roster_change_finish(paths, &change, "roster sync", "seated");
}

/* --- all courses ----------------------------------------------------------------------------- */

static int sync_all(const struct paths *paths, const struct arguments *arguments,
        const struct settings *settings, const char *settings_path) {
        int exit_code = EXIT_DONE;
        size_t n = 0;

        for (size_t i = 0; i < settings->n_courses; i++) {
                if (settings->courses[i].n_roster_groups == 0)
                        continue;
                n++;
                if (sync_course(paths, arguments, &settings->courses[i], settings_path) != EXIT_DONE)
                        exit_code = EXIT_NO;
        }
        if (n == 0)
                (void)puts("No course has roster-group in " SETTINGS_FILE ".");
        return exit_code;
}

static int sync_one(const struct paths *paths, const struct arguments *arguments,
        const struct settings *settings, const char *settings_path) {
        const struct course_settings *course = settings_find_course(settings, arguments->words[0]);

        if (!course || course->n_roster_groups == 0) {
                complain("Course %s has no roster-group in " SETTINGS_FILE ". Nothing was changed.",
                        arguments->words[0]);
                return EXIT_NO;
        }
        return sync_course(paths, arguments, course, settings_path);
}

int roster_sync(const struct paths *paths, const struct arguments *arguments) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_free_ char *settings_path = NULL;

        if (arguments->json && arguments->n_words == 0) {
                complain("--json needs a course.");
                return EXIT_NO;
        }
        if (asprintf(&settings_path, "%s/" SETTINGS_FILE, paths->etc) < 0) {
                settings_path = NULL;
                complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }
        if (settings_load(paths->etc, &settings, &diagnostics) < 0) {
                diagnostics_print(stderr, &diagnostics);
                return EXIT_NO;
        }
        return arguments->n_words > 0 ? sync_one(paths, arguments, &settings, settings_path)
                                      : sync_all(paths, arguments, &settings, settings_path);
}

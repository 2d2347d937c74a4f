/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl check`: finds what is wrong without starting anything. An error keeps a student out of their
 * seat or puts them into a wrong one; a warning is about something that the administrator may have intended.
 */

#include <dirent.h>
#include <inttypes.h>
#include <pwd.h>
#include <sys/stat.h>
#include <time.h>

#include "base/arguments.h"
#include "base/complain.h"
#include "base/json.h"
#include "base/pam-config.h"
#include "base/terminal.h"
#include "base/timetable-file.h"
#include "check-command.h"
#include "checks.h"
#include "exam.h"
#include "site.h"

const struct syntax check_syntax = {
        .usage = "Usage: coursenetctl check [--json] [--no-pager]\n"
                 "\n"
                 "Checks settings, rosters, pam.d and this host, and prints one line for each problem.\n"
                 "Compares the firewall and all seats that are up with the configuration. For root only.\n"
                 "Exits with 1 if there is an error, and with 0 if there are warnings only.\n",
        .options = TAKES_JSON | TAKES_PAGER,
};

#define NAMES_SHOWN 5U

static void check_socket(const char *path, const char *unit, struct diagnostics *diagnostics) {
        struct stat st;

        if (stat(path, &st) < 0 && errno != ENOENT)
                diagnostics_error(diagnostics, path, 0, "cannot be checked: %m");
        else if (stat(path, &st) < 0) {
                diagnostics_warning(diagnostics, path, 0, "%m: the activator is not enabled");
                diagnostics_advise(diagnostics, "systemctl enable --now %s", unit);
        } else if (!S_ISSOCK(st.st_mode)) {
                diagnostics_error(diagnostics, path, 0, "is not a socket");
                diagnostics_advise(diagnostics, "systemctl restart %s", unit);
        }
}

/* A user who can write to a folder can replace the files in it, whatever their modes are. */
static void check_directory(const char *etc, const char *name, struct diagnostics *diagnostics) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (asprintf(&path, "%s%s%s", etc, name[0] ? "/" : "", name) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return;
        }
        if (lstat(path, &st) < 0) {
                if (errno != ENOENT)
                        diagnostics_error(diagnostics, path, 0, "%m");
                return;
        }
        if (!S_ISDIR(st.st_mode))
                diagnostics_error(diagnostics, path, 0, "must be a folder");
        else if (st.st_uid != 0) {
                diagnostics_error(diagnostics, path, 0, "must be owned by root");
                diagnostics_advise(diagnostics, "chown root %s", path);
        } else if (st.st_mode & (S_IWGRP | S_IWOTH)) {
                diagnostics_error(diagnostics, path, 0, "group and others may not write to it");
                diagnostics_advise(diagnostics, "chmod go-w %s", path);
        }
}

/* A closed folder closes all files in it, whatever their modes are. */
static void check_roster_privacy(const char *etc, struct diagnostics *diagnostics) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (asprintf(&path, "%s/" ROSTER_DIRECTORY, etc) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return;
        }
        if (lstat(path, &st) >= 0 && S_ISDIR(st.st_mode) && (st.st_mode & S_IRWXO)) {
                diagnostics_warning(
                        diagnostics, path, 0, "every user can read it and see who is in which course");
                diagnostics_advise(diagnostics, "chmod o-rwx %s", path);
        }
}

static void check_exams(const char *state, struct diagnostics *diagnostics) {
        _cleanup_exams_ struct exams exams = {0};
        int r = exams_load(state, (uint64_t)time(NULL), &exams, diagnostics);

        if (r < 0)
                diagnostics_error(
                        diagnostics, state, 0, "the exams of courses cannot be read there: %s", strerror(-r));
}

/* --- accounts -------------------------------------------------------------------------------- */

enum account {
        ACCOUNT_THERE,
        ACCOUNT_SYSTEM, /* the shipped PAM profile skips the module for it */
        ACCOUNT_MISSING,
        ACCOUNT_UNKNOWN, /* the lookup failed: the directory service is down, and the roster may be right */
        _ACCOUNT_MAX,
};

static enum account find_account(const char *user) {
        const struct passwd *found;

        errno = 0;
        found = getpwnam(user);
        if (found)
                return found->pw_uid < SYSTEM_UID_END ? ACCOUNT_SYSTEM : ACCOUNT_THERE;
        return errno == 0 || errno == ENOENT || errno == ESRCH ? ACCOUNT_MISSING : ACCOUNT_UNKNOWN;
}

/* The first few users of one kind, and how many there are. */
struct users {
        char names[NAMES_SHOWN * (USER_NAME_SIZE + 2) + sizeof(", ...")];
        char first[USER_NAME_SIZE];
        size_t n;
};

static void add_user(struct users *users, const char *user) {
        size_t length = strlen(users->names);

        if (users->n == 0)
                (void)string_copy(users->first, sizeof(users->first), user);
        if (users->n++ < NAMES_SHOWN)
                (void)snprintf(users->names + length, sizeof(users->names) - length, "%s%s",
                        length > 0 ? ", " : "", user);
        else if (users->n == NAMES_SHOWN + 1)
                (void)snprintf(users->names + length, sizeof(users->names) - length, ", ...");
}

/* Stops at the first one that cannot be looked up: a directory service that is down must not be asked 200
 * times. */
static void sort_accounts(
        const struct site *site, const struct site_course *course, struct users ret[_ACCOUNT_MAX]) {
        char user[USER_NAME_SIZE];

        for (size_t i = 0; i < course->n_seats && ret[ACCOUNT_UNKNOWN].n == 0; i++)
                if (name_rule_format(
                            &site->settings.rule, course->bridge.course, course->students[i], user) >= 0)
                        add_user(&ret[find_account(user)], user);
}

/* The fourth column of the list is the user. */
static void advise_accounts(
        struct diagnostics *diagnostics, const char *course, const struct users *missing) {
        if (missing->n == 1)
                diagnostics_advise(diagnostics, ADD_ACCOUNT "%s", missing->first);
        else
                diagnostics_advise(diagnostics,
                        ADD_ACCOUNTS "$(coursenetctl roster list --no-legend %s | awk '{ print $4 }'); do "
                                     "id \"$user\" >/dev/null 2>&1 || " ADD_ACCOUNT "\"$user\"; done",
                        course);
}

static void check_accounts(const char *etc, const struct site *site, const struct site_course *course,
        struct diagnostics *diagnostics) {
        struct users users[_ACCOUNT_MAX] = {0};
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "%s/" ROSTER_DIRECTORY "/%s", etc, course->bridge.course) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return;
        }
        sort_accounts(site, course, users);

        if (users[ACCOUNT_SYSTEM].n > 0)
                diagnostics_error(diagnostics, path, 0,
                        "%zu student%s a system account, with a uid below %u, and would log in outside of a "
                        "seat: %s",
                        users[ACCOUNT_SYSTEM].n, users[ACCOUNT_SYSTEM].n == 1 ? " has" : "s have",
                        SYSTEM_UID_END, users[ACCOUNT_SYSTEM].names);
        if (users[ACCOUNT_UNKNOWN].n > 0)
                diagnostics_warning(diagnostics, path, 0,
                        "cannot find out whether its accounts exist, because the user database does not "
                        "answer");
        else if (users[ACCOUNT_MISSING].n > 0) {
                diagnostics_warning(diagnostics, path, 0,
                        "%zu of %zu student%s %s no Unix account on this host: %s", users[ACCOUNT_MISSING].n,
                        course->n_seats, plural(course->n_seats),
                        users[ACCOUNT_MISSING].n == 1 ? "has" : "have", users[ACCOUNT_MISSING].names);
                advise_accounts(diagnostics, course->bridge.course, &users[ACCOUNT_MISSING]);
        }
}

/* --- overrides ------------------------------------------------------------------------------- */

/* True for PREFIX, a middle, SUFFIX; *ret_middle is the middle. */
static bool match_name(
        const char *name, const char *prefix, const char *suffix, char *ret_middle, size_t size) {
        size_t length = strlen(name), head = strlen(prefix), tail = strlen(suffix);

        if (length <= head + tail || length - head - tail >= size || !string_starts_with(name, prefix) ||
                !string_equal(name + length - tail, suffix))
                return false;
        memcpy(ret_middle, name + head, length - head - tail);
        ret_middle[length - head - tail] = '\0';
        return true;
}

static bool has_seat(const struct site *site, const char *name) {
        const struct site_course *course;
        struct seat_id id;

        if (seat_id_parse(name, site->settings.course_digits, &id) < 0)
                return false;
        course = site_find_course(site, id.course);
        for (size_t i = 0; course && i < course->roster.n_lines; i++)
                if (course->roster.lines[i].student[0] && course->roster.lines[i].seat == id.number)
                        return true;
        return false;
}

static int is_no_dot_file(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

static bool override_is_used(const struct site *site, const char *name) {
        char id[SEAT_ID_SIZE];

        if (match_name(name, "bridge-", ".conf", id, sizeof(id)))
                return site_find_course(site, id);
        return match_name(name, "ns", ".conf", id, sizeof(id)) && has_seat(site, id);
}

/* An override with a typo in its name has no effect, which nobody would notice. */
static void check_overrides(const char *etc, const struct site *site, struct diagnostics *diagnostics) {
        _cleanup_free_ char *directory = NULL;
        struct dirent **entries;
        int n;

        if (asprintf(&directory, "%s/" OVERRIDE_DIRECTORY, etc) < 0) {
                directory = NULL;
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return;
        }
        n = scandir(directory, &entries, is_no_dot_file, alphasort);
        for (int i = 0; i < n; i++) {
                const char *name = entries[i]->d_name;

                if (!override_is_used(site, name))
                        diagnostics_warning(diagnostics, directory, 0,
                                "'%s' is used by no course or seat: expected bridge-COURSE.conf or "
                                "nsSEAT.conf of one that is on a roster",
                                name);
                free(entries[i]);
        }
        if (n >= 0)
                free(entries);
}

/* ---------------------------------------------------------------------------------------------- */

static void check_site(
        const struct paths *paths, struct limits *ret_wanted, struct diagnostics *diagnostics) {
        _cleanup_site_ struct site site = {0};
        size_t n_errors = diagnostics->n_errors;
        bool whole;
        int r;

        r = site_load(paths->etc, &site, diagnostics);
        whole = diagnostics->n_errors == n_errors;
        pam_config_check(paths->pam, r < 0 ? NULL : &site.settings, diagnostics);
        if (r < 0)
                return;

        if (site.n_courses == 0 && whole) {
                diagnostics_warning(diagnostics, paths->etc, 0, "no course has a roster");
                diagnostics_advise(diagnostics, "coursenetctl roster import COURSE FILE");
        }
        /* Not after an error, because the overrides of a course that could not be loaded would look unused.
         */
        if (whole)
                check_overrides(paths->etc, &site, diagnostics);
        for (size_t i = 0; i < site.n_courses; i++)
                check_accounts(paths->etc, &site, &site.courses[i], diagnostics);
        account_check(&site, diagnostics);
        staff_check(paths->etc, &site.settings, diagnostics);
        exam_check(paths->etc, &site, diagnostics);
        schedule_check(paths, &site, diagnostics);
        image_check(paths->etc, &site, diagnostics);
        host_check(paths, &site, ret_wanted, diagnostics);
        hosts_check(paths, &site, diagnostics);
        if (access(paths->host, X_OK) == 0)
                live_check(paths->host, diagnostics);
}

void check_all(const struct paths *paths, struct limits *ret_wanted, struct diagnostics *diagnostics) {
        check_directory(paths->etc, "", diagnostics);
        check_directory(paths->etc, ROSTER_DIRECTORY, diagnostics);
        check_roster_privacy(paths->etc, diagnostics);
        check_directory(paths->etc, OVERRIDE_DIRECTORY, diagnostics);
        check_directory(paths->etc, TIMETABLE_DIRECTORY, diagnostics);
        check_exams(paths->state, diagnostics);
        check_site(paths, ret_wanted, diagnostics);
        check_socket(paths->activator_socket, "coursenet-activator.socket", diagnostics);
        check_socket(paths->query_socket, "coursenet-query.socket", diagnostics);
}

/* --- for scripts ----------------------------------------------------------------------------- */

static int put_wanted(json_object *document, const struct limits *wanted) {
        json_object *object = json_object_new_object();

        if (json_put(document, "sysctl", object) < 0)
                return -ENOMEM;
        for (enum limit i = 0; i < _LIMIT_MAX; i++)
                if (wanted->values[i] > 0 && json_put(object, limit_name(i),
                                                     json_object_new_int64((int64_t)wanted->values[i])) < 0)
                        return -ENOMEM;
        return 0;
}

static int print_json(const struct diagnostics *diagnostics, const struct limits *wanted) {
        _cleanup_json_ json_object *document = json_new_document();

        if (!document || json_put_findings(document, diagnostics) < 0 || put_wanted(document, wanted) < 0)
                return -ENOMEM;
        return json_print(document);
}

/* --- for people ------------------------------------------------------------------------------ */

/* All lines for the file that the warnings name, ready to be copied. */
static void print_wanted(const struct limits *wanted) {
        bool some = false;

        for (enum limit i = 0; i < _LIMIT_MAX; i++) {
                if (wanted->values[i] == 0)
                        continue;
                if (!some)
                        (void)puts("\nFor " LIMITS_FILE " (then: sysctl --system):");
                (void)printf("    %s = %" PRIu64 "\n", limit_name(i), wanted->values[i]);
                some = true;
        }
        if (some)
                (void)puts("");
}

static void print_findings(const struct diagnostics *diagnostics) {
        char text[1024];

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                bool is_error = diagnostics->items[i].level == DIAGNOSTIC_ERROR;

                diagnostic_format(&diagnostics->items[i], text, sizeof(text));
                string_make_printable(text);
                (void)printf(
                        "%s%s%s\n", is_error ? terminal_red() : terminal_yellow(), text, terminal_normal());
        }
}

static void print_for_people(const struct diagnostics *diagnostics, const struct limits *wanted) {
        size_t n_warnings = diagnostics->n_items > diagnostics->n_errors
                                    ? diagnostics->n_items - diagnostics->n_errors
                                    : 0;

        print_findings(diagnostics);
        print_wanted(wanted);
        (void)printf("%zu error%s, %zu warning%s\n", diagnostics->n_errors, plural(diagnostics->n_errors),
                n_warnings, plural(n_warnings));
}

/* ---------------------------------------------------------------------------------------------- */

int check_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct limits wanted = {0};
        struct arguments arguments;
        int r;

        r = arguments_parse(argc, argv, &check_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;

        if (geteuid() != 0) {
                complain("Only root can run check, because only root can read the rosters and see the "
                         "firewall.");
                return EXIT_NO;
        }
        check_all(paths, &wanted, &diagnostics);
        if (!arguments.json && !arguments.no_pager)
                terminal_open_pager();
        if (!arguments.json)
                print_for_people(&diagnostics, &wanted);
        else if (print_json(&diagnostics, &wanted) < 0) {
                complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }
        if (diagnostics.lost) {
                complain(DIAGNOSTICS_LOST);
                return EXIT_NO;
        }
        return diagnostics.n_errors > 0 ? EXIT_NO : EXIT_DONE;
}

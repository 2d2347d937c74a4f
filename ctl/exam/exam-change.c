/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl exam start` and `exam stop`. The file of the exam is what everything is computed from. The
 * watch sees it too, but the command applies the rules itself, so that it can say whether they are in force.
 * Staff send the file's text to the activator, whose child writes the file and lets systemd apply the rules,
 * because it has neither a network nor a capability.
 */

#include <limits.h>
#include <time.h>

#include "base/admin-log.h"
#include "base/calendar.h"
#include "base/complain.h"
#include "base/exam-staff.h"
#include "base/login-uid.h"
#include "base/moment.h"
#include "base/report-client.h"
#include "base/scope.h"
#include "base/systemctl.h"
#include "base/target.h"
#include "child.h"
#include "exam-command.h"
#include "exam-file.h"
#include "exam-share.h"
#include "exam-state.h"
#include "number.h"
#include "site.h"

/* --- what the arguments say ---------------------------------------------------------------------------- */

static bool parse_until(const char *text, uint64_t now, uint64_t *ret) {
        uint64_t usec;
        int r = calendar_parse(text, &usec);

        if (r < 0)
                complain(r == -EINVAL
                                 ? "'%s' is no time: expected 11:00, +2h or another one of systemd.time(7)."
                                 : "'%s' cannot be read as a time, because systemd-analyze cannot be run.",
                        text);
        else if (usec / USEC_PER_SEC <= now)
                complain("'%s' is in the past.", text);
        else
                *ret = usec / USEC_PER_SEC;
        return r >= 0 && usec / USEC_PER_SEC > now;
}

static bool parse_allowed(const struct arguments *arguments, struct exam *exam) {
        for (size_t i = 0; i < arguments->n_allow; i++)
                if (exam_allow_parse(arguments->allow[i], &exam->allow[exam->n_allow++]) < 0) {
                        complain("'%s' cannot be allowed: expected ADDRESS, ADDRESS:PORT/tcp or "
                                 "ADDRESS:PORT/udp, as 192.0.2.10:443/tcp or [2001:db8::10]:443/tcp.",
                                arguments->allow[i]);
                        return false;
                }
        for (size_t i = 0; i < arguments->n_allow_names; i++) {
                const char *name = arguments->allow_names[i];

                if (!exam_name_valid(name)) {
                        complain("'%s' is no name that could be allowed: expected a name such as "
                                 "www.example.org, without a wildcard.",
                                name);
                        return false;
                }
                (void)string_copy(exam->names[exam->n_names++], EXAM_NAME_SIZE, name);
        }
        return true;
}

static int parse_arguments(const struct arguments *arguments, uint64_t now, struct exam *exam) {
        if (!parse_allowed(arguments, exam) ||
                (arguments->until && !parse_until(arguments->until, now, &exam->until)))
                return EXIT_USAGE;
        return EXIT_DONE;
}

/* --- for staff ------------------------------------------------------------------------------- */

/* Before the request: who is not root, but may be staff of the course. Returns an exit code. */
static int ask(
        const struct paths *paths, const char *command, const char *const *words, const struct exam *exam) {
        const struct arguments course = {.words = (char **)(uintptr_t)words, .n_words = 1};
        _cleanup_free_ char *text = exam ? exam_format(exam) : NULL;

        if (!report_is_for_staff(paths)) {
                complain("Only root and the staff of a course " STAFF_HINT " can run %s.", command);
                return EXIT_NO;
        }
        if (exam && !text) {
                complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }
        return report_ask_change(paths, command, &course, text);
}

/* What staff have sent. Only what they may say is taken from it. */
static int parse_text(const char *text, uint64_t now, struct exam *exam) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct exam sent = {0};

        exam_parse(text, "the request", &sent, &diagnostics);
        if (sent.broken || (sent.until > 0 && sent.until <= now)) {
                complain("The request for an exam is not understood, or its end is past.");
                return EXIT_NO;
        }
        exam->until = sent.until;
        exam->n_allow = sent.n_allow;
        memcpy(exam->allow, sent.allow, sizeof(exam->allow));
        exam->n_names = sent.n_names;
        memcpy(exam->names, sent.names, sizeof(exam->names));
        return EXIT_DONE;
}

static bool is_allowed(const struct paths *paths, const char *course) {
        if (scope_has_course(paths->scope, course))
                return true;
        complain("'%s' is no course of which you are staff " STAFF_HINT ".", course);
        return false;
}

/* --- who ------------------------------------------------------------------------------------- */

static void find_author(const struct paths *paths, char ret_by[static EXAM_BY_SIZE]) {
        char user[LOGIN_USER_SIZE];
        uid_t uid;

        if (paths->scope)
                (void)snprintf(ret_by, EXAM_BY_SIZE, "%.63s (uid %u)",
                        paths->scope->user[0] ? paths->scope->user : "?", (unsigned)paths->scope->uid);
        else if (login_user_find(paths->proc, &uid, user))
                (void)snprintf(ret_by, EXAM_BY_SIZE, "%s (uid %u)", user[0] ? user : "?", (unsigned)uid);
        else
                (void)snprintf(ret_by, EXAM_BY_SIZE, "root");
}

/* --- applying ------------------------------------------------------------------------------------------ */

/* True if the program has exited with 0. */
static bool run_host(const struct paths *paths, const char *word, const char *more) {
        const char *const words[] = {paths->host, word, more, NULL};
        int r, status = -1;
        pid_t pid;

        (void)fflush(stdout);
        r = child_spawn(words, &CHILD_INHERITS, NULL, &pid);
        if (r >= 0)
                r = child_wait(pid, &status);
        if (r < 0)
                complain("%s cannot be run: %s", paths->host, strerror(-r));
        return r >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/*
 * Applies the rules that follow from the files. systemd does not merge a reload into one that is under way,
 * so one that began before the file was there does not count.
 */
static bool apply_rules(const struct paths *paths) {
        static const char *const reload[] = {"systemctl", "reload", "coursenet-network.service", NULL};

        return paths->scope ? systemctl_run(reload) == 0 : run_host(paths, "refresh", "courses");
}

/* Returns an exit code. */
static int find_course(const struct paths *paths, const char *course, struct site *ret_site) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        if (site_load(paths->etc, ret_site, &diagnostics) < 0) {
                if (scope_is_everything(paths->scope))
                        diagnostics_print(stderr, &diagnostics);
                else
                        complain("The settings have mistakes. Root can run: coursenetctl check");
                return EXIT_NO;
        }
        if (site_find_course(ret_site, course))
                return EXIT_DONE;
        if (!target_explain(paths->etc, &ret_site->settings, paths->scope, course))
                complain("'%s' is no course with a roster.", course);
        return EXIT_NO;
}

/* Seats on another bridge are not among the course's, and its rules do not hold for them. */
static void warn_elsewhere(const struct site *site, const char *course) {
        const struct site_course *found = site_find_course(site, course);

        for (size_t i = 0; i < found->n_seats; i++)
                if (!string_equal(found->seats[i].bridge_course, course))
                        complain("Seat %s is on the bridge %s, where the exam does not hold: see BR= in "
                                 "coursenet-netns(5).",
                                found->seats[i].name, found->seats[i].bridge);
}

static void format_end(const struct exam *exam, char *text, size_t size) {
        char until[32];

        if (exam->until == 0) {
                (void)snprintf(text, size, "until `coursenetctl exam stop %s`", exam->course);
                return;
        }
        moment_format_minute(exam->until * USEC_PER_SEC, until, sizeof(until));
        (void)snprintf(text, size, "until %s", until);
}

static void print_replaced(const struct paths *paths, const char *course, uint64_t now) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_exams_ struct exams exams = {0};
        const struct exam *former;

        if (exams_load(paths->state, now, &exams, &ignored) < 0)
                return;
        former = exams_find(&exams, course);
        if (former && former->scheduled)
                (void)puts("It takes the place of the exam by schedule.");
        else if (former)
                (void)printf(
                        "This replaces the exam that %s started.\n", former->by[0] ? former->by : "somebody");
}

/* Returns an exit code. */
static int apply_start(const struct paths *paths, const struct exam *exam, bool shared) {
        char end[64];
        int r = EXIT_DONE;

        format_end(exam, end, sizeof(end));
        if (!apply_rules(paths)) {
                admin_log(paths, "exam start", exam->course, "%s, but its rules could not be applied", end);
                complain("The exam of course %s is NOT in force. Its rules are applied when what is wrong is "
                         "corrected; to take it back: coursenetctl exam stop %s",
                        exam->course, exam->course);
                return EXIT_NO;
        }
        admin_log(paths, "exam start", exam->course, "in force %s, with %zu addresses and %zu names allowed",
                end, exam->n_allow, exam->n_names);
        (void)printf("Course %s is in an exam %s.\n", exam->course, end);
        if (shared)
                r = exam_tell_others(paths, exam->course, true);
        /* The rules are in force; a name may take longer to resolve. For staff, the watch resolves names. */
        if (!paths->scope && !run_host(paths, "exam", NULL))
                r = EXIT_NO;
        return r;
}

/* Returns an exit code. */
static int write_start(const struct paths *paths, const struct exam *exam, bool shared) {
        _cleanup_close_ int lock = -1;
        int r = shared ? exam_file_lock(paths->state, true, &lock) : 0;

        if (r >= 0)
                r = exam_file_write(paths->state, exam, "");
        if (r >= 0 && shared)
                r = exam_state_touch(paths->state, exam->course);
        if (r < 0)
                complain("%s/" EXAM_DIRECTORY "/%s cannot be written: %s", paths->state, exam->course,
                        strerror(-r));
        return r < 0 ? EXIT_NO : EXIT_DONE;
}

int exam_start(const struct paths *paths, const struct arguments *arguments) {
        const char *course = arguments->words[0];
        _cleanup_site_ struct site site = {0};
        uint64_t now = (uint64_t)time(NULL);
        struct exam exam = {.since = now};
        bool shared;
        int r;

        if (!is_allowed(paths, course))
                return EXIT_NO;
        r = paths->scope ? parse_text(paths->text, now, &exam) : parse_arguments(arguments, now, &exam);
        if (r == EXIT_DONE && geteuid() != 0)
                return ask(paths, "exam start", &course, &exam);
        if (r == EXIT_DONE)
                r = find_course(paths, course, &site);
        if (r != EXIT_DONE)
                return r;
        if (exam.n_names > 0 && site.settings.dns.source == DNS_OFF) {
                complain("--allow-name has no effect with dns = off: allow the addresses instead.");
                return EXIT_NO;
        }
        (void)string_copy(exam.course, sizeof(exam.course), course);
        find_author(paths, exam.by);
        exam_staff_add(&site.settings, course, &exam);

        warn_elsewhere(&site, course);
        print_replaced(paths, course, now);
        shared = exam_is_shared(&site.settings, course);
        r = write_start(paths, &exam, shared);
        return r == EXIT_DONE ? apply_start(paths, &exam, shared) : r;
}

/* Returns 1 if there was one, 0, or negative errno after a message. */
static int remove_file(const struct paths *paths, const char *course, const char *suffix) {
        int r = exam_file_remove(paths->state, course, suffix);

        if (r < 0)
                complain("%s/" EXAM_DIRECTORY "/%s%s cannot be removed: %s", paths->state, course, suffix,
                        strerror(-r));
        return r;
}

/* The times of the settings still hold, so a file says that this one does not count. */
static int stop_scheduled(const struct paths *paths, const char *course) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_exams_ struct exams exams = {0};
        struct exam stopped = {0};
        const struct exam *on;
        int r = exams_load(paths->state, (uint64_t)time(NULL), &exams, &ignored);

        on = r < 0 ? NULL : exams_find(&exams, course);
        if (!on)
                return r;
        if (on->broken)
                return remove_file(paths, course, EXAM_SCHEDULED);
        (void)string_copy(stopped.course, sizeof(stopped.course), course);
        stopped.since = on->since;
        stopped.until = on->until;
        find_author(paths, stopped.by);
        r = exam_file_write(paths->state, &stopped, EXAM_STOPPED);
        if (r < 0)
                complain("%s/" EXAM_DIRECTORY "/%s" EXAM_STOPPED " cannot be written: %s", paths->state,
                        course, strerror(-r));
        return r < 0 ? r : 1;
}

/* Returns how many exams have ended, or negative errno after a message. */
static int end_both(const struct paths *paths, const char *course, bool shared, bool *ret_scheduled) {
        _cleanup_close_ int lock = -1;
        int by_hand, scheduled, r = shared ? exam_file_lock(paths->state, true, &lock) : 0;

        if (r < 0) {
                complain("%s/" EXAM_DIRECTORY " cannot be locked: %s", paths->state, strerror(-r));
                return r;
        }
        by_hand = remove_file(paths, course, "");
        scheduled = by_hand < 0 ? by_hand : stop_scheduled(paths, course);
        if (by_hand < 0 || scheduled < 0)
                return -EIO;
        *ret_scheduled = scheduled > 0;
        r = shared && by_hand + scheduled > 0 ? exam_state_touch(paths->state, course) : 0;
        if (r < 0)
                complain("%s/" EXAM_DIRECTORY "/%s" EXAM_CHANGED " cannot be written: %s", paths->state,
                        course, strerror(-r));
        return r < 0 ? r : by_hand + scheduled;
}

/* Returns an exit code. */
static int apply_stop(const struct paths *paths, const char *course, bool scheduled) {
        if (paths->scope ? !apply_rules(paths) : !run_host(paths, "exam", NULL)) {
                admin_log(paths, "exam stop", course, "its rules could not be removed");
                complain("The rules of the exam could not be removed. They go when what is wrong is "
                         "corrected.");
                return EXIT_NO;
        }
        admin_log(paths, "exam stop", course, "its seats reach again what the settings allow");
        (void)printf("The exam of course %s has ended.%s\n", course,
                scheduled ? " The settings (exam =) begin the next one at its time." : "");
        return EXIT_DONE;
}

int exam_stop(const struct paths *paths, const struct arguments *arguments) {
        const char *course = arguments->words[0];
        bool shared, scheduled = false;
        int n, r;

        if (geteuid() != 0)
                return ask(paths, "exam stop", &course, NULL);
        if (!is_allowed(paths, course))
                return EXIT_NO;
        if (!digits_only(course) || strlen(course) >= COURSE_SIZE) {
                complain("'%s' is no course.", course);
                return EXIT_NO;
        }
        shared = exam_may_be_shared(paths, course);
        n = end_both(paths, course, shared, &scheduled);
        if (n < 0)
                return EXIT_NO;
        if (n == 0) {
                complain("Course %s is in no exam.", course);
                return EXIT_NO;
        }
        r = apply_stop(paths, course, scheduled);
        return shared && exam_tell_others(paths, course, false) != EXIT_DONE ? EXIT_NO : r;
}

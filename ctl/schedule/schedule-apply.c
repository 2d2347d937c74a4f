/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl schedule apply COURSE`, which coursenet-class@COURSE.service runs: holds the seats of a
 * course during its classes, releases them afterwards, writes when its exams are, and sets
 * coursenet-class@COURSE.timer for the next change. Without a course, which coursenet-schedule.service runs:
 * writes when the exams of all courses are, and starts that service for each course with a schedule or an
 * exam, and for each that had one.
 *
 * Nothing is remembered: what must be held now follows from the times and the clock. So a server that was
 * off, and a change of the configuration, need no code of their own.
 */

#include <poll.h>

#include "base/complain.h"
#include "base/course-schedule.h"
#include "base/exam-schedule.h"
#include "base/hold-client.h"
#include "base/lease-list.h"
#include "base/lease-record.h"
#include "base/systemctl.h"
#include "base/target.h"
#include "exam-file.h"
#include "number.h"
#include "schedule-command.h"

#define CLASS_UNIT "coursenet-class@"

/* Seats come up over four fifths of the time until the class, but none waits longer than this for the next.
 */
#define PAUSE_MAX_MS 2000

const struct syntax schedule_apply_syntax = {
        .usage = "Usage: coursenetctl schedule apply [COURSE]\n"
                 "\n"
                 "Holds the seats of courses that have a class now or soon, releases the others, and writes\n"
                 "when courses are in exams (exam = in the settings).\n"
                 "coursenet-schedule.service and coursenet-class@COURSE.service run it. For root only.\n",
        .words_max = 1,
        .first = WORD_COURSE,
};

/* --- the timer ------------------------------------------------------------------------------- */

/* A transient timer, so that `systemctl list-timers` shows it and no file is left. Negative errno. */
static int set_timer(const char *course, time_t when) {
        char timer[64], service[64], unit[80], calendar[80], text[32];
        const char *const stop[] = {"systemctl", "stop", timer, NULL};
        const char *const start[] = {"systemd-run", "--quiet", unit, calendar,
                "--timer-property=AccuracySec=1s",
                "--timer-property=Description=Beginning or end of a class or an exam of a course", NULL};
        struct tm tm;
        int r;

        (void)snprintf(timer, sizeof(timer), CLASS_UNIT "%s.timer", course);
        (void)snprintf(service, sizeof(service), CLASS_UNIT "%s.service", course);
        (void)snprintf(unit, sizeof(unit), "--unit=%s", service);
        r = systemctl_run(stop);
        if (when == 0 || r < 0)
                return r < 0 ? r : 0;
        (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&when, &tm));
        (void)snprintf(calendar, sizeof(calendar), "--on-calendar=%s", text);
        r = systemctl_run(start);
        return r > 0 ? -EIO : r;
}

/* --- one course ------------------------------------------------------------------------------ */

struct class {
        const struct paths *paths;
        const char *course;
        struct site site;
        struct diagnostics findings; /* of the rosters */
        struct target target;        /* the course's seats */
        struct lease_list leases;
        struct class_moment moment;
        bool exams_known;
        time_t next_exam_change; /* 0: there is none */
};

static void class_done(struct class *class) {
        lease_list_done(&class->leases);
        target_done(&class->target);
        diagnostics_done(&class->findings);
        site_done(&class->site);
}

static bool is_scheduled(const struct class *class, const struct reply *lease) {
        return string_equal(lease->service, SCHEDULE_SERVICE) && string_equal(lease->course, class->course);
}

static bool has_hold(const struct class *class, const char *user) {
        for (size_t i = 0; i < class->leases.n_leases; i++)
                if (is_scheduled(class, &class->leases.leases[i]) &&
                        string_equal(class->leases.leases[i].user, user))
                        return true;
        return false;
}

static int release(const struct class *class, const char *word, unsigned *ret_n) {
        struct request request;
        struct reply reply;
        int r;

        request_init(&request, REQUEST_RELEASE);
        (void)string_copy(request.user, sizeof(request.user), word);
        (void)string_copy(request.service, sizeof(request.service), SCHEDULE_SERVICE);
        r = hold_client_ask(class->paths->activator_socket, &request, &reply);
        if (r >= 0 && reply.type == REPLY_DONE)
                *ret_n += (unsigned)strtoul(reply.text, NULL, 10);
        return r;
}

/* Students who are not on the roster any more. With a mistake in a roster, they may be. */
static int release_strangers(struct class *class, const struct request *requests) {
        unsigned n = 0;
        int r = 0;

        for (size_t i = 0; i < class->leases.n_leases && r >= 0 && class->findings.n_errors == 0; i++) {
                const struct reply *lease = &class->leases.leases[i];
                bool known = !is_scheduled(class, lease);

                for (size_t j = 0; j < class->target.n_seats && !known; j++)
                        known = string_equal(requests[j].user, lease->user);
                if (!known)
                        r = release(class, lease->user, &n);
        }
        return r;
}

static void count_hold(void *userdata, size_t i, const char *reason) {
        (void)i;
        if (reason)
                complain("%s", reason);
        else
                ++*(size_t *)userdata;
}

static void pause_before_next(const struct class *class, size_t n_left) {
        double until = difftime(class->moment.start, time(NULL)) * 1000 * 4 / 5;
        double pause = n_left > 0 ? until / (double)n_left : 0;

        if (pause > 0)
                (void)poll(NULL, 0, pause < PAUSE_MAX_MS ? (int)pause : PAUSE_MAX_MS);
}

/* One after the other, so that a login waits for one seat at most. Ends with the class. */
static int hold_seats(struct class *class, const struct request *requests) {
        size_t n = class->target.n_seats, n_missing = 0, n_held = 0, n_asked = 0;
        int r = 0;

        for (size_t i = 0; i < n; i++)
                n_missing += !has_hold(class, requests[i].user);
        for (size_t i = 0; i < n && r >= 0 && time(NULL) < class->moment.next_change; i++) {
                if (has_hold(class, requests[i].user))
                        continue;
                r = hold_client_run(class->paths->activator_socket, &requests[i], 1, 1, count_hold, &n_held);
                pause_before_next(class, n_missing - ++n_asked);
        }
        if (n_missing > 0)
                (void)printf("Class of course %s: %zu of %zu seats are up and held.\n", class->course,
                        n - n_missing + n_held, n);
        (void)fflush(stdout);
        return r;
}

static int begin_class(struct class *class) {
        _cleanup_free_ struct request *requests = NULL;
        int r = hold_client_prepare(&class->site, &class->target, SCHEDULE_SERVICE, &requests);

        if (r >= 0)
                r = release_strangers(class, requests);
        return r >= 0 ? hold_seats(class, requests) : r;
}

static int end_class(struct class *class) {
        unsigned n = 0;
        int r = 0;

        for (size_t i = 0; i < class->leases.n_leases && n == 0 && r >= 0; i++)
                if (is_scheduled(class, &class->leases.leases[i]))
                        r = release(class, class->course, &n);
        if (n > 0)
                (void)printf("No class of course %s: %u hold%s released.\n", class->course, n, plural(n));
        (void)fflush(stdout);
        return r;
}

/* Returns an exit code. With EXIT_NO, holds stay as they are. */
static int load_class(struct class *class) {
        _cleanup_class_times_ struct class_times times = {0};
        _cleanup_diagnostics_ struct diagnostics findings = {0};
        const struct course_values *values;
        time_t now = time(NULL);
        int r = site_load(class->paths->etc, &class->site, &class->findings);

        if (r < 0)
                diagnostics_print(stderr, &class->findings);
        /* First, because a class may be waited for. A mistake in one of the two is none in the other. */
        if (r >= 0)
                class->exams_known = exam_schedule_apply(class->paths, &class->site.settings, class->course,
                                             now, &class->next_exam_change) >= 0;
        if (r >= 0)
                r = course_schedule_load(
                        class->paths, &class->site.settings, class->course, now, &times, &findings);
        diagnostics_print(stderr, &findings);
        if (r >= 0)
                r = target_find(&class->site, class->course, &class->target);
        if (r < 0)
                return EXIT_NO;
        values = settings_for_course(&class->site.settings, class->course);
        class->moment = class_times_at(&times, now, values->schedule_lead_seconds);
        return EXIT_DONE;
}

/* 0: never. */
static time_t find_earlier(time_t a, time_t b) {
        return a == 0 || (b > 0 && b < a) ? b : a;
}

/* Returns an exit code. *ret_next: when to do it again; 0: never. */
static int apply_now(const struct paths *paths, const char *course, time_t *ret_next) {
        _cleanup_(class_done) struct class class = {.paths = paths, .course = course};
        char reason[REPLY_TEXT_SIZE];
        int r = load_class(&class);

        *ret_next = 0;
        if (r != EXIT_DONE)
                return r;
        *ret_next = find_earlier(class.moment.next_change, class.next_exam_change);
        r = set_timer(course, *ret_next);
        if (r < 0)
                complain("The timer of course %s cannot be set: %s", course, strerror(-r));
        r = lease_list_load(paths->activator_socket, &class.leases, reason, sizeof(reason));
        if (r >= 0)
                r = class.moment.wanted ? begin_class(&class) : end_class(&class);
        if (r < 0)
                return complain_of_activator(paths->activator_socket, r);
        return class.exams_known ? EXIT_DONE : EXIT_NO;
}

/* The timer does nothing while this service runs, so what became due meanwhile is done here. */
static int apply_course(const struct paths *paths, const char *course) {
        time_t next;
        int r;

        do
                r = apply_now(paths, course, &next);
        while (r == EXIT_DONE && next > 0 && next <= time(NULL));
        return r;
}

/* --- all courses ----------------------------------------------------------------------------- */

static bool is_course(const char *text) {
        return digits_only(text) && strlen(text) < COURSE_SIZE;
}

struct started {
        struct unit_names courses;
        bool failed; /* systemd refused something, which was said */
};

static void started_done(struct started *started) {
        unit_names_done(&started->courses);
}

static int start_class(const char *course, const struct settings *settings, struct started *started) {
        char service[64];
        const char *const restart[] = {"systemctl", "restart", "--no-block", service, NULL};
        struct unit_names *courses = &started->courses;
        char reason[256], **names;
        int r;

        if (!is_course(course) || settings_check_course(settings, course, reason, sizeof(reason)) < 0)
                return 0;
        for (size_t i = 0; i < courses->n_names; i++)
                if (string_equal(courses->names[i], course))
                        return 0;
        names = reallocarray(courses->names, courses->n_names + 1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        courses->names = names;
        names[courses->n_names] = strdup(course);
        if (!names[courses->n_names])
                return -ENOMEM;
        courses->n_names++;
        (void)snprintf(service, sizeof(service), CLASS_UNIT "%s.service", course);
        r = systemctl_run(restart);
        if (r > 0) {
                complain("systemctl cannot restart %s", service);
                started->failed = true;
        }
        return r < 0 ? r : 0;
}

/* Those that have a timer: their schedule may be gone. */
static int start_by_timers(const struct settings *settings, struct started *started) {
        static const char *const list[] = {
                "systemctl", "list-units", "--plain", "--no-legend", "--full", CLASS_UNIT "*.timer", NULL};
        _cleanup_unit_names_ struct unit_names timers = {0};
        int r = systemctl_list(list, &timers);

        if (r > 0) {
                complain("systemctl cannot list the timers of classes");
                started->failed = true;
        }
        for (size_t i = 0; i < timers.n_names && r >= 0; i++) {
                char *course = timers.names[i] + strlen(CLASS_UNIT);

                course[strcspn(course, ".")] = '\0';
                r = start_class(course, settings, started);
        }
        return r;
}

/* And those that have a hold. The records tell without starting an activator that is not running. */
static int start_by_holds(const struct settings *settings, struct started *started) {
        _cleanup_lease_records_ struct lease_records records = {0};
        int r = lease_records_load(LEASE_RECORD_DIRECTORY, &records);

        for (size_t i = 0; i < records.n_items && r >= 0; i++) {
                struct seat_id id;

                if (string_equal(records.items[i].service, SCHEDULE_SERVICE) &&
                        seat_id_parse(records.items[i].seat, settings->course_digits, &id) >= 0)
                        r = start_class(id.course, settings, started);
        }
        return r;
}

struct examined {
        const struct settings *settings;
        struct started *started;
};

static int start_examined(void *userdata, const char *course) {
        const struct examined *examined = userdata;

        return start_class(course, examined->settings, examined->started);
}

/* Those that have or had exams. Their files are written here, so that no class that is held delays them. */
static int start_by_exams(
        const struct paths *paths, const struct settings *settings, struct started *started) {
        struct examined examined = {settings, started};
        time_t now = time(NULL), ignored;
        int r = 0;

        for (size_t i = 0; i < settings->n_courses && r >= 0; i++) {
                const char *course = settings->courses[i].course;

                if (!course_exam_exists(settings, course))
                        continue;
                (void)exam_schedule_apply(paths, settings, course, now, &ignored);
                r = start_class(course, settings, started);
        }
        return r < 0 ? r : exam_file_each(paths->state, EXAM_SCHEDULED, start_examined, &examined);
}

/* Returns an exit code. */
static int apply_all(const struct paths *paths) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_(started_done) struct started started = {0};
        _cleanup_site_ struct site site = {0};
        int r;

        if (site_load(paths->etc, &site, &diagnostics) < 0) {
                diagnostics_print(stderr, &diagnostics);
                complain("Holds stay as they are.");
                return EXIT_NO;
        }
        r = start_by_exams(paths, &site.settings, &started);
        if (r >= 0)
                r = start_by_timers(&site.settings, &started);
        if (r >= 0)
                r = start_by_holds(&site.settings, &started);
        for (size_t i = 0; i < site.n_courses && r >= 0; i++)
                if (course_schedule_exists(paths->etc, &site.settings, site.courses[i].bridge.course))
                        r = start_class(site.courses[i].bridge.course, &site.settings, &started);
        if (r < 0)
                complain("The services of the classes cannot be started: %s", strerror(-r));
        return r < 0 || started.failed ? EXIT_NO : EXIT_DONE;
}

/* --- the command ----------------------------------------------------------------------------- */

int schedule_apply(const struct paths *paths, int argc, char **argv) {
        struct arguments arguments;
        int r;

        r = arguments_parse(argc, argv, &schedule_apply_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        if (geteuid() != 0) {
                complain("Only root can run schedule apply.");
                return EXIT_NO;
        }
        if (arguments.n_words == 0)
                return apply_all(paths);
        if (!is_course(arguments.words[0])) {
                complain("'%s' is no course.", arguments.words[0]);
                return EXIT_NO;
        }
        return apply_course(paths, arguments.words[0]);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the tests of lease/ share. Everything below lease/ is a stand-in: systemd and logind answer what a
 * test has them answer, or nothing; records are in a directory of the test's own; the opener is a child
 * process. Each test program includes this once.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/event.h"
#include "base/seat-lookup.h"
#include "base/terminal.h"
#include "lease/keeper.h"
#include "lease/lease-object.h"
#include "lease/lease-request.h"
#include "lease/lease-startup.h"
#include "lease/lease-table.h"
#include "seat/empty-seat.h"
#include "seat/failed-units.h"
#include "seat/starting-units.h"
#include "seat/user-limits.h"
#include "seat/wiring.h"
#include "seat/worker-client.h"
#include "systemd/logind.h"
#include "systemd/units.h"

#define _unused_ __attribute__((unused))

/* --- systemd and logind ------------------------------------------------------------------------------- */

enum kind {
        START,
        STOP,
        FIND,
        LIST,
        NAMES,
        PROPERTY,
        RELOAD,
        KINDS
};

struct bus_call {
        enum kind kind;
        struct bus_call **place;
        unit_job_callback_t job_callback;
        unit_list_callback_t list_callback;
        unit_property_callback_t property_callback;
        unit_done_callback_t reload_callback;
        void *userdata;
};

struct leader_search {
        struct leader_search **place;
        leader_callback_t callback;
        void *userdata;
};

static struct {
        int error;         /* of every call: it cannot even be sent */
        unsigned n[KINDS]; /* how often it was asked */
        struct bus_call *last[KINDS];
        struct leader_search *search;
        unsigned n_searches;
        unit_job_removed_t job_removed;
        unit_removed_t unit_removed;
        session_removed_t session_removed;
        void *userdata;
} systemd;

void bus_call_drop(struct bus_call **place) {
        if (!*place)
                return;
        for (unsigned i = 0; i < KINDS; i++)
                if (systemd.last[i] == *place)
                        systemd.last[i] = NULL;
        free(*place);
        *place = NULL;
}

static int call(enum kind kind, struct bus_call **place, const struct bus_call *values) {
        bus_call_drop(place);
        systemd.n[kind]++;
        if (systemd.error < 0)
                return systemd.error;
        *place = malloc(sizeof(**place));
        assert_non_null(*place);
        **place = *values;
        (*place)->kind = kind;
        (*place)->place = place;
        systemd.last[kind] = *place;
        return 0;
}

int unit_start_transient(struct bus *bus, const struct transient_unit *unit, unit_job_callback_t callback,
        void *userdata, struct bus_call **place) {
        (void)bus;
        assert_true(string_starts_with(unit->name, "coursenet-12310_"));
        return call(START, place, &(struct bus_call){.job_callback = callback, .userdata = userdata});
}

int unit_stop(struct bus *bus, const char *unit, unit_job_callback_t callback, void *userdata,
        struct bus_call **place) {
        (void)bus;
        assert_true(string_starts_with(unit, "coursenet-12310_"));
        return call(STOP, place, &(struct bus_call){.job_callback = callback, .userdata = userdata});
}

int unit_find(struct bus *bus, const char *unit, unit_job_callback_t callback, void *userdata,
        struct bus_call **place) {
        (void)bus;
        assert_true(string_starts_with(unit, "coursenet-12310_"));
        return call(FIND, place, &(struct bus_call){.job_callback = callback, .userdata = userdata});
}

int unit_list(struct bus *bus, const char *const *patterns, size_t n, unit_list_callback_t callback,
        void *userdata, struct bus_call **place) {
        (void)bus;
        (void)patterns;
        (void)n;
        return call(LIST, place, &(struct bus_call){.list_callback = callback, .userdata = userdata});
}

int unit_list_names(struct bus *bus, const char *const *names, size_t n, unit_list_callback_t callback,
        void *userdata, struct bus_call **place) {
        (void)bus;
        if (n == 1)
                assert_true(string_starts_with(names[0], "coursenet-12310_"));
        else {
                assert_int_equal(n, 3);
                assert_string_equal(names[0], "nsbr@12310.service");
                assert_string_equal(names[2], "netbr@123.service");
        }
        return call(NAMES, place, &(struct bus_call){.list_callback = callback, .userdata = userdata});
}

void unit_job_path(uint32_t job, char ret_path[static UNIT_JOB_PATH_SIZE]) {
        (void)snprintf(ret_path, UNIT_JOB_PATH_SIZE, "/job/%u", job);
}

int unit_get_property(struct bus *bus, const char *unit, enum unit_property property,
        unit_property_callback_t callback, void *userdata, struct bus_call **place) {
        (void)bus;
        (void)unit;
        (void)property;
        return call(PROPERTY, place, &(struct bus_call){.property_callback = callback, .userdata = userdata});
}

int units_reload(struct bus *bus, unit_done_callback_t callback, void *userdata, struct bus_call **place) {
        (void)bus;
        return call(RELOAD, place, &(struct bus_call){.reload_callback = callback, .userdata = userdata});
}

int units_on_job_removed(struct bus *bus, unit_job_removed_t callback, void *userdata) {
        (void)bus;
        systemd.job_removed = callback;
        systemd.userdata = userdata;
        return 0;
}

int units_on_removed(struct bus *bus, unit_removed_t callback, void *userdata) {
        (void)bus;
        (void)userdata;
        systemd.unit_removed = callback;
        return 0;
}

int logind_on_session_removed(struct bus *bus, session_removed_t callback, void *userdata) {
        (void)bus;
        (void)userdata;
        systemd.session_removed = callback;
        return 0;
}

void logind_drop_search(struct leader_search **place) {
        if (*place == systemd.search)
                systemd.search = NULL;
        free(*place);
        *place = NULL;
}

int logind_find_leader(struct bus *bus, uid_t uid, pid_t leader, leader_callback_t callback, void *userdata,
        struct leader_search **place) {
        (void)bus;
        (void)uid;
        (void)leader;
        systemd.n_searches++;
        if (systemd.error < 0)
                return systemd.error;
        *place = malloc(sizeof(**place));
        assert_non_null(*place);
        **place = (struct leader_search){place, callback, userdata};
        systemd.search = *place;
        return 0;
}

/* The call that is under way, which is over now. */
static struct bus_call take(enum kind kind) {
        struct bus_call copy;

        assert_non_null(systemd.last[kind]);
        copy = *systemd.last[kind];
        bus_call_drop(copy.place);
        return copy;
}

static _unused_ void answer_job(enum kind kind, int error, const char *job) {
        struct bus_call copy = take(kind);

        copy.job_callback(copy.userdata, error, error < 0 ? "" : job, "it does not answer");
}

/* One unit in that state; NULL: none. */
static _unused_ void answer_list(int error, const char *name, const char *state) {
        const struct unit_row row = {.name = name ? name : "coursenet-12310_0.slice", .active_state = state};
        struct bus_call copy = take(LIST);

        copy.list_callback(copy.userdata, error, &row, error >= 0 && state ? 1 : 0);
}

/* The lease's unit is in that state; NULL: systemd does not have it in memory. */
static _unused_ void answer_unit(int error, const char *state) {
        const struct unit_row row = {
                .name = "coursenet-12310_0.slice", .active_state = state, .job_type = ""};
        struct bus_call copy;

        if (error < 0 || !state) {
                answer_job(FIND, error < 0 ? error : -ENOENT, "");
                return;
        }
        answer_job(FIND, 0, "/unit");
        copy = take(NAMES);
        copy.list_callback(copy.userdata, 0, &row, 1);
}

/* The seat's units are all in that state, with a job of that type; "": with none. */
static _unused_ void answer_seat(int error, const char *state, const char *job) {
        const char *const names[] = {"nsbr@12310.service", "netns@12310.service", "netbr@123.service"};
        struct unit_row rows[ELEMENTSOF(names)];
        struct bus_call copy = take(NAMES);

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                rows[i] = (struct unit_row){names[i], state, job[0] ? 7 : 0, job};
        copy.list_callback(copy.userdata, error, rows, error < 0 ? 0 : ELEMENTSOF(names));
}

static _unused_ void answer_rows(const struct unit_row *rows, size_t n) {
        struct bus_call copy = take(LIST);

        copy.list_callback(copy.userdata, 0, rows, n);
}

static _unused_ void answer_leader(enum leader_answer answer) {
        struct leader_search copy;

        assert_non_null(systemd.search);
        copy = *systemd.search;
        logind_drop_search(copy.place);
        copy.callback(copy.userdata, answer);
}

/* --- coursenet-worker --------------------------------------------------------------------------------- */

struct worker_call {
        struct worker_call **place;
        worker_callback_t callback;
        void *userdata;
};

static struct {
        int error; /* of every request: it cannot even be sent */
        unsigned n;
        struct worker_call *last;
} worker;

void worker_call_drop(struct worker_call **place) {
        if (*place && *place == worker.last)
                worker.last = NULL;
        free(*place);
        *place = NULL;
}

int worker_client_prepare(struct worker_client *client, const char *seat, worker_callback_t callback,
        void *userdata, struct worker_call **place) {
        (void)client;
        assert_string_equal(seat, "12310");
        worker_call_drop(place);
        worker.n++;
        if (worker.error < 0)
                return worker.error;
        *place = malloc(sizeof(**place));
        assert_non_null(*place);
        **place = (struct worker_call){place, callback, userdata};
        worker.last = *place;
        return 0;
}

static _unused_ void answer_worker(int error) {
        struct worker_call copy;

        assert_non_null(worker.last);
        copy = *worker.last;
        worker_call_drop(copy.place);
        copy.callback(copy.userdata, error);
}

/* --- seats, settings, terminals ----------------------------------------------------------------------- */

static struct {
        int wiring; /* what wiring_update() returns */
        wiring_callback_t wired;
        void *wired_userdata;
        struct after_logout after_logout;
        bool keeper, container, forgotten_session, session;
        bool shared;         /* the seat's course is one of several servers */
        const char *student; /* who has the seat by the roster; NULL: cs123-newellz2 */
        unsigned n_cleared, n_told, n_consoles_told;
        ino_t namespace; /* which one the seat has; 0: none */
} world;

struct namespace_id namespace_id_find(const char *seat) {
        (void)seat;
        return (struct namespace_id){.inode = world.namespace};
}

bool wiring_plan_seat(const struct seat_plan *seat, struct wiring *ret) {
        (void)seat;
        (void)ret;
        return true;
}

void wiring_plan_user(const struct seat_plan *seat, uid_t uid, bool manager, struct wiring *ret) {
        (void)seat;
        (void)uid;
        (void)manager;
        (void)ret;
}

void wiring_plan_service(const struct seat_plan *seat, const char *user, uid_t uid,
        const struct service_settings *services, size_t i, struct wiring *ret) {
        (void)seat;
        (void)user;
        (void)uid;
        (void)services;
        (void)i;
        (void)ret;
}

int wiring_keep_user(const char *directory, uid_t uid, bool keep) {
        (void)directory;
        (void)uid;
        (void)keep;
        return 0;
}

int wiring_update(struct seats *seats, const struct wiring *wirings, size_t n, wiring_callback_t callback,
        void *userdata, struct wiring_update **ret_update) {
        (void)seats;
        (void)wirings;
        (void)n;
        world.wired = callback;
        world.wired_userdata = userdata;
        *ret_update = NULL;
        return world.wiring;
}

void wiring_update_free(struct wiring_update *update) {
        (void)update;
}

void failed_units_reset_user(struct seats *seats, uid_t uid) {
        (void)seats;
        (void)uid;
}

void user_limits_apply(struct seats *seats, uid_t uid, const struct limit_settings *limits) {
        (void)seats;
        (void)uid;
        (void)limits;
}

void user_limits_release(struct seats *seats, uid_t uid) {
        (void)seats;
        (void)uid;
}

void starting_units_stop(struct seats *seats, const char *seat, uid_t uid) {
        (void)seats;
        (void)uid;
        assert_string_equal(seat, "12310");
}

void empty_seat_tidy_later(struct seats *seats, const char *seat) {
        (void)seats;
        (void)seat;
        world.n_cleared++;
}

bool seat_lookup(struct settings_cache *cache, const char *user, bool log, struct found_seat *ret,
        enum reply_type *ret_type, char text[static REPLY_TEXT_SIZE]) {
        (void)cache;
        (void)log;
        *ret = (struct found_seat){
                .plan = {.id = {.course = "123", .number = 10}, .name = "12310", .bridge_course = "123"}};
        ret->shared = ret->plan.spread = world.shared;
        if (world.container) {
                ret->services.n_units = 1;
                (void)snprintf(ret->services.units[0], sizeof(ret->services.units[0]), "cont");
        }
        *ret_type = REPLY_NO_SEAT;
        (void)snprintf(text, REPLY_TEXT_SIZE, "not on the roster");
        return string_equal(user, world.student ? world.student : "cs123-newellz2");
}

void seat_after_logout(struct settings_cache *cache, const char *course, struct after_logout *ret) {
        (void)cache;
        assert_string_equal(course, "123");
        *ret = world.after_logout;
}

const struct keeper_roots keeper_roots;

bool keeper_find(const struct keeper_roots *roots, uid_t uid, const char *link, struct keeper *ret) {
        (void)roots;
        (void)uid;
        (void)link;
        *ret = (struct keeper){0};
        if (world.keeper)
                *ret = (struct keeper){.pid = 4711, .unit = "session-3.scope", .events = "/nonexistent"};
        return world.keeper;
}

bool keeper_has_forgotten_session(const struct keeper_roots *roots, uid_t uid) {
        (void)roots;
        assert_int_equal(uid, 5001);
        return world.forgotten_session;
}

bool keeper_may_have_session(const struct keeper_roots *roots, uid_t uid) {
        (void)roots;
        assert_int_equal(uid, 5001);
        return world.session;
}

void terminal_tell(uid_t uid, const char *tty, const char *text) {
        (void)uid;
        (void)tty;
        (void)text;
        world.n_told++;
}

void terminal_tell_console(uid_t uid, const char *tty, const char *text) {
        (void)uid;
        (void)tty;
        (void)text;
        world.n_consoles_told++;
}

/* --- the waiter --------------------------------------------------------------------------------------- */

static char directory[] = "/tmp/coursenet-test-XXXXXX";
static struct lease_table table;
static struct seats seats = {.unit_directory = "/nonexistent", .owner_directory = directory};

struct asker {
        struct lease *lease; /* as a connection has it */
        unsigned n_answers;
        enum reply_type type;
        char text[REPLY_TEXT_SIZE], id[LEASE_ID_SIZE];
        bool hangs_up; /* before it has read the answer */
};

static void handle_answer(void *userdata, const struct reply *reply, int fd) {
        struct asker *asker = userdata;

        (void)fd;
        assert_int_equal(reply_check(reply, sizeof(*reply)), 0); /* as its client does */
        asker->n_answers++;
        asker->type = reply->type;
        (void)snprintf(asker->text, sizeof(asker->text), "%s", reply->text);
        (void)snprintf(asker->id, sizeof(asker->id), "%s", reply->lease);
        if (asker->hangs_up && asker->lease)
                lease_abandon(asker->lease);
}

static void log_query(void *userdata, uid_t uid, const char *text) {
        (void)userdata;
        (void)uid;
        (void)text;
}

/* A process that opens leases. */
static _unused_ pid_t start_opener(void) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        (void)pause();
        }
        return pid;
}

static _unused_ void end_opener(pid_t pid) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
}

/* The service is empty for an administrator's hold. */
static _unused_ void ask_for_hold(struct asker *asker, const char *service) {
        const struct lease_waiter waiter = {handle_answer, asker, &asker->lease, NULL};
        struct request request;

        request_init(&request, REQUEST_HOLD);
        request.timeout_ms = 20000;
        (void)snprintf(request.user, sizeof(request.user), "cs123-newellz2");
        (void)snprintf(request.service, sizeof(request.service), "%s", service);
        lease_hold(&table, &waiter, &request);
}

static _unused_ void ask(struct asker *asker, enum request_type type, uint32_t flags, pid_t opener) {
        const struct lease_waiter waiter = {handle_answer, asker, &asker->lease, NULL};
        const struct ucred peer = {.pid = opener, .uid = 0};
        struct request request;

        request_init(&request, type);
        request.flags = flags;
        request.uid = 5001;
        request.timeout_ms = 20000;
        (void)snprintf(request.user, sizeof(request.user), "cs123-newellz2");
        (void)snprintf(request.service, sizeof(request.service), "%s",
                type == REQUEST_ENTER ? ENTER_SERVICE : "sshd");
        if (type == REQUEST_HOLD)
                ask_for_hold(asker, "");
        else
                lease_open(&table, &waiter, &request, &peer, (int)syscall(SYS_pidfd_open, opener, 0));
}

static _unused_ void close_lease(const char *id, pid_t opener) {
        struct request request;

        request_init(&request, REQUEST_CLOSE);
        (void)snprintf(request.user, sizeof(request.user), "cs123-newellz2");
        (void)snprintf(request.service, sizeof(request.service), "sshd");
        (void)snprintf(request.lease, sizeof(request.lease), "%s", id);
        lease_close(&table, &request, opener);
}

static _unused_ void end_job(const struct lease *lease, const char *job, const char *result) {
        char unit[LEASE_UNIT_SIZE];

        lease_unit_name(lease->record.id, unit);
        systemd.job_removed(systemd.userdata, job, unit, result);
}

static _unused_ void remove_unit(const struct lease *lease) {
        char unit[LEASE_UNIT_SIZE];

        lease_unit_name(lease->record.id, unit);
        systemd.unit_removed(systemd.userdata, unit);
}

/* Has the timer's time come now. */
static _unused_ void hurry(struct lease *lease, enum lease_timer_purpose purpose) {
        sd_event_source *source = lease->timers[purpose].source;

        assert_non_null(source);
        assert_true(sd_event_source_set_time(source, 0) >= 0);
        assert_true(sd_event_run(table.event, 0) >= 0);
}

/* A lease that somebody has. */
static _unused_ struct lease *give(struct asker *asker, pid_t opener) {
        struct lease *lease;

        ask(asker, opener > 0 ? REQUEST_OPEN : REQUEST_HOLD, 0, opener);
        lease = asker->lease;
        assert_non_null(lease);
        answer_job(START, 0, "/job/1");
        end_job(lease, "/job/1", "done");
        assert_int_equal(asker->n_answers, 1);
        assert_int_equal(asker->type, REPLY_DONE);
        lease_confirm(lease);
        assert_null(asker->lease);
        return lease;
}

static _unused_ bool has_record(const char *id) {
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, id);
        return access(path, F_OK) == 0;
}

static _unused_ unsigned count_timers(const struct lease *lease) {
        unsigned n = 0;

        for (unsigned i = 0; i < _LEASE_TIMER_MAX; i++)
                n += lease->timers[i].source != NULL;
        return n;
}

static int begin(void **state) {
        (void)state;
        memset(&systemd, 0, sizeof(systemd));
        memset(&world, 0, sizeof(world));
        memset(&worker, 0, sizeof(worker));
        table = (struct lease_table){.seats = &seats, .state_directory = directory, .log_query = log_query};
        return sd_event_new(&table.event) < 0 || lease_subscribe(&table) < 0;
}

static int finish(void **state) {
        (void)state;
        lease_forget_all(&table);
        assert_int_equal(lease_table_size(&table), 0);
        table.event = sd_event_unref(table.event);
        return 0;
}

static int make_directory(void **state) {
        (void)state;
        return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) {
        char command[64];

        (void)state;
        (void)snprintf(command, sizeof(command), "rm -r %s", directory);
        return system(command);
}

#define LEASE_TEST(test) cmocka_unit_test_setup_teardown(test, begin, finish)

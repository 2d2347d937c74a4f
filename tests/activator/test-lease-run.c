/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a lease does, from a request to the end of its unit. Everything below lease/ is a stand-in: systemd
 * and logind answer what a test has them answer, or nothing; records are in a directory of the test's own;
 * the opener is a child process.
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
#include "lease/lease-activator.h"
#include "lease/lease-object.h"
#include "lease/lease-request.h"
#include "lease/lease-table.h"
#include "seat/empty-seat.h"
#include "seat/failed-units.h"
#include "seat/starting-units.h"
#include "seat/wiring.h"
#include "systemd/logind.h"
#include "systemd/units.h"

/* --- systemd and logind ------------------------------------------------------------------------------- */

enum kind {
        START,
        STOP,
        LIST,
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
        units_reload_callback_t reload_callback;
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

int unit_list(struct bus *bus, const char *const *patterns, size_t n, unit_list_callback_t callback,
        void *userdata, struct bus_call **place) {
        (void)bus;
        (void)patterns;
        (void)n;
        return call(LIST, place, &(struct bus_call){.list_callback = callback, .userdata = userdata});
}

int unit_get_property(struct bus *bus, const char *unit, enum unit_property property,
        unit_property_callback_t callback, void *userdata, struct bus_call **place) {
        (void)bus;
        (void)unit;
        (void)property;
        return call(PROPERTY, place, &(struct bus_call){.property_callback = callback, .userdata = userdata});
}

int units_reload(struct bus *bus, units_reload_callback_t callback, void *userdata, struct bus_call **place) {
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

static void answer_job(enum kind kind, int error, const char *job) {
        struct bus_call copy = take(kind);

        copy.job_callback(copy.userdata, error, error < 0 ? "" : job, "it does not answer");
}

/* One unit in that state; NULL: none. */
static void answer_list(int error, const char *name, const char *state) {
        const struct unit_row row = {.name = name ? name : "coursenet-12310_0.slice", .active_state = state};
        struct bus_call copy = take(LIST);

        copy.list_callback(copy.userdata, error, &row, error >= 0 && state ? 1 : 0);
}

static void answer_leader(enum leader_answer answer) {
        struct leader_search copy;

        assert_non_null(systemd.search);
        copy = *systemd.search;
        logind_drop_search(copy.place);
        copy.callback(copy.userdata, answer);
}

/* --- seats, settings, terminals ----------------------------------------------------------------------- */

static struct {
        int wiring; /* what wiring_update() returns */
        wiring_callback_t wired;
        void *wired_userdata;
        struct after_logout after_logout;
        bool keeper, container;
        unsigned n_cleared, n_told;
} world;

bool wiring_plan_seat(const struct seat_plan *seat, struct wiring *ret) {
        (void)seat;
        (void)ret;
        return true;
}

void wiring_plan_user(const struct seat_plan *seat, uid_t uid, struct wiring *ret) {
        (void)seat;
        (void)uid;
        (void)ret;
}

void wiring_plan_service(const struct seat_plan *seat, const char *user,
        const struct service_settings *services, size_t i, struct wiring *ret) {
        (void)seat;
        (void)user;
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

bool seat_lookup(const char *etc, const char *user, bool log, struct found_seat *ret,
        enum reply_type *ret_type, char text[static REPLY_TEXT_SIZE]) {
        (void)etc;
        (void)log;
        *ret = (struct found_seat){.plan = {.id = {.course = "123", .number = 10}, .name = "12310"}};
        if (world.container) {
                ret->services.n_units = 1;
                (void)snprintf(ret->services.units[0], sizeof(ret->services.units[0]), "cont");
        }
        *ret_type = REPLY_NO_SEAT;
        (void)snprintf(text, REPLY_TEXT_SIZE, "not on the roster");
        return string_equal(user, "cs123-newellz2");
}

void seat_after_logout(const char *etc, const char *course, struct after_logout *ret) {
        (void)etc;
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

void terminal_tell(uid_t uid, const char *tty, const char *text) {
        (void)uid;
        (void)tty;
        (void)text;
        world.n_told++;
}

/* --- whoever asks ------------------------------------------------------------------------------------- */

static char directory[] = "/tmp/coursenet-test-XXXXXX";
static struct lease_table table;
static struct seats seats = {.unit_directory = "/nonexistent"};

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
static pid_t start_opener(void) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        (void)pause();
        }
        return pid;
}

static void end_opener(pid_t pid) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
}

static void ask(struct asker *asker, enum request_type type, uint32_t flags, pid_t opener) {
        const struct lease_waiter waiter = {handle_answer, asker, &asker->lease};
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
                lease_hold(&table, &waiter, &request);
        else
                lease_open(&table, &waiter, &request, &peer, (int)syscall(SYS_pidfd_open, opener, 0));
}

static void close_lease(const char *id, pid_t opener) {
        struct request request;

        request_init(&request, REQUEST_CLOSE);
        (void)snprintf(request.user, sizeof(request.user), "cs123-newellz2");
        (void)snprintf(request.service, sizeof(request.service), "sshd");
        (void)snprintf(request.lease, sizeof(request.lease), "%s", id);
        lease_close(&table, &request, opener);
}

static void end_job(const struct lease *lease, const char *job, const char *result) {
        char unit[LEASE_UNIT_SIZE];

        lease_unit_name(lease->record.id, unit);
        systemd.job_removed(systemd.userdata, job, unit, result);
}

static void remove_unit(const struct lease *lease) {
        char unit[LEASE_UNIT_SIZE];

        lease_unit_name(lease->record.id, unit);
        systemd.unit_removed(systemd.userdata, unit);
}

/* Has the timer's time come now. */
static void hurry(struct lease *lease, enum lease_timer_purpose purpose) {
        sd_event_source *source = lease->timers[purpose].source;

        assert_non_null(source);
        assert_true(sd_event_source_set_time(source, 0) >= 0);
        assert_true(sd_event_run(table.event, 0) >= 0);
}

/* A lease that somebody has. */
static struct lease *give(struct asker *asker, pid_t opener) {
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

static bool has_record(const char *id) {
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, id);
        return access(path, F_OK) == 0;
}

static unsigned count_timers(const struct lease *lease) {
        unsigned n = 0;

        for (unsigned i = 0; i < _LEASE_TIMER_MAX; i++)
                n += lease->timers[i].source != NULL;
        return n;
}

static int begin(void **state) {
        (void)state;
        memset(&systemd, 0, sizeof(systemd));
        memset(&world, 0, sizeof(world));
        table = (struct lease_table){
                .seats = &seats, .state_directory = directory, .etc = "/nonexistent", .log_query = log_query};
        return sd_event_new(&table.event) < 0 || lease_subscribe(&table) < 0;
}

static int finish(void **state) {
        (void)state;
        lease_forget_all(&table);
        assert_int_equal(lease_table_size(&table), 0);
        table.event = sd_event_unref(table.event);
        return 0;
}

/* --- events and actions ------------------------------------------------------------------------------- */

static char done[16];

static void note(struct lease *lease, char action) {
        size_t length = strlen(done);

        (void)lease;
        assert_true(length + 1 < sizeof(done));
        done[length] = action;
}

static void note_joined(struct lease *lease) {
        note(lease, 'j');
        lease_raise(lease, EVENT_OPENER_DIED);
}

static void note_held(struct lease *lease) {
        note(lease, 'h');
}

static void note_watch(struct lease *lease) {
        note(lease, 'w');
}

static void note_leader(struct lease *lease) {
        note(lease, 'l');
}

static void note_forget(struct lease *lease) {
        lease_free(lease);
}

/* The list of EVENT_RESTORED goes on to its end before EVENT_OPENER_DIED is handled. */
static void an_event_is_handled_to_its_end_before_the_next_one(void **state) {
        static const lease_action_t actions[_LEASE_ACTION_MAX] = {
                [DO_MARK_JOINED] = note_joined,
                [DO_LOG_HELD] = note_held,
                [DO_WATCH_OPENER] = note_watch,
                [DO_ASK_LEADER] = note_leader,
                [DO_FORGET] = note_forget,
        };
        const struct lease_record record = {.id = "12310_01"};
        struct lease *lease = lease_new(&table, &record, -1, actions);

        (void)state;
        memset(done, 0, sizeof(done));
        assert_non_null(lease);
        lease_raise(lease, EVENT_RESTORED);
        assert_string_equal(done, "jhwl");
        assert_int_equal(lease->state, LEASE_ORPHANED);
        /* What cannot come is logged, and changes nothing. */
        lease_raise(lease, EVENT_WIRED);
        assert_string_equal(done, "jhwl");
        assert_int_equal(lease->state, LEASE_ORPHANED);
}

/* --- a login ------------------------------------------------------------------------------------------ */

static void a_login_gets_its_seat_and_gives_it_back(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;
        char id[LEASE_ID_SIZE];

        (void)state;
        lease = give(&asker, opener);
        memcpy(id, lease->record.id, sizeof(id));
        assert_string_equal(asker.id, id);
        assert_true(lease_is_active(lease));
        assert_true(has_record(id));
        assert_int_equal(count_timers(lease), 0);

        close_lease(id, opener);
        assert_false(has_record(id));
        answer_job(STOP, 0, "/job/2");
        remove_unit(lease);
        answer_list(0, NULL, NULL);
        assert_null(lease_table_find(&table, id));
        assert_int_equal(world.n_cleared, 1);
        assert_int_equal(asker.n_answers, 1);
        end_opener(opener);
}

static void a_login_is_closed_by_its_process_as_well(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        close_lease("", opener + 1);
        assert_true(lease_is_active(lease));
        close_lease("", opener);
        assert_int_equal(lease->state, LEASE_ENDING);
        answer_job(STOP, -ENOENT, "");
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

static void wait_none_is_answered_when_the_start_is_queued(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        ask(&asker, REQUEST_OPEN, REQUEST_NO_WAIT, opener);
        assert_int_equal(asker.n_answers, 0);
        answer_job(START, 0, "/job/1");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_DONE);
        end_job(asker.lease, "/job/1", "failed");
        answer_list(0, "netns@12310.service", "failed");
        assert_int_equal(asker.n_answers, 1);
        assert_null(asker.lease);
        end_opener(opener);
}

static void what_is_stale_in_memory_is_reloaded_first(void **state) {
        const struct wiring_result stale = {.written = 1, .stale = 1};
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct bus_call reload;

        (void)state;
        world.wiring = 1;
        ask(&asker, REQUEST_OPEN, 0, opener);
        assert_int_equal(asker.lease->state, LEASE_WIRING);
        world.wired(world.wired_userdata, &stale);
        assert_int_equal(systemd.n[START], 0);
        reload = take(RELOAD);
        reload.reload_callback(reload.userdata, -ETIMEDOUT);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_non_null(strstr(asker.text, "daemon-reload"));
        end_opener(opener);
}

/* --- a start that goes wrong -------------------------------------------------------------------------- */

static void a_failed_start_names_the_unit(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        answer_job(START, 0, "/job/1");
        end_job(asker.lease, "/job/2", "done"); /* another job of the unit says nothing */
        assert_int_equal(asker.n_answers, 0);
        end_job(asker.lease, "/job/1", "dependency");
        answer_list(0, "netns@12310.service", "failed");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_non_null(strstr(asker.text, "netns@12310.service failed; see: journalctl"));
        end_opener(opener);
}

static void a_start_that_takes_too_long_is_refused_in_time(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        answer_job(START, 0, "/job/1");
        hurry(asker.lease, TIMER_DEADLINE);
        answer_list(0, "netns@12310.service", "activating");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_TIMEOUT);
        assert_non_null(strstr(asker.text, "takes too long"));
        end_opener(opener);
}

static void a_late_success_is_a_success(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        lease = asker.lease;
        answer_job(START, 0, "/job/1");
        hurry(lease, TIMER_DEADLINE);
        end_job(lease, "/job/1", "done");
        assert_int_equal(asker.type, REPLY_DONE);
        assert_null(systemd.last[LIST]);
        end_opener(opener);
}

/* A bus that is lost at any step of a start is an answer, and no lease that waits for ever. */
static void a_start_that_cannot_be_sent_is_refused(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        systemd.error = -ENOTCONN;
        ask(&asker, REQUEST_OPEN, 0, opener);
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_int_equal(lease_table_size(&table), 1); /* its stop is asked for until systemd answers */
        systemd.error = 0;
        hurry(table.leases, TIMER_STOP);
        answer_job(STOP, -ENOENT, "");
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

static void a_record_that_cannot_be_written_is_no_lease(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        table.state_directory = "/nonexistent";
        ask(&asker, REQUEST_OPEN, 0, opener);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_non_null(strstr(asker.text, "recorded"));
        assert_int_equal(systemd.n[START], 0);
        end_opener(opener);
}

static void who_hangs_up_before_the_answer_has_no_lease(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        lease = asker.lease;
        answer_job(START, 0, "/job/1");
        lease_abandon(lease);
        assert_null(asker.lease);
        assert_int_equal(asker.n_answers, 0);
        assert_int_equal(systemd.n[STOP], 1);
        assert_int_equal(count_timers(lease), 0);
        end_opener(opener);
}

static void who_hangs_up_at_the_answer_has_no_lease(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {.hangs_up = true};
        struct lease *lease;

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        lease = asker.lease;
        answer_job(START, 0, "/job/1");
        end_job(lease, "/job/1", "done");
        assert_int_equal(lease->state, LEASE_ENDING);
        assert_int_equal(systemd.n[STOP], 1);
        assert_int_equal(count_timers(lease), 0);
        assert_null(lease->opener_watch);
        end_opener(opener);
}

static void a_seat_that_is_gone_cannot_be_handed_over(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        ask(&asker, REQUEST_ENTER, 0, opener);
        lease = asker.lease;
        answer_job(START, 0, "/job/1");
        end_job(lease, "/job/1", "done");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_null(strstr(asker.text, "systemctl")); /* a student may not ask systemd */
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

static void a_container_that_fails_is_an_answer_of_its_own(void **state) {
        pid_t opener = start_opener();
        const struct unit_value value = {.text = "no image"};
        struct asker asker = {0};
        struct bus_call property;

        (void)state;
        world.container = true;
        ask(&asker, REQUEST_OPEN, REQUEST_WAIT_CONTAINER, opener);
        answer_job(START, 0, "/job/1");
        end_job(asker.lease, "/job/1", "done");
        assert_int_equal(asker.lease->state, LEASE_CHECKING);
        answer_list(0, "cont@12310.service", "failed");
        property = take(PROPERTY);
        property.property_callback(property.userdata, 0, &value);
        assert_int_equal(asker.type, REPLY_NO_CONTAINER);
        assert_non_null(strstr(asker.text, "no image"));
        end_opener(opener);
}

/* The unit ends while the container is asked about: a lease must not be given on a seat that is gone. */
static void a_seat_that_goes_while_its_container_is_checked_is_refused(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        world.container = true;
        ask(&asker, REQUEST_OPEN, REQUEST_WAIT_CONTAINER, opener);
        answer_job(START, 0, "/job/1");
        end_job(asker.lease, "/job/1", "done");
        remove_unit(asker.lease);
        answer_list(0, NULL, NULL);
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_FAILED);
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

/* --- questions that get no answer --------------------------------------------------------------------- */

/* A start that was cancelled waits for the old unit to be gone, while its deadline runs. */
static void a_cancelled_start_is_tried_again_though_systemd_did_not_answer(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease;

        (void)state;
        ask(&asker, REQUEST_OPEN, 0, opener);
        lease = asker.lease;
        answer_job(START, 0, "/job/1");
        end_job(lease, "/job/1", "canceled");
        remove_unit(lease);
        answer_list(-ETIMEDOUT, NULL, NULL);
        assert_non_null(lease->timers[TIMER_DEADLINE].source);
        hurry(lease, TIMER_GONE);
        answer_list(0, NULL, NULL);
        assert_int_equal(systemd.n[START], 2);
        answer_job(START, 0, "/job/2");
        end_job(lease, "/job/2", "done");
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_DONE);
        end_opener(opener);
}

static void a_dead_opener_is_asked_for_again_while_the_unit_is_in_question(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        remove_unit(lease);
        answer_list(-ETIMEDOUT, NULL, NULL);
        end_opener(opener);
        assert_true(sd_event_run(table.event, 10 * USEC_PER_SEC) > 0);
        assert_int_equal(lease->state, LEASE_ORPHANED);
        answer_leader(LEADER_UNKNOWN);
        hurry(lease, TIMER_GONE);
        answer_list(0, NULL, "active");
        hurry(lease, TIMER_LEADER);
        assert_int_equal(systemd.n_searches, 2);
        answer_leader(LEADER_NONE);
        assert_int_equal(lease->state, LEASE_ENDING);
}

static void a_lingering_lease_learns_that_its_unit_is_gone(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        world.after_logout.linger_seconds = 3600;
        close_lease("", opener);
        assert_int_equal(lease->state, LEASE_LINGERING);
        remove_unit(lease);
        answer_list(-ETIMEDOUT, NULL, NULL);
        assert_non_null(lease->timers[TIMER_LINGER].source);
        hurry(lease, TIMER_GONE);
        answer_list(0, NULL, NULL);
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

static void a_stop_that_fails_is_asked_for_until_the_unit_is_gone(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        close_lease("", opener);
        answer_job(STOP, -ETIMEDOUT, "");
        hurry(lease, TIMER_STOP);
        answer_job(STOP, 0, "/job/9");
        hurry(lease, TIMER_STOP); /* no signal has come */
        answer_job(STOP, -ENOENT, "");
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
}

static void a_login_left_behind_is_told_though_systemd_did_not_answer(void **state) {
        const struct unit_value now = {.text = "", .number = UINT64_MAX}, before = {.text = "", .number = 1};
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);
        struct bus_call property;

        (void)state;
        end_job(lease, "/job/5", "done");
        property = take(PROPERTY);
        property.property_callback(property.userdata, 0, &before);
        assert_true(lease_is_active(lease));
        end_job(lease, "/job/6", "done");
        property = take(PROPERTY);
        property.property_callback(property.userdata, -ETIMEDOUT, &before);
        hurry(lease, TIMER_NAMESPACE);
        property = take(PROPERTY);
        property.property_callback(property.userdata, 0, &now);
        assert_int_equal(lease->state, LEASE_ENDING);
        assert_int_equal(world.n_told, 1);
        end_opener(opener);
}

/* --- an opener that dies ------------------------------------------------------------------------------ */

static void a_login_goes_on_as_long_as_its_session(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        systemd.session_removed(&table); /* somebody else's */
        assert_int_equal(systemd.n_searches, 0);
        end_opener(opener);
        assert_true(sd_event_run(table.event, 10 * USEC_PER_SEC) > 0);
        answer_leader(LEADER_FOUND);
        assert_true(lease_is_active(lease));
        systemd.session_removed(&table);
        answer_leader(LEADER_NONE);
        assert_int_equal(lease->state, LEASE_ENDING);
}

/* --- an administrator --------------------------------------------------------------------------------- */

static void an_administrator_ends_every_lease_of_a_seat(void **state) {
        pid_t opener = start_opener();
        struct asker active = {0}, starting = {0};

        (void)state;
        (void)give(&active, opener);
        ask(&starting, REQUEST_OPEN, 0, opener);
        assert_int_equal(lease_stop_all(&table, "377"), 0);
        assert_int_equal(lease_stop_all(&table, "123"), 2);
        assert_int_equal(starting.type, REPLY_REFUSED);
        assert_int_equal(world.n_told, 1);
        assert_int_equal(lease_stop_all(&table, "12310"), 0);
        end_opener(opener);
}

static void a_stopped_unit_ends_its_lease_and_a_reload_does_not(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        remove_unit(lease);
        answer_list(0, NULL, "active");
        assert_true(lease_is_active(lease));
        remove_unit(lease);
        answer_list(0, NULL, "inactive");
        assert_int_equal(lease_table_size(&table), 0);
        assert_int_equal(world.n_told, 1);
        end_opener(opener);
}

static void there_is_one_hold_and_no_login_ends_it(void **state) {
        struct asker first = {0}, second = {0}, third = {0};
        pid_t opener = start_opener();
        struct lease *lease;

        (void)state;
        ask(&first, REQUEST_HOLD, 0, 0);
        ask(&second, REQUEST_HOLD, 0, 0);
        assert_int_equal(second.type, REPLY_REFUSED);
        lease = first.lease;
        answer_job(START, 0, "/job/1");
        end_job(lease, "/job/1", "done");
        lease_confirm(lease);
        ask(&third, REQUEST_HOLD, 0, 0);
        assert_int_equal(third.type, REPLY_DONE);
        assert_string_equal(third.id, first.id);
        assert_null(third.lease); /* to hang up ends no hold that was there before */

        close_lease("", opener);
        systemd.session_removed(&table);
        end_job(lease, "/job/7", "done");
        assert_int_equal(lease->state, LEASE_HOLD);
        assert_int_equal(lease_stop_all(&table, "cs123-newellz2"), 1);
        end_opener(opener);
}

/* --- after a logout ----------------------------------------------------------------------------------- */

static void a_login_takes_over_what_lingers(void **state) {
        pid_t opener = start_opener();
        struct asker first = {0}, second = {0};
        struct lease *lease = give(&first, opener);
        struct reply reply;

        (void)state;
        world.after_logout.linger_seconds = 60;
        close_lease("", opener);
        assert_true(lease_lingers(lease));
        assert_true(lease_fill_status(lease, &reply));
        assert_int_equal(reply.type, REPLY_KEPT);
        assert_int_equal(lease->pidfd, -1);
        close_lease(lease->record.id, opener); /* a close may come twice */
        assert_true(lease_lingers(lease));
        (void)give(&second, opener);
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

static void a_process_keeps_the_seat_until_it_ends(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);
        struct reply reply;

        (void)state;
        world.after_logout.keep_seconds = 3600;
        world.keeper = true;
        close_lease("", opener);
        assert_int_equal(lease->state, LEASE_SETTLING);
        assert_true(lease_fill_status(lease, &reply));
        assert_int_equal(reply.pid, 0);
        lease->record.linger_until_usec -= 2 * USEC_PER_SEC; /* the logout was two seconds ago */
        hurry(lease, TIMER_LOOK);
        assert_int_equal(lease->state, LEASE_KEPT);
        assert_true(lease_fill_status(lease, &reply));
        assert_int_equal(reply.pid, 4711);
        assert_string_equal(reply.tty, "session-3.scope");
        world.keeper = false;
        hurry(lease, TIMER_LOOK);
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

static void nothing_keeps_a_seat_longer_than_leftover_max(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);

        (void)state;
        world.after_logout = (struct after_logout){.linger_seconds = 5, .keep_seconds = 3600};
        world.keeper = true;
        close_lease("", opener);
        hurry(lease, TIMER_LINGER);
        assert_int_equal(lease->state, LEASE_KEPT);
        hurry(lease, TIMER_KEEP);
        assert_int_equal(lease->state, LEASE_ENDING);
        end_opener(opener);
}

static void coursenet_enter_keeps_a_seat_for_the_last_login_s_time(void **state) {
        pid_t opener = start_opener();
        struct asker login = {0}, entered = {0};
        struct lease *lease = give(&login, opener), *other;
        uint64_t until;

        (void)state;
        ask(&entered, REQUEST_ENTER, 0, opener);
        other = entered.lease;
        other->pass_namespace = false; /* there is none */
        answer_job(START, 0, "/job/2");
        end_job(other, "/job/2", "done");
        lease_confirm(other);
        world.after_logout.keep_seconds = 3600;
        world.keeper = true;
        close_lease(lease->record.id, opener);
        assert_int_equal(lease->state, LEASE_ENDING);
        until = other->record.keep_until_usec;
        assert_true(until > now_realtime_usec());
        close_lease(other->record.id, opener);
        assert_int_equal(other->state, LEASE_SETTLING);
        assert_int_equal(other->record.keep_until_usec, until);
        end_opener(opener);
}

/* --- a restart ---------------------------------------------------------------------------------------- */

static void a_restart_loses_no_lease(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease_record record = {0};
        struct lease *lease = give(&asker, opener);
        char id[LEASE_ID_SIZE];

        (void)state;
        memcpy(id, lease->record.id, sizeof(id));
        lease_forget_all(&table);
        assert_int_equal(lease_table_size(&table), 0);
        assert_int_equal(systemd.n[STOP], 0);
        memcpy(record.id, id, sizeof(id));
        assert_int_equal(record_store_load(directory, id, &record), 0);

        assert_int_equal(lease_restore(&table, &record, (int)syscall(SYS_pidfd_open, opener, 0)), 0);
        lease = lease_table_find(&table, id);
        assert_non_null(lease);
        assert_int_equal(lease->state, LEASE_ACTIVE);
        end_opener(opener);
        assert_true(sd_event_run(table.event, 10 * USEC_PER_SEC) > 0);
        assert_int_equal(lease->state, LEASE_ORPHANED);
}

static void an_opener_that_died_meanwhile_is_found(void **state) {
        struct lease_record record = {.id = "12310_01", .seat = "12310", .course = "123", .opener = 4242};

        (void)state;
        assert_int_equal(lease_restore(&table, &record, -1), 0);
        answer_leader(LEADER_NONE);
        assert_int_equal(table.leases->state, LEASE_ENDING);
}

static void a_login_without_an_answer_asks_the_next_activator(void **state) {
        pid_t opener = start_opener();
        struct lease_record record = {.id = "12310_01", .seat = "12310", .course = "123", .token = "abc"};
        struct asker asker = {0};
        const struct lease_waiter waiter = {handle_answer, &asker, &asker.lease};
        const struct ucred peer = {.pid = opener};
        struct request request;

        (void)state;
        record.opener = opener;
        assert_int_equal(lease_restore(&table, &record, (int)syscall(SYS_pidfd_open, opener, 0)), 0);
        request_init(&request, REQUEST_OPEN);
        request.uid = 5001;
        (void)snprintf(request.user, sizeof(request.user), "cs123-newellz2");
        (void)snprintf(request.lease, sizeof(request.lease), "abc");
        lease_open(&table, &waiter, &request, &peer, (int)syscall(SYS_pidfd_open, opener, 0));
        assert_int_equal(asker.n_answers, 1);
        assert_int_equal(asker.type, REPLY_DONE);
        assert_string_equal(asker.id, "12310_01");
        assert_int_equal(lease_table_size(&table), 1);
        end_opener(opener);
}

/* --- who may have a lease ----------------------------------------------------------------------------- */

static void a_request_without_a_pidfd_of_its_sender_is_refused(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        const struct lease_waiter waiter = {handle_answer, &asker, &asker.lease};
        const struct ucred peer = {.pid = opener};
        struct request request;

        (void)state;
        request_init(&request, REQUEST_OPEN);
        request.uid = 5001;
        lease_open(&table, &waiter, &request, &peer, -1);
        assert_int_equal(asker.type, REPLY_REFUSED);
        lease_open(&table, &waiter, &request, &peer, (int)syscall(SYS_pidfd_open, getpid(), 0));
        assert_int_equal(asker.n_answers, 2);
        assert_int_equal(asker.type, REPLY_REFUSED);
        assert_int_equal(lease_table_size(&table), 0);
        end_opener(opener);
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

int main(void) {
        const struct CMUnitTest tests[] = {
                LEASE_TEST(an_event_is_handled_to_its_end_before_the_next_one),
                LEASE_TEST(a_login_gets_its_seat_and_gives_it_back),
                LEASE_TEST(a_login_is_closed_by_its_process_as_well),
                LEASE_TEST(wait_none_is_answered_when_the_start_is_queued),
                LEASE_TEST(what_is_stale_in_memory_is_reloaded_first),
                LEASE_TEST(a_failed_start_names_the_unit),
                LEASE_TEST(a_start_that_takes_too_long_is_refused_in_time),
                LEASE_TEST(a_late_success_is_a_success),
                LEASE_TEST(a_start_that_cannot_be_sent_is_refused),
                LEASE_TEST(a_record_that_cannot_be_written_is_no_lease),
                LEASE_TEST(who_hangs_up_before_the_answer_has_no_lease),
                LEASE_TEST(who_hangs_up_at_the_answer_has_no_lease),
                LEASE_TEST(a_seat_that_is_gone_cannot_be_handed_over),
                LEASE_TEST(a_container_that_fails_is_an_answer_of_its_own),
                LEASE_TEST(a_seat_that_goes_while_its_container_is_checked_is_refused),
                LEASE_TEST(a_cancelled_start_is_tried_again_though_systemd_did_not_answer),
                LEASE_TEST(a_dead_opener_is_asked_for_again_while_the_unit_is_in_question),
                LEASE_TEST(a_lingering_lease_learns_that_its_unit_is_gone),
                LEASE_TEST(a_stop_that_fails_is_asked_for_until_the_unit_is_gone),
                LEASE_TEST(a_login_left_behind_is_told_though_systemd_did_not_answer),
                LEASE_TEST(a_login_goes_on_as_long_as_its_session),
                LEASE_TEST(an_administrator_ends_every_lease_of_a_seat),
                LEASE_TEST(a_stopped_unit_ends_its_lease_and_a_reload_does_not),
                LEASE_TEST(there_is_one_hold_and_no_login_ends_it),
                LEASE_TEST(a_login_takes_over_what_lingers),
                LEASE_TEST(a_process_keeps_the_seat_until_it_ends),
                LEASE_TEST(nothing_keeps_a_seat_longer_than_leftover_max),
                LEASE_TEST(coursenet_enter_keeps_a_seat_for_the_last_login_s_time),
                LEASE_TEST(a_restart_loses_no_lease),
                LEASE_TEST(an_opener_that_died_meanwhile_is_found),
                LEASE_TEST(a_login_without_an_answer_asks_the_next_activator),
                LEASE_TEST(a_request_without_a_pidfd_of_its_sender_is_refused),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

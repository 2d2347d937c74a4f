/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The messages to systemd and logind, and how their answers are read. The test is at the other end of the
 * connection and answers as they do.
 */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include <cmocka.h>

#include "systemd/bus-call.h"
#include "systemd/bus.h"
#include "systemd/logind.h"
#include "systemd/units.h"

static sd_event *event;
static sd_bus *peer; /* the end that plays systemd and logind */
static sd_bus *ours; /* the other one; borrowed from bus */
static struct bus *bus;

/* --- the other end --------------------------------------------------------------------------- */

/* What came last, and how it is answered: a method of the same name below. */
static char received[512];
static unsigned n_received;

static const char *error_name;   /* NULL: there is an answer */
static const char *error_member; /* the method that has the error; NULL: each */

/* The text of a call's arguments: strings and numbers in their order, whatever they are in. */
static void print_arguments(sd_bus_message *message, char *text, size_t size) {
        const char *contents, *string;
        char type;
        uint32_t number;
        uint64_t wide;

        while (sd_bus_message_peek_type(message, &type, &contents) > 0) {
                size_t length = strlen(text);

                if (type == SD_BUS_TYPE_STRING) {
                        assert_true(sd_bus_message_read(message, "s", &string) > 0);
                        (void)snprintf(text + length, size - length, " %s", string);
                } else if (type == SD_BUS_TYPE_UINT64) {
                        assert_true(sd_bus_message_read(message, "t", &wide) > 0);
                        (void)snprintf(text + length, size - length, " %" PRIu64, wide);
                } else if (strchr("ibu", type)) {
                        assert_true(sd_bus_message_read_basic(message, type, &number) > 0);
                        (void)snprintf(text + length, size - length, " %u", number);
                } else {
                        assert_true(sd_bus_message_enter_container(message, type, contents) > 0);
                        print_arguments(message, text, size);
                        assert_true(sd_bus_message_exit_container(message) > 0);
                }
        }
}

static int reply_row(sd_bus_message *reply, const char *name, const char *state, unsigned job) {
        return sd_bus_message_append(reply, "(ssssssouso)", name, "a description", "loaded", state, "dead",
                "", "/unit", job, job > 0 ? "start" : "", "/job");
}

static int fill_reply(sd_bus_message *reply, const char *member) {
        int r;

        if (strcmp(member, "StartTransientUnit") == 0 || strcmp(member, "StopUnit") == 0 ||
                strcmp(member, "GetUnit") == 0)
                return sd_bus_message_append(reply, "o", "/org/freedesktop/systemd1/job/42");
        if (strcmp(member, "ListUnitsByPatterns") == 0 || strcmp(member, "ListUnitsByNames") == 0) {
                r = sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
                if (r >= 0)
                        r = reply_row(reply, "nsbr@12310.service", "active", 0);
                if (r >= 0)
                        r = reply_row(reply, "netns@12310.service", "inactive", 7);
                return r < 0 ? r : sd_bus_message_close_container(reply);
        }
        if (strcmp(member, "ListSessions") == 0)
                return sd_bus_message_append(reply, "a(susso)", 3, "1", 1000, "amy", "", "/session/1", "2",
                        1001, "bob", "", "/session/2", "3", 1000, "amy", "", "/session/3");
        return 0;
}

static int fill_property(sd_bus_message *reply, const char *path) {
        if (strstr(received, "DropInPaths"))
                return sd_bus_message_append(reply, "v", "as", 2, "/a.conf", "/b.conf");
        if (strstr(received, "NeedDaemonReload"))
                return sd_bus_message_append(reply, "v", "b", 1);
        if (strstr(received, "InactiveExitTimestampMonotonic"))
                return sd_bus_message_append(reply, "v", "t", UINT64_C(5000000000));
        if (strstr(received, "StatusText"))
                return sd_bus_message_append(reply, "v", "s", "no image");
        if (strstr(received, "Result"))
                return sd_bus_message_append(reply, "v", "u", 5); /* not the type that it has */
        /* Session 3 is led by process 4243, session 1 by 4242. */
        return sd_bus_message_append(reply, "v", "u", strcmp(path, "/session/3") == 0 ? 4243 : 4242);
}

static int handle_call(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *member = sd_bus_message_get_member(message), *path = sd_bus_message_get_path(message);
        int r;

        (void)userdata;
        (void)error;
        if (sd_bus_message_is_signal(message, NULL, NULL) || !member)
                return 0;
        n_received++;
        (void)snprintf(received, sizeof(received), "%s", member);
        print_arguments(message, received, sizeof(received));
        if (error_name && (!error_member || strcmp(error_member, member) == 0))
                return sd_bus_reply_method_errorf(message, error_name, "these are its words");
        if (sd_bus_message_get_expect_reply(message) == 0)
                return 1;

        assert_true(sd_bus_message_new_method_return(message, &reply) >= 0);
        r = strcmp(member, "Get") == 0 ? fill_property(reply, path) : fill_reply(reply, member);
        assert_true(r >= 0);
        assert_true(sd_bus_send(NULL, reply, NULL) >= 0);
        return 1;
}

static sd_bus *make_end(int fd, bool server) {
        sd_id128_t id;
        sd_bus *end;

        assert_true(sd_id128_randomize(&id) >= 0);
        assert_true(sd_bus_new(&end) >= 0);
        assert_true(sd_bus_set_fd(end, fd, fd) >= 0);
        if (server) {
                assert_true(sd_bus_set_server(end, true, id) >= 0);
                assert_true(sd_bus_set_anonymous(end, true) >= 0);
        } else
                assert_true(sd_bus_set_anonymous(end, true) >= 0);
        assert_true(sd_bus_start(end) >= 0);
        return end;
}

static int set_up(void **state) {
        int fds[2];

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        assert_true(sd_event_new(&event) >= 0);
        peer = make_end(fds[0], true);
        assert_true(sd_bus_add_filter(peer, NULL, handle_call, NULL) >= 0);
        assert_true(sd_bus_attach_event(peer, event, SD_EVENT_PRIORITY_NORMAL) >= 0);
        ours = make_end(fds[1], false);
        assert_int_equal(bus_attach(event, ours, &bus), 0);
        error_name = error_member = NULL;
        received[0] = '\0';
        n_received = 0;
        return 0;
}

static int tear_down(void **state) {
        (void)state;
        bus_close(bus);
        peer = sd_bus_flush_close_unref(peer);
        event = sd_event_unref(event);
        return 0;
}

/* --- calls ----------------------------------------------------------------------------------- */

/* What the last callback was given. */
static struct {
        unsigned n;
        int error;
        char text[256];
        struct unit_value value;
} got;

static struct bus_call *call;

static void run_until_answered(void) {
        unsigned n = got.n;

        while (got.n == n)
                assert_true(sd_event_run(event, UINT64_C(10000000)) > 0);
        assert_null(call);
}

static void note_job(void *userdata, int error, const char *job, const char *text) {
        assert_ptr_equal(userdata, &got);
        got.n++;
        got.error = error;
        (void)snprintf(got.text, sizeof(got.text), "%s|%s", job, text);
}

static void note_rows(void *userdata, int error, const struct unit_row *rows, size_t n) {
        assert_ptr_equal(userdata, &got);
        got.n++;
        got.error = error;
        got.text[0] = '\0';
        for (size_t i = 0; i < n; i++)
                (void)snprintf(got.text + strlen(got.text), sizeof(got.text) - strlen(got.text),
                        "%s %s %u%s|", rows[i].name, rows[i].active_state, rows[i].job, rows[i].job_type);
}

static void note_value(void *userdata, int error, const struct unit_value *value) {
        assert_ptr_equal(userdata, &got);
        got.n++;
        got.error = error;
        got.value = *value;
        (void)snprintf(got.text, sizeof(got.text), "%s", value->text);
        for (size_t i = 0; i < value->n_list; i++)
                (void)snprintf(got.text + strlen(got.text), sizeof(got.text) - strlen(got.text), "%s|",
                        value->list[i]);
}

static void note_reload(void *userdata, int error) {
        assert_ptr_equal(userdata, &got);
        got.n++;
        got.error = error;
}

static void a_unit_is_started_with_what_it_needs(void **state) {
        const struct transient_unit unit = {
                .name = "coursenet-12310_1.slice",
                .mode = "replace",
                .description = "Lease of seat 12310 (sshd)",
                .binds_to = (const char *const[]){"nsbr@12310.service", NULL},
                .after = (const char *const[]){"nsbr@12310.service", "cont@12310.service", NULL},
                .wants = (const char *const[]){NULL},
                .ignore_on_isolate = true,
        };

        (void)state;
        assert_int_equal(unit_start_transient(bus, &unit, note_job, &got, &call), 0);
        assert_non_null(call);
        run_until_answered();
        assert_string_equal(received,
                "StartTransientUnit coursenet-12310_1.slice replace Description Lease of seat 12310 (sshd)"
                " BindsTo nsbr@12310.service After nsbr@12310.service cont@12310.service IgnoreOnIsolate 1");
        assert_int_equal(got.error, 0);
        assert_string_equal(got.text, "/org/freedesktop/systemd1/job/42|");
}

static void a_refusal_has_the_words_of_systemd(void **state) {
        const struct transient_unit unit = {
                .name = "a.slice",
                .mode = "fail",
                .requisite = (const char *const[]){"netns@12310.service", NULL},
        };

        (void)state;
        error_name = "org.freedesktop.systemd1.TransactionIsDestructive";
        assert_int_equal(unit_start_transient(bus, &unit, note_job, &got, &call), 0);
        run_until_answered();
        assert_string_equal(received, "StartTransientUnit a.slice fail Requisite netns@12310.service");
        assert_true(got.error < 0);
        assert_string_equal(got.text, "|these are its words");
}

static void a_unit_that_is_not_there_is_known_by_its_error(void **state) {
        (void)state;
        error_name = "org.freedesktop.systemd1.NoSuchUnit";
        assert_int_equal(unit_stop(bus, "a.slice", note_job, &got, &call), 0);
        run_until_answered();
        assert_string_equal(received, "StopUnit a.slice replace");
        assert_int_equal(got.error, -ENOENT);

        error_name = SD_BUS_ERROR_ACCESS_DENIED;
        assert_int_equal(unit_stop(bus, "a.slice", note_job, &got, &call), 0);
        run_until_answered();
        assert_true(got.error < 0 && got.error != -ENOENT);

        /* Another error that libsystemd has the same number for: the unit may be there. */
        error_name = SD_BUS_ERROR_FILE_NOT_FOUND;
        assert_int_equal(unit_stop(bus, "a.slice", note_job, &got, &call), 0);
        run_until_answered();
        assert_true(got.error < 0 && got.error != -ENOENT);
}

static void an_order_without_a_callback_is_sent_all_the_same(void **state) {
        static const char *const lines[] = {
                "StopUnit a.slice replace", "ResetFailedUnit a.slice", "KillUnit a.slice all 9"};

        (void)state;
        assert_true(unit_stop(bus, "a.slice", NULL, NULL, NULL) >= 0);
        assert_true(unit_reset_failed(bus, "a.slice") >= 0);
        assert_true(unit_kill(bus, "a.slice") >= 0);
        for (unsigned i = 0; i < ELEMENTSOF(lines); i++) {
                while (n_received == i)
                        assert_true(sd_event_run(event, UINT64_C(10000000)) > 0);
                assert_int_equal(n_received, i + 1);
                assert_string_equal(received, lines[i]);
        }
}

static void units_are_listed(void **state) {
        static const char *const patterns[] = {"nsbr@12310.service", "netns@*.service"};

        (void)state;
        assert_int_equal(unit_list(bus, patterns, 2, note_rows, &got, &call), 0);
        run_until_answered();
        assert_string_equal(received, "ListUnitsByPatterns nsbr@12310.service netns@*.service");
        assert_int_equal(got.error, 0);
        assert_string_equal(got.text, "nsbr@12310.service active 0|netns@12310.service inactive 7start|");

        error_name = SD_BUS_ERROR_ACCESS_DENIED;
        assert_int_equal(unit_list(bus, patterns, 2, note_rows, &got, &call), 0);
        run_until_answered();
        assert_int_equal(got.error, -EACCES);
        assert_string_equal(got.text, "");
}

static void units_are_listed_by_name_with_their_jobs(void **state) {
        const char *const names[] = {"nsbr@12310.service", "netns@12310.service"};
        char path[UNIT_JOB_PATH_SIZE];

        (void)state;
        assert_int_equal(unit_list_names(bus, names, 2, note_rows, &got, &call), 0);
        run_until_answered();
        assert_string_equal(received, "ListUnitsByNames nsbr@12310.service netns@12310.service");
        assert_string_equal(got.text, "nsbr@12310.service active 0|netns@12310.service inactive 7start|");
        unit_job_path(42, path);
        assert_string_equal(path, "/org/freedesktop/systemd1/job/42");
}

static void a_unit_is_found_if_systemd_has_it_in_memory(void **state) {
        (void)state;
        assert_int_equal(unit_find(bus, "user-1001.slice", note_job, &got, &call), 0);
        run_until_answered();
        assert_string_equal(received, "GetUnit user-1001.slice");
        assert_int_equal(got.error, 0);

        error_name = "org.freedesktop.systemd1.NoSuchUnit";
        assert_int_equal(unit_find(bus, "user-1001.slice", note_job, &got, &call), 0);
        run_until_answered();
        assert_int_equal(got.error, -ENOENT);
}

static void numbers_are_set_as_systemd_has_them(void **state) {
        static const struct unit_number numbers[] = {
                {"MemoryMax", UINT64_C(3000000000), false}, {"MemoryMaxScale", 2147483648U, true}};

        (void)state;
        assert_int_equal(unit_set_numbers(bus, "user-1001.slice", numbers, 2, note_reload, &got, &call), 0);
        run_until_answered();
        assert_string_equal(received,
                "SetUnitProperties user-1001.slice 1 MemoryMax 3000000000 MemoryMaxScale 2147483648");
        assert_int_equal(got.error, 0);
}

static void a_call_that_is_under_way_ends_with_the_connection(void **state) {
        unsigned n;

        (void)state;
        /* A connection that never got through would be waited for at its end. */
        assert_int_equal(units_reload(bus, note_reload, &got, &call), 0);
        run_until_answered();
        n = got.n;
        assert_int_equal(unit_find(bus, "a.slice", note_job, &got, &call), 0);
        bus_close(bus);
        bus = NULL;
        assert_null(call);
        assert_int_equal(got.n, n);
}

static void get(enum unit_property property) {
        assert_int_equal(unit_get_property(bus, "cont@12310.service", property, note_value, &got, &call), 0);
        run_until_answered();
}

static void properties_are_read(void **state) {
        (void)state;
        get(UNIT_DROP_IN_PATHS);
        assert_string_equal(received, "Get org.freedesktop.systemd1.Unit DropInPaths");
        assert_string_equal(got.text, "/a.conf|/b.conf|");
        get(UNIT_NEED_DAEMON_RELOAD);
        assert_true(got.value.flag);
        get(UNIT_INACTIVE_EXIT);
        assert_int_equal(got.value.number, UINT64_C(5000000000));
        get(SERVICE_STATUS_TEXT);
        assert_string_equal(received, "Get org.freedesktop.systemd1.Service StatusText");
        assert_string_equal(got.text, "no image");
        assert_int_equal(got.error, 0);
}

static void a_property_that_cannot_be_read_is_empty(void **state) {
        (void)state;
        get(SERVICE_RESULT);
        assert_true(got.error < 0);
        assert_string_equal(got.text, "");

        error_name = SD_BUS_ERROR_UNKNOWN_OBJECT;
        get(UNIT_NEED_DAEMON_RELOAD);
        assert_true(got.error < 0);
        assert_false(got.value.flag);
}

static void systemd_is_told_to_reload(void **state) {
        (void)state;
        assert_int_equal(units_reload(bus, note_reload, &got, &call), 0);
        run_until_answered();
        assert_string_equal(received, "Reload");
        assert_int_equal(got.error, 0);
}

static void a_dropped_call_has_no_answer(void **state) {
        unsigned n = got.n;

        (void)state;
        assert_int_equal(unit_stop(bus, "a.slice", note_job, &got, &call), 0);
        bus_call_drop(&call);
        assert_null(call);
        /* One call at a place: the second drops the first. */
        assert_int_equal(unit_stop(bus, "b.slice", note_job, &got, &call), 0);
        assert_int_equal(unit_stop(bus, "c.slice", note_job, &got, &call), 0);
        run_until_answered(); /* the answers come in their order */
        assert_int_equal(got.n, n + 1);
        assert_int_equal(n_received, 3);
}

static void a_bus_that_goes_answers_nobody_and_ends_the_loop(void **state) {
        struct bus_call *others[3] = {NULL};
        unsigned n = got.n;

        (void)state;
        assert_int_equal(unit_stop(bus, "a.slice", note_job, &got, &call), 0);
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_int_equal(unit_stop(bus, "c.slice", note_job, &got, &others[i]), 0);
        bus_call_drop(&others[1]);
        sd_bus_close(peer);
        assert_int_equal(sd_event_loop(event), EXIT_FAILURE);
        assert_int_equal(got.n, n);
        assert_null(call);
        assert_null(others[0]);
        assert_null(others[2]);
}

/* A login is not refused because the bus was stopped a moment ago: the next activator answers it. */
static void a_call_that_meets_a_bus_that_is_gone_has_no_answer(void **state) {
        struct bus_call *second = NULL;
        unsigned n;

        (void)state;
        /* Connected for certain; the messages until then are out. */
        assert_int_equal(units_reload(bus, note_reload, &got, &call), 0);
        run_until_answered();
        n = got.n;
        sd_bus_close(peer);
        assert_int_equal(unit_stop(bus, "a.slice", note_job, &got, &call), 0);
        assert_int_equal(unit_stop(bus, "c.slice", note_job, &got, &second), 0);
        assert_non_null(call);
        assert_non_null(second);
        assert_int_equal(sd_event_loop(event), EXIT_FAILURE);
        assert_int_equal(got.n, n);
        bus_call_drop(&call);
        bus_call_drop(&second);
}

/* --- signals --------------------------------------------------------------------------------- */

static char heard[256];

static void hear_job(void *userdata, const char *job, const char *unit, const char *result) {
        (void)snprintf(heard + strlen(heard), sizeof(heard) - strlen(heard), "%s %s %s %s|",
                (const char *)userdata, job, unit, result);
}

static void hear_removed(void *userdata, const char *unit) {
        (void)snprintf(
                heard + strlen(heard), sizeof(heard) - strlen(heard), "%s %s|", (const char *)userdata, unit);
}

static void hear_session(void *userdata) {
        (void)snprintf(heard + strlen(heard), sizeof(heard) - strlen(heard), "%s|", (const char *)userdata);
}

static void send_signal(const char *sender, const char *path, const char *interface, const char *member,
        const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        va_list arguments;

        assert_true(sd_bus_message_new_signal(peer, &message, path, interface, member) >= 0);
        assert_true(sd_bus_message_set_sender(message, sender) >= 0);
        va_start(arguments, types);
        assert_true(sd_bus_message_appendv(message, types, arguments) >= 0);
        va_end(arguments);
        assert_true(sd_bus_send(peer, message, NULL) >= 0);
}

#define SYSTEMD "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define LOGIND "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"

static void subscribers_hear_of_jobs_units_and_sessions(void **state) {
        char first[] = "first", second[] = "second", third[] = "third", fourth[] = "fourth";

        (void)state;
        heard[0] = '\0';
        assert_true(units_on_job_removed(bus, hear_job, first) >= 0);
        assert_true(units_on_job_removed(bus, hear_job, second) >= 0);
        assert_true(units_on_removed(bus, hear_removed, third) >= 0);
        assert_true(logind_on_session_removed(bus, hear_session, fourth) >= 0);
        send_signal(SYSTEMD, "JobRemoved", "uoss", 42, "/job/42", "a.slice", "done");
        send_signal(SYSTEMD, "UnitRemoved", "so", "b.slice", "/unit");
        send_signal(SYSTEMD, "UnitNew", "so", "c.slice", "/unit");
        send_signal(LOGIND, "SessionRemoved", "so", "1", "/session/1");
        while (!strstr(heard, "fourth") || n_received == 0)
                assert_true(sd_event_run(event, UINT64_C(10000000)) > 0);
        assert_string_equal(
                heard, "first /job/42 a.slice done|second /job/42 a.slice done|third b.slice|fourth|");
        assert_string_equal(received, "Subscribe");
        /* systemd is asked once to send its signals: the next call is the second one. */
        assert_int_equal(units_reload(bus, note_reload, &got, &call), 0);
        run_until_answered();
        assert_int_equal(n_received, 2);
}

#define BUS "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus"

static void nobody_answers_for_a_systemd_that_has_left(void **state) {
        char name[] = "first";
        int code = -1;

        (void)state;
        heard[0] = '\0';
        assert_true(units_on_job_removed(bus, hear_job, name) >= 0);
        send_signal(BUS, "NameOwnerChanged", "sss", "org.freedesktop.login1", ":1.2", "");
        send_signal(BUS, "NameOwnerChanged", "sss", "org.freedesktop.systemd1", "", ":1.3");
        send_signal(SYSTEMD, "JobRemoved", "uoss", 42, "/job/42", "a.slice", "done");
        while (!heard[0])
                assert_true(sd_event_run(event, UINT64_C(10000000)) > 0);
        send_signal(BUS, "NameOwnerChanged", "sss", "org.freedesktop.systemd1", ":1.3", "");
        assert_int_equal(sd_event_loop(event), EXIT_SUCCESS);
        assert_true(sd_event_get_exit_code(event, &code) >= 0);
        assert_int_equal(code, EXIT_SUCCESS);
}

static void an_answer_that_is_lost_ends_the_activator(void **state) {
        unsigned n = got.n;

        (void)state;
        error_name = SD_BUS_ERROR_NO_REPLY;
        assert_int_equal(units_reload(bus, note_reload, &got, &call), 0);
        assert_int_equal(sd_event_loop(event), EXIT_SUCCESS);
        assert_int_equal(got.n, n);
        assert_null(call);
}

/* timeout= of pam_coursenet(8) is 300 s at most. */
static void no_call_ends_sooner_than_a_login_may_wait(void **state) {
        uint64_t usec = 0;

        (void)state;
        /* A connection that never got through would be waited for at its end. */
        assert_int_equal(units_reload(bus, note_reload, &got, &call), 0);
        run_until_answered();
        assert_true(sd_bus_get_method_call_timeout(ours, &usec) >= 0);
        assert_true(usec > UINT64_C(300000000));
}

static void without_signals_the_activator_ends(void **state) {
        char name[] = "first";
        int code = 0;

        (void)state;
        error_name = SD_BUS_ERROR_ACCESS_DENIED;
        assert_true(units_on_removed(bus, hear_removed, name) >= 0);
        assert_int_equal(sd_event_loop(event), EXIT_FAILURE);
        assert_true(sd_event_get_exit_code(event, &code) >= 0);
}

/* --- logind ---------------------------------------------------------------------------------- */

static struct leader_search *search;
static int leader;

static void note_leader(void *userdata, enum leader_answer answer) {
        assert_ptr_equal(userdata, &leader);
        assert_null(search);
        leader = (int)answer;
}

static int find_leader(uid_t uid, pid_t pid) {
        leader = -1;
        assert_int_equal(logind_find_leader(bus, uid, pid, note_leader, &leader, &search), 0);
        while (leader < 0)
                assert_true(sd_event_run(event, UINT64_C(10000000)) > 0);
        return leader;
}

static void a_session_keeps_the_login_of_a_dead_process(void **state) {
        (void)state;
        assert_int_equal(find_leader(1000, 4242), LEADER_FOUND);
        assert_int_equal(find_leader(1000, 4243), LEADER_FOUND);
        assert_int_equal(find_leader(1000, 4244), LEADER_NONE);
        /* Another user's session does not count, and is not asked about. */
        n_received = 0;
        assert_int_equal(find_leader(1002, 4242), LEADER_NONE);
        assert_int_equal(n_received, 1);
}

static void a_logind_that_does_not_answer_is_not_one_that_says_no(void **state) {
        (void)state;
        error_name = SD_BUS_ERROR_SERVICE_UNKNOWN;
        assert_int_equal(find_leader(1000, 4242), LEADER_NONE);
        error_name = SD_BUS_ERROR_NO_REPLY;
        assert_int_equal(find_leader(1000, 4242), LEADER_UNKNOWN);
        error_member = "Get";
        assert_int_equal(find_leader(1000, 4242), LEADER_UNKNOWN);
        error_name = SD_BUS_ERROR_UNKNOWN_OBJECT;
        assert_int_equal(find_leader(1000, 4242), LEADER_NONE);
}

static void a_dropped_search_has_no_answer(void **state) {
        (void)state;
        leader = -1;
        assert_int_equal(logind_find_leader(bus, 1000, 4242, note_leader, &leader, &search), 0);
        logind_drop_search(&search);
        assert_null(search);
        assert_int_equal(unit_stop(bus, "a.slice", note_job, &got, &call), 0);
        run_until_answered(); /* the answers come in their order */
        assert_int_equal(leader, -1);
}

#define bus_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                bus_test(a_unit_is_started_with_what_it_needs),
                bus_test(a_refusal_has_the_words_of_systemd),
                bus_test(a_unit_that_is_not_there_is_known_by_its_error),
                bus_test(an_order_without_a_callback_is_sent_all_the_same),
                bus_test(units_are_listed),
                bus_test(units_are_listed_by_name_with_their_jobs),
                bus_test(a_unit_is_found_if_systemd_has_it_in_memory),
                bus_test(numbers_are_set_as_systemd_has_them),
                bus_test(a_call_that_is_under_way_ends_with_the_connection),
                bus_test(properties_are_read),
                bus_test(a_property_that_cannot_be_read_is_empty),
                bus_test(systemd_is_told_to_reload),
                bus_test(a_dropped_call_has_no_answer),
                bus_test(a_bus_that_goes_answers_nobody_and_ends_the_loop),
                bus_test(a_call_that_meets_a_bus_that_is_gone_has_no_answer),
                bus_test(subscribers_hear_of_jobs_units_and_sessions),
                bus_test(nobody_answers_for_a_systemd_that_has_left),
                bus_test(an_answer_that_is_lost_ends_the_activator),
                bus_test(no_call_ends_sooner_than_a_login_may_wait),
                bus_test(without_signals_the_activator_ends),
                bus_test(a_session_keeps_the_login_of_a_dead_process),
                bus_test(a_logind_that_does_not_answer_is_not_one_that_says_no),
                bus_test(a_dropped_search_has_no_answer),
        };

        return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The start of an activator: it restores leases, and removes units and records without a lease. */

#include "fake-systemd.h"
#include "fake-timer.h"
#include "tests/unit/fixture.h"

#include <sys/syscall.h>
#include <systemd/sd-id128.h>

#include "base/peer.h"
#include "lease/lease-object.h"
#include "lease/lease-startup.h"
#include "lease/stray-unit.h"
#include "request/restore.h"
#include "seat/empty-seat.h"
#include "seat/worker-client.h"

#define LEASE "12310_0123456789abcdef"
#define UNIT "coursenet-" LEASE ".slice"
#define LIST "list coursenet-*.slice netns@*.service nsbr@*.service"

static struct seats seats;
static struct lease_table table;

/* The lease that was restored, and whether its opener was found. */
static unsigned n_restored;
static struct lease_record restored;
static bool has_opener;
static uint32_t restored_job;
static int restore_error;

int lease_restore(struct lease_table *leases, const struct lease_record *record, int pidfd, uint32_t job) {
        if (restore_error < 0)
                return restore_error;
        n_restored++;
        restored_job = job;
        restored = *record;
        has_opener = pidfd >= 0;
        return lease_new(leases, record, pidfd, NULL) ? 0 : -ENOMEM;
}

/* The lease that is known to have gone. */
static char forgotten[LEASE_ID_SIZE];

void lease_forget_record(struct lease_table *leases, const char *id) {
        assert_ptr_equal(leases, &table);
        (void)string_copy(forgotten, sizeof(forgotten), id);
}

/* How many seats coursenet-worker has prepared, which no unit has adopted. */
static unsigned n_prepared;

void worker_client_list(
        struct worker_client *client, void (*visit)(void *userdata, const char *seat), void *userdata) {
        (void)client;
        for (unsigned i = 0; i < n_prepared; i++)
                visit(userdata, i == 0 ? "12310" : "12311");
}

int worker_client_discard(struct worker_client *client, const char *seat) {
        (void)client;
        (void)seat;
        return 0;
}

static struct lease_record make_record(void) {
        struct lease_record record = {
                .id = LEASE,
                .user = "cs123-amy",
                .course = "123",
                .seat = "12310",
                .service = "sshd",
                .uid = 2000,
                .opener = getpid(),
        };

        assert_int_equal(peer_start_time(getpid(), &record.opener_start), 0);
        return record;
}

static void save(const struct lease_record *record) {
        assert_int_equal(record_store_save(etc, record), 0);
}

static bool has_record(void) {
        return access(etc_path(LEASE), F_OK) == 0;
}

static const struct unit_row *rows;
static size_t n_rows;
static int list_error;

static int handle_answer(sd_event_source *source, void *userdata) {
        (void)source;
        (void)userdata;
        asked(LIST);
        answer_list(list_error, rows, n_rows);
        return 0;
}

/* Starts the activator: it waits until systemd has said which units there are. */
static int start_with(const struct unit_row *units, size_t n) {
        rows = units;
        n_rows = n;
        assert_true(sd_event_add_defer(table.event, NULL, handle_answer, NULL) >= 0);
        return restore_leases(&table);
}

static void a_lease_is_taken_up_with_the_process_that_opened_it(void **state) {
        const struct unit_row unit = {UNIT, "active", 0, ""};
        const struct lease_record record = make_record();

        (void)state;
        save(&record);
        assert_int_equal(start_with(&unit, 1), 0);
        assert_int_equal(n_restored, 1);
        assert_string_equal(restored.user, "cs123-amy");
        assert_true(has_opener);
        assert_string_equal(forgotten, "");
}

/* The next activator tries again; to stop the slice would end a live login. */
static void without_memory_the_activator_ends_and_stops_no_lease(void **state) {
        const struct unit_row unit = {UNIT, "active", 0, ""};
        const struct lease_record record = make_record();

        (void)state;
        save(&record);
        restore_error = -ENOMEM;
        assert_int_equal(start_with(&unit, 1), -ENOMEM);
        asked_nothing();
        assert_true(has_record());
        assert_string_equal(forgotten, "");
}

/* Its number may be another process's by now. */
static void a_process_that_is_dead_is_not_taken_for_another_one(void **state) {
        const struct unit_row unit = {UNIT, "active", 0, ""};
        struct lease_record record = make_record();

        (void)state;
        record.opener_start--;
        save(&record);
        assert_int_equal(start_with(&unit, 1), 0);
        assert_false(has_opener);
}

static void a_hold_and_a_lease_that_lingers_have_no_process(void **state) {
        const struct unit_row unit = {UNIT, "active", 0, ""};
        struct lease_record record = make_record();

        (void)state;
        record.linger_until_usec = 1;
        save(&record);
        assert_int_equal(start_with(&unit, 1), 0);
        assert_int_equal(n_restored, 1);
        assert_false(has_opener);
        lease_free(table.leases);

        record = make_record();
        record.hold = true;
        record.opener = 0;
        save(&record);
        assert_int_equal(start_with(&unit, 1), 0);
        assert_int_equal(n_restored, 2);
        assert_false(has_opener);
}

/* --- an upgrade restarts the activator --------------------------------------------------------- */

/* Puts value in the place of a word of the text. */
static void fill_in(char *text, size_t size, const char *word, const char *value) {
        char rest[2048], *at = strstr(text, word);

        if (!at)
                return;
        assert_int_equal(string_copy(rest, sizeof(rest), at + strlen(word)), 0);
        assert_true((size_t)snprintf(at, size - (size_t)(at - text), "%s%s", value, rest) <
                    size - (size_t)(at - text));
}

/*
 * Makes a record of tests/activator/records. The number in its name counts the versions that had other fields
 * than the one before: hold and linger-until came with 2, no-wait with 3, and so on. BOOT is this boot, and
 * OPENER and START are this process.
 */
static void write_record_of(const char *name) {
        char path[256], text[2048] = "", boot[SD_ID128_STRING_MAX], number[32];
        uint64_t start;
        sd_id128_t id;
        FILE *file;

        (void)snprintf(path, sizeof(path), TESTS_DIRECTORY "/activator/records/%s", name);
        file = fopen(path, "re");
        assert_non_null(file);
        assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
        (void)fclose(file);

        assert_int_equal(sd_id128_get_boot(&id), 0);
        fill_in(text, sizeof(text), "BOOT", sd_id128_to_string(id, boot));
        (void)snprintf(number, sizeof(number), "%d", (int)getpid());
        fill_in(text, sizeof(text), "OPENER", number);
        assert_int_equal(peer_start_time(getpid(), &start), 0);
        (void)snprintf(number, sizeof(number), "%" PRIu64, start);
        fill_in(text, sizeof(text), "START", number);
        write_file(LEASE, text);
}

#define LONG_NAME_LENGTH (strlen("cs123-") + 130 + strlen("@ad.example.edu"))

static void records_of_all_earlier_versions_are_restored(void **state) {
        static const struct unit_row unit = {UNIT, "active", 0, ""};
        static const struct {
                const char *name;
                struct lease_record record; /* what this record has and others have not */
        } cases[] = {
                {"1-login", {.opener = 1}},
                {"2-login", {.opener = 1}},
                {"2-lingers", {.linger_until_usec = UINT64_C(1767225700000000)}},
                {"2-hold", {.hold = true, .service = HOLD_SERVICE}},
                {"3-login-without-waiting", {.opener = 1, .no_wait = true}},
                {"4-login-with-token", {.opener = 1, .token = "0123456789abcdef"}},
                {"5-login-with-ipv6", {.opener = 1, .token = "0123456789abcdef", .address6.prefix = 64}},
                {"6-kept", {.token = "0123456789abcdef",
                                   .address6.prefix = 64,
                                   .linger_until_usec = UINT64_C(1767225700000000),
                                   .keep_until_usec = UINT64_C(1767268800000000)}},
                {"7-long-name", {.opener = 1, .token = "0123456789abcdef", .address6.prefix = 64}},
                {"8-blanks", {.opener = 1,
                                     .token = "0123456789abcdef",
                                     .address6.prefix = 64,
                                     .tty = "a b ; c",
                                     .remote_host = " d "}},
                {"9-joined", {.opener = 1,
                                     .token = "0123456789abcdef",
                                     .address6.prefix = 64,
                                     .joined = {4, 4026532345}}},
                {"9-starting",
                        {.opener = 1, .token = "0123456789abcdef", .address6.prefix = 64, .starting = true}},
                {"9-schedule", {.hold = true, .service = SCHEDULE_SERVICE, .address6.prefix = 64}},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const struct lease_record *wanted = &cases[i].record;

                print_message("%s\n", cases[i].name);
                write_record_of(cases[i].name);
                assert_int_equal(start_with(&unit, 1), 0);
                assert_int_equal(n_restored, i + 1);
                assert_true(string_starts_with(restored.user, "cs123-"));
                assert_int_equal(strlen(restored.user), string_equal(cases[i].name, "7-long-name")
                                                                ? LONG_NAME_LENGTH
                                                                : strlen("cs123-newellz2"));
                assert_string_equal(restored.course, "123");
                assert_string_equal(restored.seat, "12310");
                assert_int_equal(restored.address.ip, 0x0a007b0a);
                assert_int_equal(restored.address.prefix, 24);
                assert_int_equal(restored.address6.prefix, wanted->address6.prefix);
                assert_int_equal(restored.since_usec, UINT64_C(1767225600000000));
                assert_int_equal(restored.uid, wanted->hold ? UINT32_MAX : 5001);
                assert_string_equal(restored.service, wanted->hold ? wanted->service : "sshd");
                assert_string_equal(restored.token, wanted->token);
                if (!wanted->hold) {
                        assert_string_equal(restored.tty, wanted->tty[0] ? wanted->tty : "ssh");
                        assert_string_equal(restored.remote_host,
                                wanted->remote_host[0] ? wanted->remote_host : "192.0.2.7");
                }
                assert_int_equal(restored.hold, wanted->hold);
                assert_int_equal(restored.no_wait, wanted->no_wait);
                assert_int_equal(restored.starting, wanted->starting);
                assert_int_equal(restored.linger_until_usec, wanted->linger_until_usec);
                assert_int_equal(restored.keep_until_usec, wanted->keep_until_usec);
                assert_int_equal(restored.joined.device, wanted->joined.device);
                assert_int_equal(restored.joined.inode, wanted->joined.inode);
                assert_int_equal(has_opener, wanted->opener > 0);
                lease_free(table.leases);
        }
        asked_nothing();
}

/* A login may have its answer already, and asks again if it has not. An administrator's command has failed.
 */
static void a_login_that_is_starting_is_taken_up_and_a_hold_is_not(void **state) {
        const struct unit_row unit = {UNIT, "inactive", 7, "start"};
        struct lease_record record = make_record();

        (void)state;
        save(&record);
        assert_int_equal(start_with(&unit, 1), 0);
        assert_int_equal(n_restored, 1);
        assert_int_equal(restored_job, 7);
        assert_true(has_opener);
        lease_free(table.leases);

        record.hold = true;
        record.opener = 0;
        save(&record);
        assert_int_equal(start_with(&unit, 1), 0);
        asked("stop " UNIT);
        assert_int_equal(n_restored, 1);
        assert_false(has_record());
}

static void a_unit_that_nobody_knows_is_stopped(void **state) {
        static const struct unit_row units[] = {
                {UNIT, "active", 0, ""}, {"coursenet-tidy_12310.slice", "active", 0, ""},
                {"coursenet-12311_0000000000000001.slice", "inactive", 0, ""}, /* it is going already */
        };

        (void)state;
        write_file(LEASE, "[lease]\nuser = \n");
        assert_int_equal(start_with(units, ELEMENTSOF(units)), 0);
        asked("stop " UNIT);
        asked("stop coursenet-tidy_12310.slice");
        assert_int_equal(n_restored, 0);
        assert_false(has_record());
}

/* The stop may be lost: systemd executes itself again, or another job cancels it. Then the seat would stay
 * up. */
static void a_unit_that_nobody_knows_is_stopped_until_it_is_gone(void **state) {
        const struct unit_row unit = {UNIT, "active", 0, ""};

        (void)state;
        assert_int_equal(start_with(&unit, 1), 0);
        asked("stop " UNIT);
        pass_ms(2000);
        asked("stop " UNIT);
        answer_job(0, "/org/freedesktop/systemd1/job/7", "");
        fake_send_error = -ENOBUFS;
        pass_ms(2000);
        asked("stop " UNIT);
        fake_send_error = 0;
        pass_ms(2000);
        asked("stop " UNIT);
        answer_job(-ENOENT, "", "not loaded");
        assert_null(table.strays);
        assert_int_equal(timers_set(), 0);
}

/* Somebody stopped it when nobody was there to hear of it. */
static void a_lease_whose_unit_has_gone_is_forgotten(void **state) {
        const struct lease_record record = make_record();

        (void)state;
        save(&record);
        assert_int_equal(start_with(NULL, 0), 0);
        assert_string_equal(forgotten, LEASE);
}

static void a_seat_that_is_up_or_failed_is_looked_at(void **state) {
        static const struct unit_row units[] = {
                {"netns@12310.service", "active", 0, ""},
                {"nsbr@12310.service", "active", 0, ""},
                {"netns@12311.service", "inactive", 0, ""},
                {"netns@12312.service", "failed", 0, ""},
                {"nsbr@12313.service", "failed", 0, ""},
                {"netns@strange.service", "active", 0, ""},
        };

        (void)state;
        assert_int_equal(start_with(units, ELEMENTSOF(units)), 0);
        assert_int_equal(timers_set(), 3);
        empty_seats_forget(&seats);
}

static void what_was_prepared_for_nobody_is_looked_at(void **state) {
        (void)state;
        n_prepared = 2;
        assert_int_equal(start_with(NULL, 0), 0);
        assert_int_equal(timers_set(), 2);
        empty_seats_forget(&seats);
}

static void without_an_answer_of_systemd_nothing_is_forgotten(void **state) {
        const struct lease_record record = make_record();

        (void)state;
        save(&record);
        list_error = -ETIMEDOUT;
        assert_int_equal(start_with(NULL, 0), -ETIMEDOUT);
        assert_true(has_record());
        assert_string_equal(forgotten, "");

        fake_send_error = -ENOTCONN;
        assert_int_equal(restore_leases(&table), -ENOTCONN);
        asked(LIST);
        assert_true(has_record());
}

static int set_up(void **state) {
        sd_event *event;

        if (make_etc(state) < 0 || sd_event_new(&event) < 0)
                return -1;
        seats = (struct seats){.event = event, .etc = etc};
        table = (struct lease_table){.event = event, .seats = &seats, .state_directory = etc};
        n_restored = n_prepared = 0;
        has_opener = false;
        list_error = restore_error = 0;
        forgotten[0] = '\0';
        return 0;
}

static int tear_down(void **state) {
        while (table.leases)
                lease_free(table.leases);
        stray_unit_forget(&table);
        fake_systemd_done();
        sd_event_unref(table.event);
        return remove_etc(state);
}

#define restore_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                restore_test(a_lease_is_taken_up_with_the_process_that_opened_it),
                restore_test(without_memory_the_activator_ends_and_stops_no_lease),
                restore_test(a_process_that_is_dead_is_not_taken_for_another_one),
                restore_test(a_hold_and_a_lease_that_lingers_have_no_process),
                restore_test(records_of_all_earlier_versions_are_restored),
                restore_test(a_login_that_is_starting_is_taken_up_and_a_hold_is_not),
                restore_test(a_unit_that_nobody_knows_is_stopped),
                restore_test(a_unit_that_nobody_knows_is_stopped_until_it_is_gone),
                restore_test(a_lease_whose_unit_has_gone_is_forgotten),
                restore_test(a_seat_that_is_up_or_failed_is_looked_at),
                restore_test(what_was_prepared_for_nobody_is_looked_at),
                restore_test(without_an_answer_of_systemd_nothing_is_forgotten),
        };

        return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When a drop-in is written, and when systemd has to be told of it. */

#include "fake-systemd.h"
#include "tests/unit/fixture.h"

#include "seat/wiring.h"

#define NSBR "nsbr@12310.service"
#define USER "user@2000.service"

static struct seats seats;
static struct wiring_update *update;
static struct wiring_result result;
static unsigned n_results;

static void note_result(void *userdata, const struct wiring_result *answer) {
        assert_ptr_equal(userdata, &seats);
        update = NULL;
        result = *answer;
        n_results++;
}

static struct wiring drop_in(const char *unit, const char *text) {
        struct wiring wiring = {0};

        (void)string_copy(wiring.unit, sizeof(wiring.unit), unit);
        (void)string_copy(wiring.text, sizeof(wiring.text), text);
        return wiring;
}

static int begin(const struct wiring *wirings, size_t n) {
        n_results = 0;
        return wiring_update(&seats, wirings, n, note_result, &seats, &update);
}

static void told(unsigned written, unsigned kept, unsigned stale) {
        assert_int_equal(n_results, 1);
        assert_int_equal(result.error, 0);
        assert_int_equal(result.written, written);
        assert_int_equal(result.kept, kept);
        assert_int_equal(result.stale, stale);
}

static bool written(const char *unit, const char *text) {
        const struct wiring wiring = drop_in(unit, text);

        return wiring_differs(etc, &wiring) == 0;
}

/* No round trip for most logins: their drop-ins have been there since the first one. */
static void what_is_there_already_costs_nothing(void **state) {
        const struct wiring wiring = drop_in(NSBR, "[Unit]\n# new\n");

        (void)state;
        assert_int_equal(wiring_write(etc, &wiring), 0);
        assert_int_equal(begin(&wiring, 1), 0);
        asked_nothing();
        assert_int_equal(n_results, 0);
}

static void a_unit_that_systemd_does_not_know_needs_no_reload(void **state) {
        const struct wiring wirings[] = {drop_in(NSBR, "[Unit]\n# new\n"), drop_in(USER, "[Unit]\n# new\n")};

        (void)state;
        assert_int_equal(begin(wirings, 2), 1);
        assert_false(written(NSBR, "[Unit]\n# new\n"));
        answer_unit(NSBR, NULL);
        assert_int_equal(n_results, 0);
        answer_unit(USER, NULL);
        told(2, 0, 0);
        assert_true(written(NSBR, "[Unit]\n# new\n"));
        assert_true(written(USER, "[Unit]\n# new\n"));
}

/* The next daemon-reload would take the bridge from under a live seat. */
static void the_drop_in_of_a_seat_that_is_up_stays(void **state) {
        static const char *const states[] = {"active", "activating", "deactivating", "reloading"};
        const struct wiring old = drop_in(NSBR, "[Unit]\n# old\n"), new = drop_in(NSBR, "[Unit]\n# new\n");

        (void)state;
        assert_int_equal(wiring_write(etc, &old), 0);
        for (size_t i = 0; i < ELEMENTSOF(states); i++) {
                assert_int_equal(begin(&new, 1), 1);
                answer_unit(NSBR, states[i]);
                told(0, 1, 0);
                assert_true(written(NSBR, "[Unit]\n# old\n"));
        }
}

static void begin_with_a_unit_in_memory(const struct wiring *wiring) {
        assert_int_equal(begin(wiring, 1), 1);
        answer_unit(NSBR, "failed");
        assert_true(written(NSBR, "[Unit]\n# new\n"));
        asked("reset " NSBR);
        asked("get " NSBR " DropInPaths");
}

static void a_unit_in_memory_without_the_drop_in_needs_a_reload(void **state) {
        const struct wiring wiring = drop_in(NSBR, "[Unit]\n# new\n");
        char other[] = "/run/other.conf", *list[] = {other};

        (void)state;
        begin_with_a_unit_in_memory(&wiring);
        answer_property(0, (struct unit_value){.list = list, .n_list = 1});
        told(1, 0, 1);
}

static void a_unit_in_memory_with_an_old_drop_in_needs_a_reload(void **state) {
        const struct wiring wiring = drop_in(NSBR, "[Unit]\n# new\n");
        char path[128], *list[] = {path};

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/" NSBR ".d/" WIRING_FILE, etc);
        begin_with_a_unit_in_memory(&wiring);
        answer_property(0, (struct unit_value){.list = list, .n_list = 1});
        asked("get " NSBR " NeedDaemonReload");
        answer_property(0, (struct unit_value){.flag = true});
        told(1, 0, 1);
}

static void a_unit_that_systemd_drops_meanwhile_needs_none(void **state) {
        const struct wiring wiring = drop_in(NSBR, "[Unit]\n# new\n"),
                            newer = drop_in(NSBR, "[Unit]\n# newer\n");
        char path[128], *list[] = {path};

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/" NSBR ".d/" WIRING_FILE, etc);
        begin_with_a_unit_in_memory(&wiring);
        answer_property(-ENOENT, (struct unit_value){0});
        told(1, 0, 0);

        assert_int_equal(begin(&newer, 1), 1);
        answer_unit(NSBR, "inactive");
        asked("reset " NSBR);
        asked("get " NSBR " DropInPaths");
        answer_property(0, (struct unit_value){.list = list, .n_list = 1});
        asked("get " NSBR " NeedDaemonReload");
        answer_property(-ENOENT, (struct unit_value){0});
        told(1, 0, 0);
}

/* A session keeps a user's manager in memory: if it is in the right namespace, it is good enough. */
static void an_old_version_that_does_as_well_needs_none(void **state) {
        struct wiring old = drop_in(USER, "[Service]\nNetworkNamespacePath=/run/netns/ns12310\n"),
                      new = drop_in(
                              USER, "[Service]\nNetworkNamespacePath=/run/netns/ns12310\nTimeoutStopSec=5\n");

        (void)state;
        (void)string_copy(new.will_do, sizeof(new.will_do), "\nNetworkNamespacePath=/run/netns/ns12310\n");
        assert_int_equal(wiring_write(etc, &old), 0);
        assert_int_equal(begin(&new, 1), 1);
        answer_unit(USER, "inactive");
        asked("reset " USER);
        told(1, 0, 0);
}

static void told_error(int error) {
        assert_int_equal(n_results, 1);
        assert_int_equal(result.error, error);
}

static void what_cannot_be_asked_or_written_is_an_error(void **state) {
        const struct wiring wiring = drop_in(NSBR, "[Unit]\n");

        (void)state;
        assert_int_equal(begin(&wiring, 1), 1);
        asked("find " NSBR);
        answer_job(-ETIMEDOUT, "", "");
        told_error(-ETIMEDOUT);
        assert_false(written(NSBR, "[Unit]\n"));

        assert_int_equal(begin(&wiring, 1), 1);
        asked("find " NSBR);
        answer_job(0, "/unit", "");
        asked("list names " NSBR);
        answer_list(-ETIMEDOUT, NULL, 0);
        told_error(-ETIMEDOUT);
        assert_false(written(NSBR, "[Unit]\n"));

        fake_send_error = -ENOTCONN;
        assert_int_equal(begin(&wiring, 1), -ENOTCONN);
        asked("find " NSBR);
        fake_send_error = 0;

        seats.unit_directory = etc_path("missing");
        assert_int_equal(begin(&wiring, 1), 1);
        answer_unit(NSBR, NULL);
        told_error(-ENOENT);
}

static void an_error_of_one_unit_leaves_the_others(void **state) {
        const struct wiring wirings[] = {drop_in(NSBR, "[Unit]\n"), drop_in(USER, "[Unit]\n")};

        (void)state;
        assert_int_equal(begin(wirings, 2), 1);
        asked("find " NSBR);
        asked("find " USER);
        fake_send_error = -ENOTCONN;
        answer_job(0, "/unit", "");
        asked("list names " NSBR);
        fake_send_error = 0;
        answer_job(-ENOENT, "", "");
        told_error(-ENOTCONN);
        assert_false(written(NSBR, "[Unit]\n"));
        assert_true(written(USER, "[Unit]\n"));
}

static void what_cannot_be_asked_of_a_unit_in_memory_is_an_error(void **state) {
        const struct wiring wiring = drop_in(NSBR, "[Unit]\n# new\n");
        const struct unit_row row = {NSBR, "failed", 0, ""};
        char path[128], *list[] = {path};

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/" NSBR ".d/" WIRING_FILE, etc);
        begin_with_a_unit_in_memory(&wiring);
        fake_send_error = -ENOTCONN;
        answer_property(0, (struct unit_value){.list = list, .n_list = 1});
        asked("get " NSBR " NeedDaemonReload");
        told_error(-ENOTCONN);

        fake_send_error = 0;
        assert_int_equal(wiring_remove(etc, &wiring), 0);
        assert_int_equal(begin(&wiring, 1), 1);
        asked("find " NSBR);
        answer_job(0, "/unit", "");
        asked("list names " NSBR);
        fake_send_error = -ENOTCONN;
        answer_list(0, &row, 1);
        asked("reset " NSBR);
        told_error(-ENOTCONN);
        fake_send_error = 0;
}

/* At boot: one question for hundreds of seats. */
static void an_update_of_many_seats_asks_for_all_at_once(void **state) {
        const struct unit_row rows[] = {{"nsbr@99999.service", "active", 0, ""},
                {"nsbr@12311.service", "active", 0, ""}, {"nsbr@12312.service", "inactive", 0, ""}};
        struct wiring wirings[WIRING_MAX + 1];
        char unit[WIRING_UNIT_SIZE];

        (void)state;
        for (unsigned i = 0; i < ELEMENTSOF(wirings); i++) {
                (void)snprintf(unit, sizeof(unit), "nsbr@123%u.service", 10 + i);
                wirings[i] = drop_in(unit, "[Unit]\n");
        }
        assert_int_equal(begin(wirings, ELEMENTSOF(wirings)), 1);
        asked("list nsbr@*.service");
        answer_list(0, rows, ELEMENTSOF(rows));
        asked("reset nsbr@12312.service");
        asked("get nsbr@12312.service DropInPaths");
        answer_property(0, (struct unit_value){0});
        told(ELEMENTSOF(wirings) - 1, 1, 1);

        for (unsigned i = 0; i < ELEMENTSOF(wirings); i++)
                (void)string_copy(wirings[i].text, sizeof(wirings[i].text), "[Unit]\n# new\n");
        assert_int_equal(begin(wirings, ELEMENTSOF(wirings)), 1);
        asked("list nsbr@*.service");
        answer_list(-ETIMEDOUT, NULL, 0);
        told_error(-ETIMEDOUT);
        assert_true(written("nsbr@12310.service", "[Unit]\n"));
}

static void an_update_that_is_dropped_tells_nobody(void **state) {
        const struct wiring wiring = drop_in(NSBR, "[Unit]\n");

        (void)state;
        assert_int_equal(begin(&wiring, 1), 1);
        asked("find " NSBR);
        wiring_update_free(update);
        update = NULL;
        assert_int_equal(n_results, 0);
}

static int set_up(void **state) {
        seats = (struct seats){.unit_directory = etc};
        return make_etc(state);
}

static int tear_down(void **state) {
        assert_null(update);
        fake_systemd_done();
        return remove_etc(state);
}

#define update_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                update_test(what_is_there_already_costs_nothing),
                update_test(a_unit_that_systemd_does_not_know_needs_no_reload),
                update_test(the_drop_in_of_a_seat_that_is_up_stays),
                update_test(a_unit_in_memory_without_the_drop_in_needs_a_reload),
                update_test(a_unit_in_memory_with_an_old_drop_in_needs_a_reload),
                update_test(a_unit_that_systemd_drops_meanwhile_needs_none),
                update_test(an_old_version_that_does_as_well_needs_none),
                update_test(what_cannot_be_asked_or_written_is_an_error),
                update_test(what_cannot_be_asked_of_a_unit_in_memory_is_an_error),
                update_test(an_error_of_one_unit_leaves_the_others),
                update_test(an_update_of_many_seats_asks_for_all_at_once),
                update_test(an_update_that_is_dropped_tells_nobody),
        };

        return cmocka_run_group_tests_name("wiring-update", tests, NULL, NULL);
}

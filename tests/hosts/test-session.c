/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The lease of a member in a real etcd, and its key there. */

#include <netinet/in.h>
#include <resolv.h>

#include "claim.h"
#include "run-state.h"
#include "session.h"
#include "store-client.h"
#include "store-server.h"

#define ROOT "/run/hosts"
#define KEY STORE_MEMBERS "hosta"

/* A lease that a machine which is busy with other things does not lose. It is renewed six times in that. */
#define SECONDS 4

static sd_event *event;
static struct store *store;
static struct hosts_settings hosts;
static struct session session;

static struct { unsigned begun, resumed, renewed, over; } count;

static void take_begun(void *userdata) {
        (void)userdata;
        count.begun++;
}

static void take_resumed(void *userdata) {
        (void)userdata;
        count.resumed++;
}

static void take_renewed(void *userdata) {
        (void)userdata;
        count.renewed++;
        assert_int_equal(run_state_lease(ROOT), session.lease);
}

static void take_over(void *userdata) {
        (void)userdata;
        count.over++;
        assert_int_equal(session.lease, 0);
        assert_int_equal(run_state_lease(ROOT), 0);
}

static void set_course(const char *name) {
        json_object *courses = json_object_new_object();

        assert_int_equal(json_object_object_add(courses, name, json_object_new_object()), 0);
        assert_int_equal(session_set_courses(&session, courses), 0);
        json_object_put(courses);
}

static void start_program(unsigned seconds) {
        count.begun = count.resumed = count.renewed = count.over = 0;
        session = (struct session){
                .event = event,
                .store = store,
                .root = ROOT,
                .own = {.name = "hosta", .address = 0xc0000201},
                .seconds = seconds,
                .events = {take_begun, take_resumed, take_renewed, take_over, NULL},
        };
        set_course("123");
        assert_int_equal(session_begin(&session), 0);
}

static int begin_at(const char *url) {
        hosts = (struct hosts_settings){.n_stores = 1};
        (void)string_copy(hosts.stores[0], sizeof(hosts.stores[0]), url);
        if (run_state_make(ROOT) < 0 || run_state_set_lease(ROOT, 0) < 0 || bystander_begin() < 0 ||
                sd_event_new(&event) < 0 || store_new(event, &hosts, &store) < 0)
                return -1;
        change_aside(ETCD_TXN, etcd_delete_body(KEY));
        return 0;
}

static int begin(void **state) {
        (void)state;
        return begin_at(ETCD_URL);
}

static int begin_at_stand_in(void **state) {
        (void)state;
        return begin_at(STAND_IN_URL);
}

static int end(void **state) {
        (void)state;
        session_done(&session);
        store_free(store);
        event = sd_event_unref(event);
        bystander_end();
        put_servers_right();
        return 0;
}

/* --- with the store -------------------------------------------------------------------------- */

static void test_a_lease_is_granted_and_renewed(void **state) {
        uint64_t deadline;
        int64_t revision;

        (void)state;
        start_program(SECONDS);
        run_until(event, count.renewed > 0);
        assert_int_equal(count.begun, 1);
        assert_int_equal(lease_of(KEY), session.lease);
        assert_true(session.deadline_usec <= now_boottime_usec() + SECONDS * USEC_PER_SEC / 6 * 5);
        deadline = session.deadline_usec;
        run_until(event, count.renewed > 2);
        assert_true(session.deadline_usec > deadline);
        assert_true(session_is_good(&session));
        /* A renewal changes no key. */
        revision = revision_of(KEY);
        run_until(event, count.renewed > 3);
        assert_int_equal(revision_of(KEY), revision);
        assert_int_equal(count.begun, 1);
        assert_int_equal(count.resumed, 0);
        assert_int_equal(count.over, 0);
}

static void test_a_change_of_the_courses_is_published(void **state) {
        _cleanup_etcd_pairs_ struct etcd_pairs before = {0}, after = {0};
        int64_t revision;

        (void)state;
        start_program(60);
        run_until(event, count.renewed > 0);
        assert_true(look_aside(KEY, &before));
        assert_non_null(strstr(before.items[0].value, "\"courses\":{\"123\":{}}"));
        assert_non_null(strstr(before.items[0].value, "\"address\":\"192.0.2.1\""));
        revision = before.items[0].revision;
        set_course("124");
        /* The next renewal would be in 10 s. */
        run_until(event, count.renewed > 1);
        assert_true(look_aside(KEY, &after));
        assert_true(after.items[0].revision > revision);
        assert_non_null(strstr(after.items[0].value, "\"courses\":{\"124\":{}}"));
        assert_int_equal(after.items[0].lease, session.lease);
}

/* What this member has claimed stays claimed when its program starts again. */
static void test_the_next_program_goes_on(void **state) {
        uint64_t lease;

        (void)state;
        start_program(SECONDS);
        run_until(event, count.renewed > 0);
        lease = session.lease;
        session_done(&session);
        start_program(SECONDS);
        run_until(event, count.renewed > 0);
        assert_int_equal(count.resumed, 1);
        assert_int_equal(count.begun, 0);
        assert_int_equal(session.lease, lease);
        assert_int_equal(lease_of(KEY), lease);
}

/* Its lease is over at the store not before it was over here. */
static void test_a_program_that_was_away_too_long(void **state) {
        uint64_t lease, deadline;

        (void)state;
        start_program(1);
        run_until(event, count.renewed > 0);
        lease = session.lease;
        deadline = session.deadline_usec;
        session_done(&session);
        run_until(event, !key_exists(KEY));
        assert_true(now_boottime_usec() > deadline);
        start_program(1);
        run_until(event, count.renewed > 0);
        assert_int_equal(count.begun, 1);
        assert_int_equal(count.resumed, 0);
        assert_int_not_equal(session.lease, lease);
        assert_int_equal(lease_of(KEY), session.lease);
}

static void test_a_lease_is_lost(void **state) {
        uint64_t lease;

        (void)state;
        start_program(SECONDS);
        run_until(event, count.renewed > 0);
        lease = session.lease;
        change_aside(ETCD_REVOKE, etcd_lease_body(lease));
        run_until(event, count.over == 1);
        assert_false(session_is_good(&session));
        run_until(event, count.begun == 2);
        assert_int_not_equal(session.lease, lease);
        run_until(event, session_is_good(&session));
        assert_int_equal(lease_of(KEY), session.lease);
}

/* Another part of the program has found that; a late word of an earlier lease says nothing of this one. */
static void test_a_lease_that_others_find_lost(void **state) {
        uint64_t lease;

        (void)state;
        start_program(60);
        run_until(event, count.renewed > 0);
        lease = session.lease;
        change_aside(ETCD_REVOKE, etcd_lease_body(lease));
        session_is_over(&session, lease + 1);
        assert_int_equal(count.over, 0);
        session_is_over(&session, lease);
        session_is_over(&session, lease);
        assert_int_equal(count.over, 1);
        run_until(event, session_is_good(&session));
        assert_int_not_equal(session.lease, lease);
        session_is_over(&session, lease);
        assert_int_equal(count.over, 1);
        assert_true(session_is_good(&session));
}

/* Somebody has removed the key: the lease is this member's still. */
static void test_a_key_that_was_removed_comes_again(void **state) {
        uint64_t lease;

        (void)state;
        start_program(SECONDS);
        run_until(event, count.renewed > 0);
        lease = session.lease;
        change_aside(ETCD_TXN, etcd_delete_body(KEY));
        run_until(event, key_exists(KEY));
        assert_int_equal(lease_of(KEY), lease);
        assert_int_equal(count.begun, 1);
        assert_int_equal(count.over, 0);
}

static uint64_t take_name(const char *machine) {
        _cleanup_answer_ struct answer answer = do_aside(ETCD_GRANT, etcd_grant_body(60));
        char value[128];
        unsigned seconds;
        uint64_t lease;

        assert_true(etcd_read_lease(good(&answer), &lease, &seconds));
        (void)snprintf(value, sizeof(value), "{\"machine\":\"%s\"}", machine);
        change_aside(ETCD_TXN, etcd_put_if_body(KEY, 0, value, lease));
        return lease;
}

static void test_another_server_has_the_name(void **state) {
        uint64_t lease = take_name("0123456789abcdef0123456789abcdef");

        (void)state;
        start_program(SECONDS);
        run_until(event, session.conflict[0]);
        assert_string_equal(
                session.conflict, "another server is hosta in the store: set host-name on one of them");
        assert_false(session_is_good(&session));
        assert_int_equal(lease_of(KEY), lease);
        change_aside(ETCD_REVOKE, etcd_lease_body(lease));
        run_until(event, count.renewed > 0);
        assert_int_equal(count.begun, 1);
        assert_string_equal(session.conflict, "");
        assert_true(session_is_good(&session));
}

/* --- without the store ----------------------------------------------------------------------- */

static void test_a_store_that_is_away_for_a_while(void **state) {
        uint64_t lease, deadline;

        (void)state;
        start_program(3);
        run_until(event, count.renewed > 0);
        lease = session.lease;
        etcd_kill();
        deadline = session.deadline_usec;
        run_until(event, !session_is_good(&session));
        assert_int_equal(session.deadline_usec, deadline);
        assert_true(now_boottime_usec() >= deadline);
        /* Nobody has said that it is over. */
        assert_int_equal(count.over, 0);
        assert_int_equal(session.lease, lease);
        /* A store that starts gives each lease its whole time again. */
        etcd_start();
        run_until(event, session_is_good(&session));
        assert_int_equal(session.lease, lease);
        assert_int_equal(count.over, 0);
        assert_int_equal(count.begun, 1);
        assert_int_equal(lease_of(KEY), lease);
}

static void test_a_store_that_comes_later(void **state) {
        (void)state;
        etcd_kill();
        start_program(SECONDS);
        run_until(event, store_error(store)[0]);
        assert_false(session_is_good(&session));
        assert_int_equal(count.begun + count.renewed + count.over, 0);
        etcd_start();
        run_until(event, count.renewed > 0);
        assert_int_equal(count.begun, 1);
}

/* An attempt of the next program has failed: what this member has claimed stays claimed even so. */
static void test_the_next_program_starts_without_the_store(void **state) {
        uint64_t lease;

        (void)state;
        start_program(3);
        run_until(event, count.renewed > 0);
        lease = session.lease;
        session_done(&session);
        etcd_kill();
        start_program(3);
        run_until(event, !session.call);
        etcd_start();
        run_until(event, count.renewed > 0);
        assert_int_equal(session.lease, lease);
        assert_int_equal(count.resumed, 1);
        assert_int_equal(count.begun, 0);
}

/* --- a server that has lost the others ------------------------------------------------------- */

/* With this file the key is read from the leader of another term than the one that renews. */
#define OTHER_TERM "/run/other-term"

static char own_value[4096]; /* base64 */

static void answer_as_leader(int fd, const char *request) {
        const char *term = access(OTHER_TERM, F_OK) == 0 ? "6" : "5";
        char body[8192];

        if (string_starts_with(request, "POST " ETCD_KEEPALIVE " "))
                (void)snprintf(body, sizeof(body),
                        "{\"result\":{\"header\":{\"revision\":\"9\",\"raft_term\":\"5\"},\"ID\":\"7\","
                        "\"TTL\":"
                        "\"%d\"}}",
                        SECONDS);
        else if (string_starts_with(request, "POST " ETCD_RANGE " "))
                (void)snprintf(body, sizeof(body),
                        "{\"header\":{\"revision\":\"9\",\"raft_term\":\"%s\"},\"kvs\":[{\"key\":\"aG9zdGE="
                        "\","
                        "\"lease\":\"7\",\"mod_revision\":\"8\",\"value\":\"%s\"}]}",
                        term, own_value);
        else
                (void)snprintf(body, sizeof(body),
                        "{\"header\":{\"revision\":\"9\",\"raft_term\":\"%s\"},\"succeeded\":true}", term);
        put_answer(fd, body);
}

static void start_at_stand_in(void) {
        assert_int_equal(run_state_set_lease(ROOT, 7), 0);
        /* The value is known only now, and the stand-in has the one of its start. */
        start_program(3);
        assert_true(b64_ntop((const unsigned char *)session.value, strlen(session.value), own_value,
                            sizeof(own_value)) > 0);
        stand_in_start(answer_as_leader);
}

static void set_other_term(void) {
        int fd = open(OTHER_TERM, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        (void)close(fd);
}

/* Until it was asked so often again. */
static void be_asked(unsigned times) {
        unsigned since = stand_in_asked();

        run_until(event, stand_in_asked() - since >= times);
}

/* The one that led renews as if it led still, while the others have a leader of their own. */
static void test_a_renewal_counts_under_one_leader_only(void **state) {
        unsigned renewed;
        uint64_t deadline;

        (void)state;
        start_at_stand_in();
        run_until(event, count.renewed > 1);
        assert_int_equal(count.resumed, 1);
        assert_int_equal(session.lease, 7);
        set_other_term();
        /* One may be under way. */
        be_asked(3);
        renewed = count.renewed;
        deadline = session.deadline_usec;
        be_asked(6);
        assert_int_equal(count.renewed, renewed);
        assert_int_equal(session.deadline_usec, deadline);
        assert_int_equal(unlink(OTHER_TERM), 0);
        run_until(event, count.renewed > renewed);
        assert_true(session.deadline_usec > deadline);
}

static void test_nothing_begins_under_two_leaders(void **state) {
        (void)state;
        set_other_term();
        start_at_stand_in();
        be_asked(9);
        assert_int_equal(count.resumed + count.renewed, 0);
        assert_false(session_is_good(&session));
        assert_int_equal(unlink(OTHER_TERM), 0);
        run_until(event, count.renewed > 0);
        assert_int_equal(count.resumed, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_a_lease_is_granted_and_renewed, begin, end),
                cmocka_unit_test_setup_teardown(test_a_change_of_the_courses_is_published, begin, end),
                cmocka_unit_test_setup_teardown(test_the_next_program_goes_on, begin, end),
                cmocka_unit_test_setup_teardown(test_a_program_that_was_away_too_long, begin, end),
                cmocka_unit_test_setup_teardown(test_a_lease_is_lost, begin, end),
                cmocka_unit_test_setup_teardown(test_a_lease_that_others_find_lost, begin, end),
                cmocka_unit_test_setup_teardown(test_a_key_that_was_removed_comes_again, begin, end),
                cmocka_unit_test_setup_teardown(test_another_server_has_the_name, begin, end),
                cmocka_unit_test_setup_teardown(test_a_store_that_is_away_for_a_while, begin, end),
                cmocka_unit_test_setup_teardown(test_a_store_that_comes_later, begin, end),
                cmocka_unit_test_setup_teardown(test_the_next_program_starts_without_the_store, begin, end),
                cmocka_unit_test_setup_teardown(
                        test_a_renewal_counts_under_one_leader_only, begin_at_stand_in, end),
                cmocka_unit_test_setup_teardown(
                        test_nothing_begins_under_two_leaders, begin_at_stand_in, end),
        };

        return cmocka_run_group_tests(tests, begin_servers, end_servers);
}

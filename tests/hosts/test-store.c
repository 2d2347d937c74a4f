/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls and streams of a real etcd, when it answers, when it is killed, and beside servers that answer
 * wrongly. */

#include "store-client.h"
#include "store-server.h"

static sd_event *event;
static struct store *store;
static struct hosts_settings hosts;

static int begin_at(const char *first, const char *second) {
        hosts = (struct hosts_settings){.n_stores = second ? 2 : 1};
        (void)string_copy(hosts.stores[0], sizeof(hosts.stores[0]), first);
        if (second)
                (void)string_copy(hosts.stores[1], sizeof(hosts.stores[1]), second);
        if (sd_event_new(&event) < 0)
                return -1;
        return store_new(event, &hosts, &store);
}

static int begin(void **state) {
        (void)state;
        return begin_at(ETCD_URL, NULL);
}

static int begin_without(void **state) {
        (void)state;
        return 0;
}

static int end(void **state) {
        (void)state;
        store_free(store);
        store = NULL;
        event = sd_event_unref(event);
        put_servers_right();
        return 0;
}

/* --- calls ----------------------------------------------------------------------------------- */

static void ask(struct answer *answer, const char *path, char *body, uint64_t within_usec) {
        ask_store(store, answer, path, body, within_usec);
}

static struct answer call(const char *path, char *body) {
        return call_store(event, store, path, body);
}

static int64_t put_if(const char *key, int64_t revision, const char *value, uint64_t lease, bool expected) {
        _cleanup_answer_ struct answer answer = call(ETCD_TXN, etcd_put_if_body(key, revision, value, lease));
        struct etcd_header header;

        assert_int_equal(etcd_succeeded(good(&answer)), expected);
        assert_true(etcd_read_header(answer.object, &header));
        return header.revision;
}

/* NULL: there is no such key. */
static void assert_value(const char *key, const char *expected) {
        _cleanup_answer_ struct answer answer = call(ETCD_RANGE, etcd_range_body(key, false));
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};

        assert_int_equal(etcd_read_pairs(good(&answer), &pairs), 0);
        assert_int_equal(pairs.n_items, expected ? 1 : 0);
        if (expected)
                assert_string_equal(pairs.items[0].value, expected);
}

static uint64_t grant(unsigned seconds, uint64_t *ret_sent_usec) {
        _cleanup_answer_ struct answer answer = call(ETCD_GRANT, etcd_grant_body(seconds));
        unsigned granted;
        uint64_t lease;

        assert_true(etcd_read_lease(good(&answer), &lease, &granted));
        assert_int_equal(granted, seconds);
        *ret_sent_usec = answer.sent_usec;
        return lease;
}

static void test_a_key_is_compared_and_set(void **state) {
        int64_t first, second;

        (void)state;
        first = put_if("/set/a", 0, "one", 0, true);
        assert_value("/set/a", "one");
        put_if("/set/a", 0, "two", 0, false);
        assert_value("/set/a", "one");
        second = put_if("/set/a", first, "two \303\274 \"", 0, true);
        assert_true(second > first);
        put_if("/set/a", first, "three", 0, false);
        assert_value("/set/a", "two \303\274 \"");
        assert_value("/set", NULL);
        assert_value("/set/", NULL);
}

/* Who loses the comparison learns whose the key is. */
static void test_the_answer_has_the_key_as_it_is(void **state) {
        int64_t revision = put_if("/seen/a", 0, "theirs", 0, true);
        _cleanup_answer_ struct answer answer = call(ETCD_TXN, etcd_put_if_body("/seen/a", 0, "ours", 0));
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};

        (void)state;
        assert_false(etcd_succeeded(good(&answer)));
        assert_int_equal(etcd_read_txn_pairs(answer.object, &pairs), 0);
        assert_int_equal(pairs.n_items, 1);
        assert_string_equal(pairs.items[0].key, "/seen/a");
        assert_string_equal(pairs.items[0].value, "theirs");
        assert_int_equal(pairs.items[0].revision, revision);
}

static void test_a_deletion_names_the_change(void **state) {
        int64_t first = put_if("/gone/a", 0, "one", 0, true),
                second = put_if("/gone/a", first, "two", 0, true);
        _cleanup_answer_ struct answer late = call(ETCD_TXN, etcd_delete_if_body("/gone/a", first));
        _cleanup_answer_ struct answer right = {0}, any = {0};

        (void)state;
        assert_false(etcd_succeeded(good(&late)));
        assert_value("/gone/a", "two");
        right = call(ETCD_TXN, etcd_delete_if_body("/gone/a", second));
        assert_true(etcd_succeeded(good(&right)));
        assert_value("/gone/a", NULL);
        any = call(ETCD_TXN, etcd_delete_body("/gone/a"));
        assert_true(etcd_succeeded(good(&any)));
}

static bool put_both(const char *key, const char *other) {
        _cleanup_answer_ struct answer answer = call(ETCD_TXN, etcd_put_both_body(key, "1", other, "2"));

        return etcd_succeeded(good(&answer));
}

static void test_both_keys_or_neither(void **state) {
        (void)state;
        assert_true(put_both("/both/a", "/both/b"));
        assert_false(put_both("/both/a", "/both/c"));
        assert_false(put_both("/both/c", "/both/b"));
        assert_value("/both/c", NULL);
        assert_value("/both/b", "2");
}

/* Calls that are under way together are answered each for itself. */
static void test_many_calls_at_once(void **state) {
        struct answer answers[100] = {0};
        size_t n = 0;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                char key[32], value[32];

                (void)snprintf(key, sizeof(key), "/many/%03zu", i);
                (void)snprintf(value, sizeof(value), "value %zu", i);
                ask(&answers[i], ETCD_TXN, etcd_put_body(key, value), WITHIN_USEC);
        }
        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                run_until(event, answers[i].came);
                n += etcd_succeeded(good(&answers[i]));
                answer_done(&answers[i]);
        }
        assert_int_equal(n, ELEMENTSOF(answers));
        assert_value("/many/077", "value 77");
}

static void test_a_dropped_call_has_no_answer(void **state) {
        struct answer dropped = {0}, later = {0};

        (void)state;
        ask(&dropped, ETCD_RANGE, etcd_range_body("/set/a", false), WITHIN_USEC);
        ask(&later, ETCD_RANGE, etcd_range_body("/set/a", false), WITHIN_USEC);
        store_call_drop(&dropped.call);
        store_call_drop(&dropped.call);
        run_until(event, later.came);
        assert_false(dropped.came);
        answer_done(&later);
        /* One that is never answered goes with the store. */
        ask(&dropped, ETCD_RANGE, etcd_range_body("/set/a", false), WITHIN_USEC);
        store_free(store);
        store = NULL;
        assert_null(dropped.call);
        assert_false(dropped.came);
}

/* --- leases ---------------------------------------------------------------------------------- */

static bool keep_alive(uint64_t lease) {
        _cleanup_answer_ struct answer answer = call(ETCD_KEEPALIVE, etcd_lease_body(lease));
        unsigned seconds;
        uint64_t kept;

        if (!etcd_read_lease(good(&answer), &kept, &seconds))
                return false;
        assert_int_equal(kept, lease);
        return true;
}

static void test_keys_go_with_their_lease(void **state) {
        _cleanup_answer_ struct answer revoked = {0}, late = {0};
        uint64_t sent_usec, lease = grant(60, &sent_usec);

        (void)state;
        put_if("/lease/a", 0, "one", lease, true);
        put_if("/lease/b", 0, "stays", 0, true);
        assert_true(keep_alive(lease));
        assert_value("/lease/a", "one");
        revoked = call(ETCD_REVOKE, etcd_lease_body(lease));
        (void)good(&revoked);
        assert_value("/lease/a", NULL);
        assert_value("/lease/b", "stays");
        assert_false(keep_alive(lease));
        /* What is claimed under it cannot be set. */
        late = call(ETCD_TXN, etcd_put_if_body("/lease/a", 0, "two", lease));
        assert_int_equal(late.error, -ENOENT);
        assert_value("/lease/a", NULL);
        assert_string_equal(store_error(store), "");
}

/* --- streams --------------------------------------------------------------------------------- */

struct watched {
        struct store_stream *stream;
        bool ended;
        struct etcd_pair last;
        unsigned n_changes;
        uint64_t usec; /* of the last change */
};

static void take_message(void *userdata, json_object *message) {
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};
        struct watched *watched = userdata;
        struct etcd_header header;

        if (!message) {
                watched->ended = true;
                watched->stream = NULL;
                return;
        }
        assert_int_equal(etcd_read_events(message, &pairs, &header), 0);
        for (size_t i = 0; i < pairs.n_items; i++) {
                free(watched->last.key);
                free(watched->last.value);
                watched->last = pairs.items[i];
                pairs.items[i] = (struct etcd_pair){0};
                watched->usec = now_boottime_usec();
                watched->n_changes++;
        }
}

static void watch(struct watched *watched, const char *prefix, int64_t revision) {
        watched->stream = store_stream_open(
                store, ETCD_WATCH, etcd_watch_body(prefix, revision), take_message, watched);
        assert_non_null(watched->stream);
}

static void watched_done(struct watched *watched) {
        store_stream_close(watched->stream);
        free(watched->last.key);
        free(watched->last.value);
}

#define _cleanup_watched_ _cleanup_(watched_done)

static void test_a_watch_sees_changes(void **state) {
        _cleanup_watched_ struct watched watched = {0};
        _cleanup_answer_ struct answer removed = {0};
        int64_t revision = put_if("/watch/before", 0, "0", 0, true);

        (void)state;
        watch(&watched, "/watch/", revision + 1);
        put_if("/watch/a", 0, "one", 0, true);
        run_until(event, watched.n_changes == 1);
        assert_string_equal(watched.last.key, "/watch/a");
        assert_string_equal(watched.last.value, "one");
        assert_false(watched.last.deleted);
        /* Not of other keys. */
        put_if("/watchers", 0, "other", 0, true);
        removed = call(ETCD_TXN, etcd_delete_body("/watch/a"));
        run_until(event, watched.n_changes == 2);
        assert_string_equal(watched.last.key, "/watch/a");
        assert_true(watched.last.deleted);
        assert_false(watched.ended);
}

/* What happened between a snapshot and the stream is in the stream. */
static void test_a_watch_begins_at_a_revision(void **state) {
        int64_t revision = put_if("/since/a", 0, "one", 0, true);
        _cleanup_watched_ struct watched watched = {0};

        (void)state;
        revision = put_if("/since/a", revision, "two", 0, true);
        put_if("/since/a", revision, "three", 0, true);
        watch(&watched, "/since/", revision);
        run_until(event, watched.n_changes == 2);
        assert_string_equal(watched.last.value, "three");
}

/* A member counts on its lease for less time than the store does, from the moment at which it has asked. */
static void test_a_lease_ends_not_before_its_time(void **state) {
        _cleanup_watched_ struct watched watched = {0};
        uint64_t sent_usec, lease = grant(1, &sent_usec);
        int64_t revision = put_if("/ends/a", 0, "one", lease, true);

        (void)state;
        watch(&watched, "/ends/", revision + 1);
        run_until(event, watched.n_changes == 1);
        assert_true(watched.last.deleted);
        assert_true(watched.usec >= sent_usec + USEC_PER_SEC);
        assert_false(keep_alive(lease));
}

/* --- a server that is gone ------------------------------------------------------------------- */

static void test_a_server_is_killed_and_starts_again(void **state) {
        _cleanup_watched_ struct watched watched = {0};
        uint64_t sent_usec, lease = grant(60, &sent_usec);
        int64_t revision = put_if("/killed/a", 0, "one", lease, true);
        struct answer waiting = {0};

        (void)state;
        watch(&watched, "/killed/", revision + 1);
        etcd_kill();
        run_until(event, watched.ended);
        ask(&waiting, ETCD_TXN, etcd_put_if_body("/killed/a", revision, "two", lease), WITHIN_USEC);
        run_until(event, store_error(store)[0]);
        assert_non_null(strstr(store_error(store), ETCD_URL ": "));
        assert_false(waiting.came);
        etcd_start();
        run_until(event, waiting.came);
        assert_true(etcd_succeeded(good(&waiting)));
        answer_done(&waiting);
        assert_string_equal(store_error(store), "");
        assert_value("/killed/a", "two");
        assert_true(keep_alive(lease));
        /* What the stream has missed. */
        watched.ended = false;
        watch(&watched, "/killed/", revision + 1);
        run_until(event, watched.n_changes == 1);
        assert_string_equal(watched.last.value, "two");
}

static void test_nobody_answers(void **state) {
        _cleanup_answer_ struct answer answer = {0};

        (void)state;
        assert_int_equal(begin_at("http://127.0.0.1:1", "http://127.0.0.1:2"), 0);
        ask(&answer, ETCD_RANGE, etcd_range_body("/a", false), 300 * USEC_PER_MSEC);
        run_until(event, answer.came);
        assert_int_equal(answer.error, -ETIMEDOUT);
        assert_null(answer.object);
        assert_non_null(strstr(store_error(store), "http://127.0.0.1:"));
}

/* A stopped process takes connections still, and never answers. */
static void test_a_server_that_hangs_is_left(void **state) {
        struct answer waiting = {0};

        (void)state;
        put_if("/hangs/a", 0, "one", 0, true);
        etcd_freeze();
        ask(&waiting, ETCD_RANGE, etcd_range_body("/hangs/a", false), WITHIN_USEC);
        run_until(event, store_error(store)[0]);
        assert_false(waiting.came);
        assert_int_equal(kill(etcd_pid, SIGCONT), 0);
        run_until(event, waiting.came);
        (void)good(&waiting);
        answer_done(&waiting);
        assert_string_equal(store_error(store), "");
}

/* --- wrong answers --------------------------------------------------------------------------- */

/* Of the stand-in's next answers. */
static const char *wrong;

static void answer_wrongly(int fd, const char *request) {
        (void)request;
        if (!string_starts_with(wrong, "HTTP/")) {
                put_answer(fd, wrong);
                return;
        }
        put_text(fd, wrong);
        /* What has no length may go on: it stays open until the other end closes it. */
        if (!strstr(wrong, "Content-Length: "))
                (void)recv(fd, (char[1]){0}, 1, 0);
}

#define HEADER "\"header\":{\"cluster_id\":\"1\",\"revision\":\"5\",\"raft_term\":\"2\"}"

/* The call gets its answer from the server that is well, and the reason is one that helps. */
static void assert_left(const char *text, const char *reason) {
        struct answer answer = {0};

        wrong = text;
        stand_in_start(answer_wrongly);
        assert_int_equal(begin_at(STAND_IN_URL, NULL), 0);
        ask(&answer, ETCD_RANGE, etcd_range_body("/set/a", false), 100 * USEC_PER_MSEC);
        run_until(event, answer.came);
        assert_int_equal(answer.error, -ETIMEDOUT);
        assert_null(answer.object);
        assert_memory_equal(store_error(store), reason, strlen(reason));
        (void)end(NULL);

        answer = (struct answer){0};
        assert_int_equal(begin_at(STAND_IN_URL, ETCD_URL), 0);
        ask(&answer, ETCD_RANGE, etcd_range_body("/set/a", false), WITHIN_USEC);
        run_until(event, answer.came);
        assert_non_null(strstr(json_object_to_json_string(good(&answer)), "kvs"));
        assert_string_equal(store_endpoint(store), ETCD_URL);
        assert_string_equal(store_error(store), "");
        answer_done(&answer);
        (void)end(NULL);
}

static void test_servers_that_answer_wrongly_are_left(void **state) {
        (void)state;
        /* Cut off within the JSON, by a server that believes that this was all. */
        assert_left("{" HEADER ",\"kvs\":[{\"key\":\"L2Ev", STAND_IN_URL ": its answer is not etcd's");
        /* Another program's, or a web server's between. */
        assert_left("", STAND_IN_URL ": its answer is not etcd's");
        assert_left("{}", STAND_IN_URL ": its answer is not etcd's");
        assert_left("[{" HEADER "}]", STAND_IN_URL ": its answer is not etcd's");
        assert_left("\"error\"", STAND_IN_URL ": its answer is not etcd's");
        assert_left("null", STAND_IN_URL ": its answer is not etcd's");
        assert_left("{\"header\":1,\"kvs\":[]}", STAND_IN_URL ": its answer is not etcd's");
        assert_left("<html>It works!</html>", STAND_IN_URL ": its answer is not etcd's");
        assert_left("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                STAND_IN_URL ": it answered with HTTP status 404");
        /* etcd's own: its text says what there is to say. */
        assert_left("{\"error\":\"etcdserver: no \\u001bleader\",\"code\":14}",
                STAND_IN_URL ": etcdserver: no ?leader");
        assert_left("{\"code\":14,\"message\":\"etcdserver: no leader\",\"details\":[]}",
                STAND_IN_URL ": etcdserver: no leader");
}

/* A gateway does not know the path. It has the code of a lease that is not found, and no lease is lost. */
static void test_a_path_that_is_not_known_is_no_lease(void **state) {
        (void)state;
        assert_left(
                "{\"error\":\"Not Found\",\"message\":\"Not Found\",\"code\":5}", STAND_IN_URL ": Not Found");
        assert_left("{\"code\":5,\"message\":\"Not Found\",\"details\":[]}", STAND_IN_URL ": Not Found");
        assert_left("{\"error\":{\"grpc_code\":5,\"http_code\":404,\"message\":\"Not Found\"}}",
                STAND_IN_URL ": Not Found");
}

/* In each of the forms in which versions of etcd say it. */
static void test_a_lease_that_is_not_found(void **state) {
        static const char *const forms[] = {
                "{\"error\":\"etcdserver: requested lease not found\",\"code\":5}",
                "{\"code\":5,\"message\":\"etcdserver: requested lease not found\",\"details\":[]}",
                "{\"error\":{\"grpc_code\":5,\"message\":\"etcdserver: requested lease not found\"}}",
                "{\"error\":{\"code\":5,\"message\":\"etcdserver: requested lease not found\"}}",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                struct answer answer = {0};

                wrong = forms[i];
                stand_in_start(answer_wrongly);
                assert_int_equal(begin_at(STAND_IN_URL, NULL), 0);
                ask(&answer, ETCD_TXN, etcd_put_if_body("/lease/a", 0, "one", 1), WITHIN_USEC);
                run_until(event, answer.came);
                assert_int_equal(answer.error, -ENOENT);
                assert_string_equal(store_error(store), "");
                answer_done(&answer);
                (void)end(NULL);
        }
}

/* The connection ends before the length that was promised. */
static void test_a_server_whose_answer_is_cut_is_left(void **state) {
        (void)state;
        assert_left("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{" HEADER "}",
                STAND_IN_URL ": transfer closed");
}

/* No line of a stream is left out: the change could be one that counts. */
static void assert_stream_ends(const char *text) {
        struct watched watched = {0};

        wrong = text;
        stand_in_start(answer_wrongly);
        assert_int_equal(begin_at(STAND_IN_URL, NULL), 0);
        watch(&watched, "/watch/", 1);
        run_until(event, watched.ended);
        assert_int_equal(watched.n_changes, 1);
        assert_string_equal(watched.last.value, "one");
        watched_done(&watched);
        (void)end(NULL);
}

#define CHANGE(value)                                                                                        \
        "{\"result\":{" HEADER                                                                               \
        ",\"events\":[{\"kv\":{\"key\":\"L3dhdGNoL2E=\",\"mod_revision\":\"5\",\"value\":\"" value           \
        "\"}}]}}\n"

#define STREAM "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

static void test_a_stream_with_a_wrong_line_ends(void **state) {
        (void)state;
        /* The server closes it. */
        assert_stream_ends(CHANGE("b25l"));
        assert_stream_ends(
                STREAM CHANGE("b25l") "{\"result\":{" HEADER ",\"events\":[{\"kv\n" CHANGE("dHdv"));
}

/* It was carried out although the server has not said so. Both copies of one transaction cannot succeed. */
static void test_an_answer_that_is_lost(void **state) {
        _cleanup_answer_ struct answer answer = {0};
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};

        (void)state;
        stand_in_start(lose);
        assert_int_equal(begin_at(STAND_IN_URL, ETCD_URL), 0);
        ask(&answer, ETCD_TXN, etcd_put_if_body("/lost/a", 0, "ours", 0), WITHIN_USEC);
        run_until(event, answer.came);
        assert_int_equal(stand_in_asked(), 1);
        assert_false(etcd_succeeded(good(&answer)));
        assert_int_equal(etcd_read_txn_pairs(answer.object, &pairs), 0);
        assert_string_equal(pairs.items[0].value, "ours");
}

static void answer_streams_only(int fd, const char *request) {
        bool stream = string_starts_with(request, "POST " ETCD_WATCH " ");

        put_text(fd, stream ? STREAM CHANGE("b25l")
                            : "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        if (stream)
                (void)recv(fd, (char[1]){0}, 1, 0);
}

/* Calls turn to the server that answers; the stream of the other one may be silent for ever. */
static void test_a_stream_of_a_server_that_was_left(void **state) {
        _cleanup_watched_ struct watched watched = {0};

        (void)state;
        stand_in_start(answer_streams_only);
        assert_int_equal(begin_at(STAND_IN_URL, ETCD_URL), 0);
        watch(&watched, "/watch/", 1);
        run_until(event, watched.n_changes == 1);
        assert_false(store_stream_is_stale(watched.stream));
        assert_value("/set/none", NULL);
        assert_true(store_stream_is_stale(watched.stream));
        assert_false(watched.ended);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_a_key_is_compared_and_set, begin, end),
                cmocka_unit_test_setup_teardown(test_the_answer_has_the_key_as_it_is, begin, end),
                cmocka_unit_test_setup_teardown(test_a_deletion_names_the_change, begin, end),
                cmocka_unit_test_setup_teardown(test_both_keys_or_neither, begin, end),
                cmocka_unit_test_setup_teardown(test_many_calls_at_once, begin, end),
                cmocka_unit_test_setup_teardown(test_a_dropped_call_has_no_answer, begin, end),
                cmocka_unit_test_setup_teardown(test_keys_go_with_their_lease, begin, end),
                cmocka_unit_test_setup_teardown(test_a_watch_sees_changes, begin, end),
                cmocka_unit_test_setup_teardown(test_a_watch_begins_at_a_revision, begin, end),
                cmocka_unit_test_setup_teardown(test_a_lease_ends_not_before_its_time, begin, end),
                cmocka_unit_test_setup_teardown(test_a_server_is_killed_and_starts_again, begin, end),
                cmocka_unit_test_setup_teardown(test_a_server_that_hangs_is_left, begin, end),
                cmocka_unit_test_setup_teardown(test_nobody_answers, begin_without, end),
                cmocka_unit_test_setup_teardown(
                        test_servers_that_answer_wrongly_are_left, begin_without, end),
                cmocka_unit_test_setup_teardown(
                        test_a_path_that_is_not_known_is_no_lease, begin_without, end),
                cmocka_unit_test_setup_teardown(test_a_lease_that_is_not_found, begin_without, end),
                cmocka_unit_test_setup_teardown(
                        test_a_server_whose_answer_is_cut_is_left, begin_without, end),
                cmocka_unit_test_setup_teardown(test_a_stream_with_a_wrong_line_ends, begin_without, end),
                cmocka_unit_test_setup_teardown(test_an_answer_that_is_lost, begin_without, end),
                cmocka_unit_test_setup_teardown(test_a_stream_of_a_server_that_was_left, begin_without, end),
        };

        return cmocka_run_group_tests(tests, begin_servers, end_servers);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Texts of etcd's gateway. The answers are those of etcd 3.4.23 and 3.5.16. */

#include "etcd.h"
#include "tests/unit/fixture.h"

#define HEADER                                                                                               \
        "\"header\":{\"cluster_id\":\"324952591200643719\",\"member_id\":\"3319814642761637952\","           \
        "\"revision\":\"17\",\"raft_term\":\"2\"}"
#define PAIR                                                                                                 \
        "{\"key\":\"L2E=\",\"create_revision\":\"2\",\"mod_revision\":\"3\",\"version\":\"1\",\"value\":"    \
        "\"dg==\",\"lease\":\"2324035713402622983\"}"

static void assert_body(char *body, const char *expected) {
        assert_non_null(body);
        assert_string_equal(body, expected);
        free(body);
}

static void test_requests(void **state) {
        (void)state;
        assert_body(etcd_grant_body(30), "{\"TTL\":\"30\"}");
        assert_body(etcd_lease_body(2324035713402622983), "{\"ID\":\"2324035713402622983\"}");
        assert_body(etcd_range_body("/a", false), "{\"key\":\"L2E=\"}");
        assert_body(etcd_range_body("/a/", true), "{\"key\":\"L2Ev\",\"range_end\":\"L2Ew\"}");
        assert_body(etcd_watch_body("/a/", 18),
                "{\"create_request\":{\"key\":\"L2Ev\",\"range_end\":\"L2Ew\",\"start_revision\":\"18\"}}");
        assert_body(etcd_put_if_body("/a", 0, "v", 5),
                "{\"compare\":[{\"key\":\"L2E=\",\"target\":\"MOD\",\"result\":\"EQUAL\",\"mod_revision\":"
                "\"0\"}],\"success\":[{\"request_put\":{\"key\":\"L2E=\",\"value\":\"dg==\",\"lease\":\"5\"}}"
                "],\"failure\":[{\"request_range\":{\"key\":\"L2E=\"}}]}");
        assert_body(etcd_delete_if_body("/a", 3),
                "{\"compare\":[{\"key\":\"L2E=\",\"target\":\"MOD\",\"result\":\"EQUAL\",\"mod_revision\":"
                "\"3\"}],\"success\":[{\"request_delete_range\":{\"key\":\"L2E=\"}}]}");
}

/* Whatever the texts are, each body is JSON. */
static void test_bodies_are_json(void **state) {
        static const char *const texts[] = {"\"", "\\", "{\"a\":1}", "\xc3\xa9", "long long long text"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                char *bodies[] = {etcd_put_if_body(texts[i], INT64_MAX, texts[i], UINT64_MAX / 2),
                        etcd_put_both_body(texts[i], texts[i], texts[i], texts[i]),
                        etcd_put_body(texts[i], texts[i]), etcd_delete_body(texts[i]),
                        etcd_range_body(texts[i], true)};

                for (size_t k = 0; k < ELEMENTSOF(bodies); k++) {
                        json_object *object = json_tokener_parse(bodies[k]);

                        assert_non_null(object);
                        json_object_put(object);
                        free(bodies[k]);
                }
        }
}

static void test_header_and_lease(void **state) {
        json_object *answer =
                json_tokener_parse("{" HEADER ",\"ID\":\"2324035713402622983\",\"TTL\":\"30\"}");
        json_object *over = json_tokener_parse("{" HEADER ",\"ID\":\"123\"}");
        struct etcd_header header;
        unsigned seconds;
        uint64_t lease;

        (void)state;
        assert_true(etcd_read_header(answer, &header));
        assert_int_equal(header.revision, 17);
        assert_int_equal(header.term, 2);
        assert_true(etcd_read_lease(answer, &lease, &seconds));
        assert_int_equal(lease, 2324035713402622983);
        assert_int_equal(seconds, 30);
        /* A lease that is over has no time left. */
        assert_false(etcd_read_lease(over, &lease, &seconds));
        assert_false(etcd_read_lease(NULL, &lease, &seconds));
        assert_false(etcd_read_header(NULL, &header));
        json_object_put(answer);
        json_object_put(over);
}

static void test_transactions(void **state) {
        json_object *yes =
                json_tokener_parse("{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_put\":{"
                                   "\"header\":{\"revision\":\"2\"}}}]}");
        json_object *no = json_tokener_parse("{" HEADER ",\"responses\":[{\"response_range\":{\"header\":{"
                                             "\"revision\":\"2\"},\"kvs\":[" PAIR "],\"count\":\"1\"}}]}");
        struct etcd_pairs pairs = {0};

        (void)state;
        assert_true(etcd_succeeded(yes));
        assert_false(etcd_succeeded(no));
        assert_int_equal(etcd_read_txn_pairs(yes, &pairs), 0);
        assert_int_equal(pairs.n_items, 0);
        assert_int_equal(etcd_read_txn_pairs(no, &pairs), 0);
        assert_int_equal(pairs.n_items, 1);
        assert_string_equal(pairs.items[0].key, "/a");
        assert_string_equal(pairs.items[0].value, "v");
        assert_int_equal(pairs.items[0].lease, 2324035713402622983);
        assert_int_equal(pairs.items[0].revision, 3);
        assert_false(pairs.items[0].deleted);
        etcd_pairs_done(&pairs);
        json_object_put(yes);
        json_object_put(no);
}

static void test_changes(void **state) {
        json_object *message = json_tokener_parse("{\"result\":{" HEADER ",\"events\":[{\"kv\":" PAIR "},{"
                                                  "\"type\":\"DELETE\",\"kv\":{\"key\":\"L2I=\","
                                                  "\"mod_revision\":\"4\"}}]}}");
        struct etcd_pairs pairs = {0};
        struct etcd_header header;

        (void)state;
        assert_int_equal(etcd_read_events(message, &pairs, &header), 0);
        assert_int_equal(header.revision, 17);
        assert_int_equal(pairs.n_items, 2);
        assert_false(pairs.items[0].deleted);
        assert_true(pairs.items[1].deleted);
        assert_string_equal(pairs.items[1].key, "/b");
        assert_string_equal(pairs.items[1].value, "");
        assert_int_equal(pairs.items[1].revision, 4);
        etcd_pairs_done(&pairs);
        json_object_put(message);
}

/* A stream that is over must not look like one without changes. */
static void test_ends_of_a_stream(void **state) {
        static const char *const ends[] = {
                "{\"result\":{" HEADER ",\"canceled\":true}}",
                "{\"result\":{" HEADER ",\"compact_revision\":\"9\"}}",
                "{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"etcdserver: no leader\"}}",
                "{}",
                "[]",
                "{\"result\":{" HEADER ",\"events\":[{\"kv\":{\"key\":\"%%%\"}}]}}",
                "{\"result\":{" HEADER ",\"events\":[{}]}}",
        };
        struct etcd_pairs pairs = {0};
        struct etcd_header header;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
                json_object *message = json_tokener_parse(ends[i]);

                assert_non_null(message);
                assert_true(etcd_read_events(message, &pairs, &header) < 0);
                assert_int_equal(pairs.n_items, 0);
                json_object_put(message);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requests),
                cmocka_unit_test(test_bodies_are_json),
                cmocka_unit_test(test_header_and_lease),
                cmocka_unit_test(test_transactions),
                cmocka_unit_test(test_changes),
                cmocka_unit_test(test_ends_of_a_stream),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

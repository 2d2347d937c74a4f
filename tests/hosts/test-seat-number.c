/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The number of a user's seat: what is tried, and what an answer of the store means. */

#include <json-c/json.h>

#include "claim-value.h"
#include "mirror-keys.h"
#include "seat-number.h"
#include "tests/unit/fixture.h"

static void test_the_first_free_number(void **state) {
        struct mirror mirror = {0};

        (void)state;
        assert_int_equal(number_first_free(&mirror, "123", 10), 10);
        mirror_keys_set(&mirror, STORE_SEATS "123/10", "\"cs123-a\"");
        mirror_keys_set(&mirror, STORE_SEATS "123/11", "\"cs123-b\"");
        mirror_keys_set(&mirror, STORE_SEATS "124/12", "\"cs124-c\"");
        assert_int_equal(number_first_free(&mirror, "123", 10), 12);
        assert_int_equal(number_first_free(&mirror, "123", 9), 9);
        mirror_keys_set(&mirror, STORE_SEATS "123/65534", "\"cs123-d\"");
        assert_int_equal(number_first_free(&mirror, "123", 65534), 0);
        assert_int_equal(number_first_free(&mirror, "123", UINT32_MAX), 0);
        mirror_keys_done(&mirror);
}

static enum number_step judge(const char *key, const char *value, unsigned *ret) {
        struct etcd_pair items[] = {
                {.key = (char *)(uintptr_t)STORE_SEATS "123/10", .value = (char *)(uintptr_t) "\"cs123-b\""},
                {.key = (char *)(uintptr_t)key, .value = (char *)(uintptr_t)value},
        };
        const struct etcd_pairs pairs = {.items = items, .n_items = key ? 2 : 1};

        return number_judge(&pairs, "123", "cs123-a", ret);
}

static void test_answers(void **state) {
        unsigned number = 0;

        (void)state;
        assert_int_equal(judge(NULL, "", &number), NUMBER_TAKEN);
        assert_int_equal(judge(STORE_NUMBERS "123/cs123-a", "12", &number), NUMBER_GIVEN);
        assert_int_equal(number, 12);
        assert_int_equal(judge(STORE_NUMBERS "124/cs123-a", "12", &number), NUMBER_TAKEN);
        assert_int_equal(judge(STORE_NUMBERS "123/cs123-ab", "12", &number), NUMBER_TAKEN);
        assert_int_equal(judge(STORE_NUMBERS "123/cs123-a", "0", &number), NUMBER_BAD);
        assert_int_equal(judge(STORE_NUMBERS "123/cs123-a", "\"12\"", &number), NUMBER_BAD);
        assert_int_equal(judge(STORE_NUMBERS "123/cs123-a", "65535", &number), NUMBER_BAD);
        assert_int_equal(judge(STORE_NUMBERS "123/cs123-a", "", &number), NUMBER_BAD);
}

/* Both keys have to be free, and both are set. */
static void test_body(void **state) {
        char *body = number_body("123", "cs123-a", 12);
        json_object *object = json_tokener_parse(body), *found = NULL;
        static const char *const lists[] = {"compare", "success", "failure"};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                assert_true(json_object_object_get_ex(object, lists[i], &found));
                assert_int_equal(json_object_array_length(found), 2);
        }
        /* /coursenet/1/numbers/123/cs123-a, /coursenet/1/seats/123/12, 12, "cs123-a" */
        assert_non_null(strstr(body, "\"L2NvdXJzZW5ldC8xL251bWJlcnMvMTIzL2NzMTIzLWE=\",\"value\":\"MTI=\""));
        assert_non_null(strstr(body, "\"L2NvdXJzZW5ldC8xL3NlYXRzLzEyMy8xMg==\",\"value\":\"ImNzMTIzLWEi\""));
        json_object_put(object);
        free(body);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_first_free_number),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_body),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

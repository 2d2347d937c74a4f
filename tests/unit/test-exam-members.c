/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* On which servers an exam is in force, by what coursenet-hosts knows. */

#include "fixture.h"

#include "exam/exam-members.h"

#define LIST(members)                                                                                        \
        "{\"version\": 1, \"own\": {\"host\": \"hosta\"}, \"claims\": [], \"members\": [" members "]}"
#define UP(host, courses)                                                                                    \
        "{\"host\": \"" host "\", \"listed\": true, \"up\": true, \"courses\": {" courses "}}"
#define DOWN(host) "{\"host\": \"" host "\", \"listed\": true, \"up\": false, \"courses\": null}"
#define EXAM(course, usec) "\"" course "\": {\"vni\": 1, \"exam\": " usec "}"

static void assert_members(const char *text, uint64_t changed_usec, const char *expected) {
        _cleanup_hosts_list_ struct hosts_list list = {0};
        char said[EXAM_MEMBERS_TEXT_SIZE];
        struct exam_members members;

        assert_int_equal(hosts_list_parse(text, 3, &list), 0);
        exam_members_find(&list, "123", changed_usec, &members);
        assert_int_equal(members.n, members.n_applied + members.n_missing);
        exam_members_format(&members, said);
        assert_string_equal(said, expected);
}

static void test_all_have_it(void **state) {
        (void)state;
        assert_members(LIST(UP("hosta", EXAM("123", "5")) "," UP("hostb", EXAM("123", "5"))), 5, "2 of 2");
        /* What was changed later on the other one has not come here yet. */
        assert_members(LIST(UP("hosta", EXAM("123", "5")) "," UP("hostb", EXAM("123", "6"))), 5, "2 of 2");
}

static void test_some_do_not(void **state) {
        (void)state;
        assert_members(
                LIST(UP("hosta", EXAM("123", "5")) "," UP("hostb", EXAM("123", "4")) "," DOWN("hostc")), 5,
                "1 of 3, not on hostb, hostc (down)");
        /* Nor this server, whose rules could not be applied. */
        assert_members(
                LIST(UP("hosta", "") "," UP("hostb", EXAM("124", "5"))), 5, "0 of 2, not on hosta, hostb");
}

/* Without a time, what is in force nowhere is not. */
static void test_odd_lists(void **state) {
        (void)state;
        assert_members(LIST(UP("hosta", EXAM("123", "0")) "," UP("hostb", EXAM("123", "\"x\""))), 0,
                "0 of 2, not on hosta, hostb");
        assert_members(LIST(UP("hosta", EXAM("123", "-1")) "," UP("hostb", "\"123\": 5")), 5,
                "0 of 2, not on hosta, hostb");
        assert_members(
                LIST(UP("hosta", EXAM("123", "5")) ",{\"host\": \"hostx\", \"listed\": false, \"up\": true}"),
                5, "1 of 1");
        assert_members(LIST(""), 5, "0 of 0");
}

static void test_many(void **state) {
        char text[65536], said[EXAM_MEMBERS_TEXT_SIZE];
        size_t n = (size_t)snprintf(text, sizeof(text), "%s", "{\"own\": {}, \"claims\": [], \"members\": [");
        _cleanup_hosts_list_ struct hosts_list list = {0};
        struct exam_members members;

        (void)state;
        for (unsigned i = 0; i < HOSTS_MAX + 3; i++)
                n += (size_t)snprintf(text + n, sizeof(text) - n,
                        "%s{\"host\": \"h%031u\", \"listed\": true, \"up\": false}", i ? "," : "", i);
        (void)snprintf(text + n, sizeof(text) - n, "]}");
        assert_int_equal(hosts_list_parse(text, 3, &list), 0);
        exam_members_find(&list, "123", 5, &members);
        assert_int_equal(members.n, HOSTS_MAX);
        assert_int_equal(members.n_missing, HOSTS_MAX);
        exam_members_format(&members, said);
        assert_non_null(strstr(said, "0 of 64, not on h0000000000000000000000000000000 (down), h"));
        assert_non_null(strstr(said, "7 (down) and 56 more"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_have_it),
                cmocka_unit_test(test_some_do_not),
                cmocka_unit_test(test_odd_lists),
                cmocka_unit_test(test_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

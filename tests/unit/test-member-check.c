/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What `coursenetctl check` makes of what coursenet-hosts knows. */

#include "fixture.h"

#include "check/checks.h"

#define OWN(cut_off, error)                                                                                  \
        "{\"version\": 1, \"own\": {\"host\": \"hosta\", \"cut_off\": " cut_off ", \"error\": " error        \
        "}, \"claims\": [], \"members\": [" MEMBER("hosta", "true", "0.1", "1")
#define MEMBER(host, listed, version, contract)                                                              \
        "{\"host\": \"" host "\", \"listed\": " listed ", \"up\": true, \"version\": \"" version             \
        "\", \"contract\": " contract "}"
#define END "]}"

static void check(const char *text, struct diagnostics *diagnostics) {
        _cleanup_hosts_list_ struct hosts_list list = {0};

        assert_int_equal(hosts_list_parse(text, 3, &list), 0);
        member_check("coursenet.conf", &list, "0.1", diagnostics);
}

static void test_all_is_well(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        (void)state;
        check(OWN("false", "null") "," MEMBER("hostb", "true", "0.1", "1") END, &diagnostics);
        assert_clean(&diagnostics);
}

static void test_others(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        (void)state;
        check(OWN("false", "null") "," MEMBER("hostb", "true", "0.2", "1") "," MEMBER(
                      "hostc", "true", "0.2", "2") "," MEMBER("hostd", "false", "0.1",
                      "1") ",{\"host\": \"hoste\", \"listed\": true, \"up\": false}" END,
                &diagnostics);
        assert_warning(&diagnostics, 0, "member hostb has version 0.2 of coursenet, and this server 0.1");
        assert_error(&diagnostics, 0, "member hostc speaks contract 2, and this server 1");
        assert_warning(&diagnostics, 0, "the store knows hostd, which is not in members");
        assert_warning(&diagnostics, 0, "member hoste is not up");
        assert_int_equal(diagnostics.n_items, 4);
}

#define WITH(host, version, courses)                                                                         \
        "{\"host\": \"" host "\", \"listed\": true, \"up\": true, \"version\": \"" version                   \
        "\", \"contract\": 1, \"courses\": {" courses "}}"
#define SHARED(course, settings, roster, changed, exam)                                                      \
        "\"" course "\": {\"settings\": \"" settings "\", \"settings_changed\": " changed                    \
        ", \"roster\": \"" roster "\", \"roster_changed\": " changed ", \"exam\": " exam "}"
#define LIST_OF(own, other)                                                                                  \
        "{\"version\": 1, \"own\": {\"host\": \"hosta\", \"cut_off\": false, \"error\": null}, \"claims\": " \
        "[], "                                                                                               \
        "\"members\": [" own ", " other "]}"

static void test_files_that_differ(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        (void)state;
        check(LIST_OF(WITH("hosta", "0.1",
                              SHARED("123", "a", "a", "1000000", "0") "," SHARED(
                                      "124", "a", "a", "1", "0") "," SHARED("125", "a", "a", "1", "5")),
                      WITH("hostb", "0.1",
                              SHARED("123", "a", "b", "100000000000", "0") "," SHARED("125", "b", "a", "0",
                                      "4") "," SHARED("126", "a", "a", "1", "0") ",\"../x\": 1")),
                &diagnostics);
        assert_warning(&diagnostics, 0, "course 123: the roster here is not that of hostb, which is newer (");
        assert_warning(&diagnostics, 0, "copy /etc/coursenet/roster.d/123 from hostb to the others");
        assert_warning(&diagnostics, 0, "course 124 is shared here, and on hostb it is not");
        assert_warning(&diagnostics, 0, "course 125: the settings here are not those of hostb");
        assert_warning(&diagnostics, 0, "copy /etc/coursenet/coursenet.conf from this server to the others");
        assert_warning(
                &diagnostics, 0, "course 125: hostb does not have yet what was changed last of its exam");
        assert_warning(&diagnostics, 0, "course 126 is shared on hostb, and here it is not");
        assert_int_equal(diagnostics.n_items, 5);
}

/* Another version may compute them in another way. */
static void test_nothing_is_compared(void **state) {
        _cleanup_diagnostics_ struct diagnostics same = {0}, other = {0}, none = {0};

        (void)state;
        check(LIST_OF(WITH("hosta", "0.1", SHARED("123", "a", "a", "1", "5")),
                      WITH("hostb", "0.1", SHARED("123", "a", "a", "2", "5"))),
                &same);
        assert_clean(&same);
        check(LIST_OF(WITH("hosta", "0.1", SHARED("123", "a", "a", "1", "0")),
                      WITH("hostb", "0.2", SHARED("123", "b", "b", "1", "0"))),
                &other);
        assert_int_equal(other.n_items, 1);
        check(LIST_OF(WITH("hosta", "0.1", SHARED("123", "a", "a", "1", "0")),
                      MEMBER("hostb", "true", "0.1", "1")),
                &none);
        assert_clean(&none);
}

/* What it knows of the others is of before. */
static void test_without_the_store(void **state) {
        _cleanup_diagnostics_ struct diagnostics cut_off = {0}, error = {0};

        (void)state;
        check(OWN("true", "\"no answer\"") "," MEMBER("hostb", "true", "0.2", "2") END, &cut_off);
        assert_error(&cut_off, 0, "off the network: no answer");
        assert_int_equal(cut_off.n_items, 1);
        check(OWN("false", "\"no answer\"") "," MEMBER("hostb", "true", "0.2", "2") END, &error);
        assert_error(&error, 0, "no seat of a shared course starts here: no answer");
        assert_int_equal(error.n_items, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_is_well),
                cmocka_unit_test(test_others),
                cmocka_unit_test(test_files_that_differ),
                cmocka_unit_test(test_nothing_is_compared),
                cmocka_unit_test(test_without_the_store),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files that other programs of the member read. */

#include "run-state.h"
#include "tests/unit/fixture.h"

static char root[128];

static int make(void **state) {
        if (make_etc(state) < 0)
                return -1;
        (void)snprintf(root, sizeof(root), "%s/hosts", etc);
        return run_state_make(root);
}

static mode_t mode_of(const char *name) {
        char path[256];
        struct stat st;

        (void)snprintf(path, sizeof(path), "%s/%s", root, name);
        assert_int_equal(stat(path, &st), 0);
        return st.st_mode & 07777;
}

static bool exists(const char *name) {
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", root, name);
        return access(path, F_OK) == 0;
}

static void assert_text(const char *name, const char *expected) {
        char path[256], text[64] = "";
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/%s", root, name);
        file = fopen(path, "re");
        assert_non_null(file);
        assert_non_null(fgets(text, sizeof(text), file));
        (void)fclose(file);
        assert_string_equal(text, expected);
}

static void test_numbers(void **state) {
        (void)state;
        assert_false(exists("deadline"));
        assert_int_equal(run_state_set_deadline(root, UINT64_MAX), 0);
        assert_text("deadline", "18446744073709551615\n");
        assert_int_equal(run_state_set_deadline(root, 1), 0);
        assert_text("deadline", "1\n");
        assert_int_equal(run_state_lease(root), 0);
        assert_int_equal(run_state_set_lease(root, 2324035713402622983), 0);
        assert_int_equal(run_state_lease(root), 2324035713402622983);
}

static unsigned n_claims;

static void count(void *userdata, const char *seat, const char *user) {
        assert_string_equal(userdata, "data");
        assert_string_equal(user, string_equal(seat, "12310") ? "cs123-a" : "cs123-b");
        n_claims++;
}

static unsigned count_claims(void) {
        char data[] = "data";

        n_claims = 0;
        run_state_each_claim(root, count, data);
        return n_claims;
}

static void test_claims(void **state) {
        char path[256];
        int fd;

        (void)state;
        assert_int_equal(run_state_add_claim(root, "12310", "cs123-x"), 0);
        assert_int_equal(run_state_add_claim(root, "12310", "cs123-a"), 0);
        assert_int_equal(run_state_add_claim(root, "12311", "cs123-b"), 0);
        /* What a killed program has left. */
        (void)snprintf(path, sizeof(path), "%s/claims/.12312.new", root);
        fd = open(path, O_CREAT | O_WRONLY, 0600);
        assert_true(fd >= 0);
        (void)close(fd);
        assert_int_equal(count_claims(), 2);
        assert_int_equal(run_state_remove_claim(root, "12310"), 0);
        assert_int_equal(run_state_remove_claim(root, "12310"), 0);
        assert_int_equal(count_claims(), 1);
}

static void test_drained(void **state) {
        (void)state;
        assert_int_equal(run_state_set_drained(root, NULL), 0);
        assert_false(exists("drained"));
        assert_int_equal(run_state_set_drained(root, "hostb hostc"), 0);
        assert_true(exists("drained"));
        assert_int_equal(run_state_set_drained(root, NULL), 0);
        assert_false(exists("drained"));
}

/* Who is logged in is not public. */
static void test_modes(void **state) {
        (void)state;
        (void)umask(022);
        assert_int_equal(run_state_make(root), 0);
        assert_int_equal(run_state_add_claim(root, "12310", "cs123-a"), 0);
        assert_int_equal(mode_of("."), 0700);
        assert_int_equal(mode_of("claims"), 0700);
        assert_int_equal(mode_of("claims/12310"), 0600);
}

static void test_without_a_folder(void **state) {
        (void)state;
        assert_true(run_state_set_deadline("/nonexistent", 1) < 0);
        assert_int_equal(run_state_lease("/nonexistent"), 0);
        assert_true(run_state_add_claim("/nonexistent", "12310", "cs123-a") < 0);
        run_state_each_claim("/nonexistent", count, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_numbers, make, remove_etc),
                cmocka_unit_test_setup_teardown(test_claims, make, remove_etc),
                cmocka_unit_test_setup_teardown(test_drained, make, remove_etc),
                cmocka_unit_test_setup_teardown(test_modes, make, remove_etc),
                cmocka_unit_test(test_without_a_folder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

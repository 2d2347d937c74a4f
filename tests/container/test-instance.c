/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From settings to the runtime's command line, and what is removed before a start. */

#include "container/instance.h"
#include "tests/unit/fixture.h"

#include <sys/utsname.h>

static void plan(const char *settings, const char *id, const char *image, struct instance *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        write_file(SETTINGS_FILE, settings);
        assert_int_equal(instance_plan(etc, id, image, ret, &diagnostics), 0);
        assert_int_equal(diagnostics.n_items, 0);
}

static void assert_arguments(const struct instance *instance, const char *const *expected) {
        const char *arguments[INSTANCE_ARGUMENTS_MAX];
        struct instance_storage storage;
        size_t i = 0;

        instance_arguments(instance, "/usr/bin/apptainer", "/run/x/pid", &storage, arguments);
        for (; expected[i]; i++) {
                assert_non_null(arguments[i]);
                assert_string_equal(arguments[i], expected[i]);
        }
        assert_null(arguments[i]);
}

static void test_a_seat_has_its_courses_image(void **state) {
        struct instance instance;

        (void)state;
        plan("[site]\nimage = /a.sif\n[course 123]\nimage = /b.sif\nbind = /srv:/data:ro /opt\n"
             "environment = A=1 B=two\n",
                "12310", NULL, &instance);
        assert_arguments(
                &instance, (const char *const[]){"/usr/bin/apptainer", "--silent", "instance", "start",
                                   "--pid-file", "/run/x/pid", "--bind", "/srv:/data:ro", "--bind", "/opt",
                                   "--env", "A=1", "--env", "B=two", "/b.sif", "inst-12310", NULL});
}

static void test_any_other_has_the_sites(void **state) {
        struct instance instance;

        (void)state;
        plan("[site]\nimage = /a.sif\n[course 123]\nimage = /b.sif\n", "test123", NULL, &instance);
        assert_arguments(
                &instance, (const char *const[]){"/usr/bin/apptainer", "--silent", "instance", "start",
                                   "--pid-file", "/run/x/pid", "/a.sif", "inst-test123", NULL});
}

static void test_a_drop_ins_image_wins(void **state) {
        struct instance instance;

        (void)state;
        plan("[site]\nimage = /a.sif\n", "12310", "/c.sif", &instance);
        assert_string_equal(instance.services.image, "/c.sif");
        plan("", "test123", "/c.sif", &instance);
        assert_string_equal(instance.services.image, "/c.sif");
}

static void test_no_image_is_an_error_that_helps(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct instance instance;

        (void)state;
        write_file(SETTINGS_FILE, "");
        assert_int_equal(instance_plan(etc, "12310", NULL, &instance, &diagnostics), -EINVAL);
        assert_int_equal(diagnostics.n_errors, 1);
        assert_non_null(strstr(diagnostics.items[0].text, "set image in coursenet.conf"));
}

static void test_every_word_that_fits_has_room(void **state) {
        char settings[1024] = "[site]\nimage = /a\nbind =", *p = settings + strlen(settings);
        const char *arguments[INSTANCE_ARGUMENTS_MAX];
        struct instance_storage storage;
        struct instance instance;
        size_t n = 0;

        (void)state;
        for (unsigned i = 0; i < 58; i++)
                p = stpcpy(p, " /x");
        p = stpcpy(p, "\nenvironment =");
        for (unsigned i = 0; i < 42; i++)
                p = stpcpy(p, " A=1");
        (void)stpcpy(p, "\n");
        plan(settings, "12310", NULL, &instance);
        instance_arguments(&instance, "runtime", "pid", &storage, arguments);
        while (arguments[n])
                n++;
        assert_int_equal(n, 6 + 2 * 58 + 2 * 42 + 2);
}

static void test_what_a_killed_instance_left_is_removed(void **state) {
        char mine[256], other[256], *folders = NULL;
        struct utsname host;

        (void)state;
        assert_int_equal(uname(&host), 0);
        (void)snprintf(
                mine, sizeof(mine), "%s/.apptainer/instances/app/%s/cs123-a/inst-12310", etc, host.nodename);
        (void)snprintf(other, sizeof(other), "%s/.apptainer/instances/app/%s/cs123-a/inst-other", etc,
                host.nodename);
        assert_true(asprintf(&folders, "mkdir -p %s %s && touch %s/inst-12310.json", mine, other, mine) > 0);
        assert_int_equal(system(folders), 0);
        free(folders);

        instance_forget(etc, "cs123-a", "inst-12310");
        assert_int_equal(access(mine, F_OK), -1);
        assert_int_equal(access(other, F_OK), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_a_seat_has_its_courses_image),
                TEST(test_any_other_has_the_sites),
                TEST(test_a_drop_ins_image_wins),
                TEST(test_no_image_is_an_error_that_helps),
                TEST(test_every_word_that_fits_has_room),
                TEST(test_what_a_killed_instance_left_is_removed),
        };

        return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}

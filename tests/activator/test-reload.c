/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The answer to a reload, and the files that it writes. */

#include "fake-systemd.h"
#include "tests/unit/fixture.h"

#include "request/reload.h"
#include "seat/wiring.h"

static struct seats seats;
static char passwd[sizeof(etc) + sizeof("/passwd")];

static char heard[256];
static bool heard_good;

static void note(void *userdata, bool good, const char *text) {
        assert_ptr_equal(userdata, &seats);
        assert_string_equal(heard, "");
        heard_good = good;
        (void)snprintf(heard, sizeof(heard), "%s", text);
}

static void begin(void) {
        heard[0] = '\0';
        reload(&seats, note, &seats);
}

static void told(bool good, const char *text) {
        assert_string_equal(heard, text);
        assert_int_equal(heard_good, good);
}

static bool has_wiring(const char *unit) {
        return wiring_exists(etc, unit);
}

static void every_seat_on_a_roster_is_wired(void **state) {
        (void)state;
        write_file("roster.d/123", "amy 10\nbob 11\n");
        begin();
        answer_unit("nsbr@12310.service", NULL);
        answer_unit("nsbr@12311.service", NULL);
        told(true, "2 seats have their wiring, 2 of them new");
        assert_true(has_wiring("nsbr@12310.service"));
        assert_true(has_wiring("nsbr@12311.service"));

        begin();
        told(true, "2 seats have their wiring, 0 of them new");
}

/* No name of a student is there for everybody to read before the first login. */
static void the_services_of_a_seat_are_kept_from_starting(void **state) {
        _cleanup_free_ char *text = NULL;

        (void)state;
        write_file("coursenet.conf", "[course 123]\nunits = notebook\n");
        write_file("roster.d/123", "amy 10\n");
        begin();
        answer_unit("nsbr@12310.service", NULL);
        answer_unit("notebook@12310.service", NULL);
        told(true, "1 seat has their wiring, 2 of them new");
        text = read_whole("notebook@12310.service.d/" WIRING_FILE);
        assert_non_null(strstr(text, "AssertPathExists="));
        assert_null(strstr(text, "amy"));
}

static bool is_folder(const char *name) {
        struct stat st;

        return stat(etc_path(name), &st) == 0 && S_ISDIR(st.st_mode);
}

/* They are made of what everybody can read: neither the roster nor a name has a part in it. */
static void managers_of_course_users_with_an_account_have_a_folder(void **state) {
        (void)state;
        write_file("roster.d/123", "amy 10\n");
        write_file("passwd", "root:x:0:0::/root:/bin/sh\n"
                             "cs123-amy:x:1001:1001::/home/cs123-amy:/bin/sh\n"
                             "cs124-zoe:x:1002:1002::/home/cs124-zoe:/bin/sh\n"
                             "a broken line\n"
                             "alice:x:1003:1003::/home/alice:/bin/sh\n"
                             "cs123-system:x:999:999::/:/bin/sh\n");
        begin();
        answer_unit("nsbr@12310.service", NULL);
        told(true, "1 seat has their wiring, 1 of them new");
        assert_true(is_folder("user@1001.service.d"));
        assert_true(is_folder("user-1001.slice.d"));
        assert_true(is_folder("user@1002.service.d"));
        assert_false(is_folder("user@1003.service.d"));
        assert_false(is_folder("user@999.service.d"));
        /* There is nothing in it. */
        assert_return_code(rmdir(etc_path("user@1001.service.d")), errno);

        begin();
        told(true, "1 seat has their wiring, 0 of them new");
        assert_true(is_folder("user@1001.service.d"));
}

static void a_mistake_in_one_course_costs_no_other_one(void **state) {
        (void)state;
        write_file("roster.d/123", "amy 10\n");
        write_file("roster.d/124", "bob ten\n");
        begin();
        answer_unit("nsbr@12310.service", NULL);
        told(false, "1 seat has their wiring, 1 of them new; 1 mistake: coursenetctl check says where");
}

static void systemd_reloads_only_what_it_has_in_an_old_version(void **state) {
        (void)state;
        write_file("roster.d/123", "amy 10\n");
        begin();
        answer_unit("nsbr@12310.service", "inactive");
        asked("reset nsbr@12310.service");
        asked("get nsbr@12310.service DropInPaths");
        answer_property(0, (struct unit_value){0});
        asked("reload");
        assert_string_equal(heard, "");
        answer_done(0);
        told(true, "1 seat has their wiring, 1 of them new");
}

static void what_systemd_refuses_is_said(void **state) {
        (void)state;
        write_file("roster.d/123", "amy 10\n");
        begin();
        asked("find nsbr@12310.service");
        answer_job(-ETIMEDOUT, "", "");
        told(false, "the wiring of the seats cannot be written: Connection timed out");

        write_file("coursenet.conf", "[site]\nprefix = 99\n");
        begin();
        assert_non_null(strstr(heard, "the wiring of the seats cannot be written"));
        assert_false(heard_good);
}

static int set_up(void **state) {
        int r = make_etc(state);

        seats = (struct seats){.etc = etc, .unit_directory = etc, .passwd = passwd};
        (void)snprintf(passwd, sizeof(passwd), "%s/passwd", etc);
        if (r == 0)
                write_file("passwd", "");
        return r;
}

static int tear_down(void **state) {
        fake_systemd_done();
        return remove_etc(state);
}

#define reload_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                reload_test(every_seat_on_a_roster_is_wired),
                reload_test(the_services_of_a_seat_are_kept_from_starting),
                reload_test(managers_of_course_users_with_an_account_have_a_folder),
                reload_test(a_mistake_in_one_course_costs_no_other_one),
                reload_test(systemd_reloads_only_what_it_has_in_an_old_version),
                reload_test(what_systemd_refuses_is_said),
        };

        return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What changes a digest, and what does not. */

#include "course-digest.h"
#include "tests/unit/fixture.h"

#define HOSTS                                                                                                \
        "[hosts]\nmembers = hosta=192.0.2.1 hostb=192.0.2.2\nstore = http://127.0.0.1:2379\nhost-name = "
#define SITE "[site]\nnetwork6 = off\n"
#define COURSE "[course 123]\nspread = yes\n"
#define ROSTER "# a list\nnewellz2 10\nsmithj 11\n"

static struct course_digests digests;

static int begin(void **state) {
        if (make_etc(state) < 0)
                return -1;
        digests = (struct course_digests){.etc = etc};
        return 0;
}

static int end(void **state) {
        course_digests_done(&digests);
        return remove_etc(state);
}

static struct course_digest refresh(const char *settings, const char *roster) {
        write_file("coursenet.conf", settings);
        write_file("roster.d/123", roster);
        write_file("roster.d/124", "doej 10\n");
        assert_int_equal(course_digests_refresh(&digests), 1);
        assert_int_equal(digests.n_items, 1);
        assert_string_equal(digests.items[0].course, "123");
        return digests.items[0];
}

static void test_what_matters(void **state) {
        static const char *const other[] = {
                "[site]\nnetwork = 172.16.0.0/12\nnetwork6 = off\n" HOSTS "hosta\n" COURSE,
                SITE HOSTS "hosta\n" COURSE "isolation = seat\n",
                SITE HOSTS "hosta\n" COURSE "inbound = yes\n",
                SITE HOSTS "hosta\n" COURSE "vni = 7\n",
                SITE HOSTS "hosta\n" COURSE "exam-allow = 192.0.2.10\n",
                SITE HOSTS "hosta\n" COURSE "subnet6 = 2001:db8:123::/64\n",
                SITE "staff = prof\n" HOSTS "hosta\n" COURSE,
        };
        struct course_digest first = refresh(SITE HOSTS "hosta\n" COURSE, ROSTER), second;

        (void)state;
        assert_int_equal(first.vni, 100123);
        assert_int_equal(strlen(first.settings), 64);
        assert_true(first.roster_usec > UINT64_C(1700000000000000));
        for (size_t i = 0; i < ELEMENTSOF(other); i++) {
                second = refresh(other[i], ROSTER);
                if (string_equal(first.settings, second.settings))
                        fail_msg("'%s' has the same digest", other[i]);
                assert_string_equal(first.roster, second.roster);
        }
}

/* It is of the machine. */
static void test_what_may_differ(void **state) {
        static const char *const other[] = {
                SITE HOSTS "hostb\n" COURSE,
                SITE "uplink = eth0\n" HOSTS "hostb\nclaim-time = 20s\n" COURSE "memory-max = 2G\n",
                "# a comment\n" SITE HOSTS "hosta\n" COURSE "host-ports = 8000/tcp\n",
                SITE HOSTS "hosta\n" COURSE "[course 124]\nisolation = seat\n",
        };
        struct course_digest first = refresh(SITE HOSTS "hosta\n" COURSE, ROSTER), second;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(other); i++) {
                second = refresh(other[i], "smithj 11\n#removed doej 12\nnewellz2 10\n");
                if (!string_equal(first.settings, second.settings))
                        fail_msg("'%s' has another digest", other[i]);
                assert_string_equal(first.roster, second.roster);
        }
}

static void test_the_roster(void **state) {
        static const char *const other[] = {"newellz2 11\nsmithj 10\n", "newellz2 10\n",
                "newellz2 10\nsmithj 11\ndoej 12\n", "newellz2 10\n#removed smithj 11\n"};
        struct course_digest first = refresh(SITE HOSTS "hosta\n" COURSE, ROSTER), second;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(other); i++) {
                second = refresh(SITE HOSTS "hosta\n" COURSE, other[i]);
                if (string_equal(first.roster, second.roster))
                        fail_msg("'%s' has the same digest", other[i]);
                assert_string_equal(first.settings, second.settings);
        }
}

static void test_a_seat_that_was_moved(void **state) {
        struct course_digest first = refresh(SITE HOSTS "hosta\n" COURSE, ROSTER), second;

        (void)state;
        write_file("netns/ns12310.conf", "VR_IP=10.0.123.77\n");
        second = refresh(SITE HOSTS "hosta\n" COURSE, ROSTER);
        assert_string_not_equal(first.settings, second.settings);
        assert_string_equal(first.roster, second.roster);
}

/* As they were, until the mistake is corrected. */
static void test_a_mistake(void **state) {
        struct course_digest first = refresh(SITE HOSTS "hosta\n" COURSE, ROSTER);

        (void)state;
        write_file("coursenet.conf", "[site]\nisolation = perhaps\n");
        assert_true(course_digests_refresh(&digests) < 0);
        assert_string_equal(digests.items[0].settings, first.settings);
}

/* Files that were left alone are not read again. */
static void test_nothing_has_changed(void **state) {
        (void)state;
        (void)refresh(SITE HOSTS "hosta\n" COURSE, ROSTER);
        digests.settled = true;
        assert_int_equal(course_digests_refresh(&digests), 0);
        write_file("roster.d/123", ROSTER "doej 12\n");
        assert_int_equal(course_digests_refresh(&digests), 1);
        assert_false(digests.settled);
}

#define FILES_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void) {
        const struct CMUnitTest tests[] = {
                FILES_TEST(test_what_matters),
                FILES_TEST(test_what_may_differ),
                FILES_TEST(test_the_roster),
                FILES_TEST(test_a_seat_that_was_moved),
                FILES_TEST(test_a_mistake),
                FILES_TEST(test_nothing_has_changed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

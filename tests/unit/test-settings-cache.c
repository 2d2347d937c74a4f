/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is kept of settings and rosters is always what is on disk: every kind of change is seen by the next
 * call, and random changes give the same as fresh loads. The linker takes clock_gettime() from here, so that
 * files can have settled without a wait. A poisoned cache shows whether the files were read again.
 */

#include "fixture.h"

#include <sys/syscall.h>
#include <time.h>

#include "roster.h"
#include "settings-cache.h"
#include "trusted-file.h"

#define SETTINGS "coursenet.conf"
#define ROSTER "roster.d/123"
#define SETTLED_SECONDS 4

/* Both texts of each pair have the same length. */
static const char *const settings_texts[] = {
        "[site]\nfirst-seat = 10\n",
        "[site]\nfirst-seat = 20\n",
        "[site]\nfirst-seat = 10\n[course 123]\nlinger = 60\n",
        "[site]\nfirst-seat = 20\n[course 123]\nlinger = 90\n",
        "[site]\nprefix = 20\nname-rule = cs{course}-{student}\n",
        "[site]\nprefix = 20\nname-rule = ab{course}-{student}\n",
        "[site]\nprefix = 99\n",
        "[site\n",
};
static const char *const roster_texts[] = {
        "amy 10\nbob 11\n",
        "bob 10\namy 11\n",
        "amy 10\n#removed bob 11\n",
        "amy 10\n#removed bob 12\n",
        "amy 10\ncs123-zoe 300\n",
        "amy 10\nab123-zoe 300\n",
        "amy ten\nbob 11\n",
        "",
};

static struct settings_cache cache = {.etc = etc};
static time_t clock_offset;

int clock_gettime(clockid_t id, struct timespec *ret) {
        long r = syscall(SYS_clock_gettime, id, ret);

        if (id == CLOCK_REALTIME)
                ret->tv_sec += clock_offset;
        return (int)r;
}

/* The files' last changes are old enough when this returns, as far as the cache can tell. */
static void let_settle(void) {
        clock_offset = SETTLED_SECONDS;
}

/*
 * Until the kernel gives another time to a change than to the one before. let_settle() has lied about that.
 */
static void wait_for_new_time(void) {
        _cleanup_close_ int fd = open(etc_path("clock"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        struct stat before, now;

        assert_true(fd >= 0);
        assert_int_equal(futimens(fd, NULL), 0);
        assert_int_equal(fstat(fd, &before), 0);
        do {
                assert_int_equal(futimens(fd, NULL), 0);
                assert_int_equal(fstat(fd, &now), 0);
        } while (
                now.st_ctim.tv_sec == before.st_ctim.tv_sec && now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

/* --- comparison with fresh loads ----------------------------------------------------------------- */

static void assert_same_findings(const struct diagnostics *a, const struct diagnostics *b) {
        assert_int_equal(a->n_errors, b->n_errors);
        assert_int_equal(a->n_items, b->n_items);
        for (size_t i = 0; i < a->n_items; i++) {
                assert_string_equal(a->items[i].text, b->items[i].text);
                assert_int_equal(a->items[i].line, b->items[i].line);
        }
}

static void assert_same_settings(const struct settings *a, const struct settings *b) {
        assert_string_equal(a->rule_text, b->rule_text);
        assert_int_equal(a->first_seat, b->first_seat);
        assert_int_equal(a->prefix, b->prefix);
        assert_memory_equal(&a->network6, &b->network6, sizeof(a->network6));
        assert_int_equal(a->n_courses, b->n_courses);
        assert_int_equal(
                settings_for_course(a, "123")->linger_seconds, settings_for_course(b, "123")->linger_seconds);
        assert_memory_equal(a->lines, b->lines, sizeof(a->lines));
}

static int find_fresh(const struct settings *settings, const char *course, const char *student,
        unsigned *ret_seat, struct diagnostics *diagnostics) {
        _cleanup_roster_ struct roster roster = {0};
        const struct roster_line *line;
        int r = roster_load(etc, settings, course, &roster, diagnostics);

        line = r >= 0 ? roster_find(&roster, student) : NULL;
        if (line)
                *ret_seat = line->seat;
        return r < 0 ? r : line ? 0 : -ENOENT;
}

static void compare_seat(const struct settings *settings, const char *course, const char *student) {
        _cleanup_diagnostics_ struct diagnostics fresh = {0}, kept = {0};
        unsigned fresh_seat = 0, kept_seat = 0;
        int r = find_fresh(settings, course, student, &fresh_seat, &fresh);

        assert_int_equal(settings_cache_find_seat(&cache, course, student, &kept_seat, &kept), r);
        assert_int_equal(kept_seat, fresh_seat);
        assert_same_findings(&kept, &fresh);
}

/* The cache says what fresh loads say. */
static void compare(void) {
        static const char *const students[] = {"amy", "bob", "zoe", "ab123-zoe", ""};
        _cleanup_diagnostics_ struct diagnostics fresh_findings = {0}, kept_findings = {0};
        _cleanup_settings_ struct settings fresh = {0};
        const struct settings *kept;
        int r = settings_load(etc, &fresh, &fresh_findings);

        assert_int_equal(settings_cache_load(&cache, &kept, &kept_findings), r);
        assert_same_findings(&kept_findings, &fresh_findings);
        if (r < 0)
                return;
        assert_same_settings(kept, &fresh);
        for (size_t i = 0; i < ELEMENTSOF(students); i++) {
                compare_seat(&fresh, "123", students[i]);
                compare_seat(&fresh, "124", students[i]);
        }
}

/* --- whether it reads ---------------------------------------------------------------------------- */

static bool reads_settings(void) {
        _cleanup_diagnostics_ struct diagnostics findings = {0};
        const unsigned poison = 77, first_seat = cache.settings.first_seat;
        const struct settings *settings;
        bool read;

        cache.settings.first_seat = poison;
        read = settings_cache_load(&cache, &settings, &findings) < 0 || settings->first_seat != poison;
        if (!read)
                cache.settings.first_seat = first_seat;
        return read;
}

/* In a subnet of two addresses a roster that is read has no seat 10. */
static bool reads_roster(const char *course, const char *student) {
        _cleanup_diagnostics_ struct diagnostics findings = {0};
        const unsigned prefix = cache.settings.prefix;
        unsigned seat;
        int r;

        cache.settings.prefix = SUBNET_PREFIX_MAX;
        r = settings_cache_find_seat(&cache, course, student, &seat, &findings);
        cache.settings.prefix = prefix;
        return r < 0;
}

/* Everything is kept when this returns. */
static void fill(void) {
        let_settle();
        compare();
        assert_false(reads_settings());
        assert_false(reads_roster("123", "amy"));
        wait_for_new_time();
}

static void unchanged_files_are_not_read_again(void **state) {
        (void)state;
        fill();
        for (unsigned i = 0; i < 10; i++) {
                assert_false(reads_settings());
                assert_false(reads_roster("123", "amy"));
        }
        /* The other one stays when one of them changes. */
        write_file(ROSTER, roster_texts[1]);
        assert_false(reads_settings());
        assert_true(reads_roster("123", "amy"));
        compare();
}

static void without_a_file_the_defaults_are_kept(void **state) {
        (void)state;
        assert_int_equal(unlink(etc_path(SETTINGS)), 0);
        fill();
        write_file(SETTINGS, settings_texts[1]);
        assert_true(reads_settings());
        compare();
        assert_int_equal(cache.settings.first_seat, 20);
}

/* The file system may give the next change the same time, so that nothing would show it. */
static void a_file_that_has_just_changed_is_read_again(void **state) {
        (void)state;
        compare();
        assert_true(reads_settings());
        assert_true(reads_roster("123", "amy"));
        clock_offset = SETTLED_SECONDS - 2;
        compare();
        assert_true(reads_settings());
        fill();
}

static void a_time_in_the_future_never_settles(void **state) {
        (void)state;
        clock_offset = -3600;
        compare();
        assert_true(reads_settings());
        assert_true(reads_roster("123", "amy"));
        fill();
}

/* --- every kind of change ------------------------------------------------------------------------ */

/* Replaces the text in place: inode and size stay. */
static void write_in_place(const char *name, const char *text) {
        _cleanup_close_ int fd = open(etc_path(name), O_WRONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

static void set_old_time(const char *name) {
        const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

        assert_int_equal(utimensat(AT_FDCWD, etc_path(name), old, AT_SYMLINK_NOFOLLOW), 0);
}

static void change_in_place(const char *name, const char *text) {
        write_in_place(name, text);
}

/* Size and time of modification are as before. */
static void change_and_set_the_time_back(const char *name, const char *text) {
        struct stat before;

        assert_int_equal(stat(etc_path(name), &before), 0);
        write_in_place(name, text);
        assert_int_equal(
                utimensat(AT_FDCWD, etc_path(name), (struct timespec[2]){before.st_atim, before.st_mtim}, 0),
                0);
}

static void change_to_an_old_file(const char *name, const char *text) {
        write_file("new", text);
        set_old_time("new");
        assert_int_equal(rename(etc_path("new"), etc_path(name)), 0);
}

static void change_by_rename(const char *name, const char *text) {
        write_file("new", text);
        assert_int_equal(rename(etc_path("new"), etc_path(name)), 0);
}

static void change_by_exchange(const char *name, const char *text) {
        write_file("new", text);
        assert_int_equal(renameat2(AT_FDCWD, etc_path("new"), AT_FDCWD, etc_path(name), RENAME_EXCHANGE), 0);
}

static void change_by_link(const char *name, const char *text) {
        write_file("new", text);
        assert_int_equal(unlink(etc_path(name)), 0);
        assert_int_equal(link(etc_path("new"), etc_path(name)), 0);
}

/* Refused as a link, also to the very same file. */
static void change_to_a_symbolic_link(const char *name, const char *text) {
        (void)text;
        assert_int_equal(rename(etc_path(name), etc_path("aside")), 0);
        assert_int_equal(symlink(etc_path("aside"), etc_path(name)), 0);
}

static void change_mode(const char *name, const char *text) {
        (void)text;
        assert_int_equal(chmod(etc_path(name), 0666), 0);
}

static void change_owner(const char *name, const char *text) {
        (void)text;
        assert_int_equal(chown(etc_path(name), 65534, 0), 0);
}

static void remove_the_file(const char *name, const char *text) {
        (void)text;
        assert_int_equal(unlink(etc_path(name)), 0);
}

static void change_the_folder(const char *name, const char *text) {
        assert_int_equal(rename(etc, etc_path("../coursenet-unit-aside")), 0);
        assert_int_equal(mkdir(etc, 0755), 0);
        write_file(name, text);
}

static void restore_the_folder(void) {
        if (rename(etc_path("../coursenet-unit-aside"), etc_path("old")) < 0)
                assert_int_equal(errno, ENOENT);
}

static void every_change_is_seen(void **state) {
        static void (*const changes[])(const char *name, const char *text) = {change_in_place,
                change_and_set_the_time_back, change_to_an_old_file, change_by_rename, change_by_exchange,
                change_by_link, change_to_a_symbolic_link, change_mode, change_owner, remove_the_file,
                change_the_folder};

        for (size_t i = 0; i < 2 * ELEMENTSOF(changes); i++) {
                fill();
                if (i % 2 == 0)
                        changes[i / 2](SETTINGS, settings_texts[1]);
                else
                        changes[i / 2](ROSTER, roster_texts[1]);
                if (i % 2 == 0 && !reads_settings())
                        fail_msg("change %zu of the settings is not seen", i / 2);
                if (i % 2 == 1 && !reads_roster("123", "amy"))
                        fail_msg("change %zu of the roster is not seen", i / 2);
                compare();
                restore_the_folder();
                assert_int_equal(remove_etc(state), 0);
                settings_cache_done(&cache);
                assert_int_equal(make_etc(state), 0);
                write_file(SETTINGS, settings_texts[0]);
                write_file(ROSTER, roster_texts[0]);
        }
}

static void a_new_roster_counts_at_once(void **state) {
        (void)state;
        fill();
        write_file("roster.d/124", "bob 12\n");
        compare();
        let_settle();
        compare();
        assert_false(reads_roster("124", "bob"));
        assert_false(reads_roster("123", "amy"));
}

static void new_settings_count_for_every_roster(void **state) {
        _cleanup_diagnostics_ struct diagnostics findings = {0};
        const struct settings *settings;
        unsigned seat;

        (void)state;
        fill();
        write_file(SETTINGS, "[site]\nprefix = 30\nfirst-seat = 2\n");
        assert_int_equal(settings_cache_load(&cache, &settings, &findings), 0);
        assert_int_equal(settings_cache_find_seat(&cache, "123", "amy", &seat, &findings), -ENOENT);
        assert_error(&findings, 1, "the last seat of the subnet");
}

/* --- mistakes and limits ------------------------------------------------------------------------- */

static void a_mistake_is_told_each_time(void **state) {
        (void)state;
        write_file(ROSTER, "amy 10\nbob ten\n");
        for (unsigned i = 0; i < 3; i++) {
                _cleanup_diagnostics_ struct diagnostics findings = {0};
                const struct settings *settings;
                unsigned seat;

                let_settle();
                assert_int_equal(settings_cache_load(&cache, &settings, &findings), 0);
                assert_clean(&findings);
                assert_int_equal(settings_cache_find_seat(&cache, "123", "amy", &seat, &findings), 0);
                assert_error(&findings, 2, "ten");
        }
        write_file(SETTINGS, "[site]\nprefix = 99\n");
        for (unsigned i = 0; i < 3; i++) {
                _cleanup_diagnostics_ struct diagnostics findings = {0};
                const struct settings *settings = NULL;

                let_settle();
                assert_int_equal(settings_cache_load(&cache, &settings, &findings), -EINVAL);
                assert_null(settings);
                assert_error(&findings, 2, "prefix");
        }
        compare();
}

static void more_courses_than_the_limit_are_read_each_time(void **state) {
        _cleanup_free_ char *text = calloc(1, TRUSTED_FILE_SIZE_MAX);
        char *end = text;

        (void)state;
        for (unsigned i = 0; i <= SETTINGS_CACHE_COURSES_MAX; i++)
                end += sprintf(end, "[course %03u]\nlinger = 1\n%s", i,
                        i == 999 ? "[site]\ncourse-digits = 4\n" : "");
        write_file(SETTINGS, text);
        let_settle();
        (void)reads_settings();
        assert_true(reads_settings());
}

static void write_large_roster(unsigned course) {
        enum {
                N = 4000
        };
        _cleanup_free_ char *text = calloc(N, 256);
        char name[16], *end = text;

        for (unsigned i = 0; i < N; i++)
                end += sprintf(end, "%0240u %u\n", i, i + 10);
        (void)snprintf(name, sizeof(name), "roster.d/%u", course);
        write_file(name, text);
}

static void rosters_take_limited_memory(void **state) {
        _cleanup_diagnostics_ struct diagnostics findings = {0};
        const struct settings *settings;
        char student[256], course[8];
        unsigned seat;

        (void)state;
        (void)snprintf(student, sizeof(student), "%0240u", 0);
        write_file(SETTINGS, "[site]\nprefix = 20\n");
        for (unsigned i = 0; i < 8; i++)
                write_large_roster(200 + i);
        let_settle();
        assert_int_equal(settings_cache_load(&cache, &settings, &findings), 0);
        for (unsigned i = 0; i < 16; i++) {
                (void)snprintf(course, sizeof(course), "%u", 200 + i % 8);
                assert_int_equal(settings_cache_find_seat(&cache, course, student, &seat, &findings), 0);
                assert_int_equal(seat, 10);
                assert_true(cache.rosters_size > 0);
                assert_true(cache.rosters_size <= SETTINGS_CACHE_ROSTERS_SIZE);
        }
        /* The one that was used last is kept, and the one that has not been used for longest is not. */
        assert_true(cache.rosters_size > SETTINGS_CACHE_ROSTERS_SIZE / 2);
        assert_false(reads_roster("207", student));
        assert_true(reads_roster("200", student));
        assert_clean(&findings);
}

/* --- random changes ------------------------------------------------------------------------------ */

#define N_STEPS 20000U

static uint64_t random_state = 1;

static unsigned random_below(unsigned n) {
        random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned)(random_state >> 33) % n;
}

static void change_text_at_random(const char *name, const char *text) {
        struct stat st;

        if (lstat(etc_path(name), &st) < 0 || !S_ISREG(st.st_mode))
                write_file(name, text);
        else if (random_below(3) == 0)
                change_by_rename(name, text);
        else if ((size_t)st.st_size == strlen(text) && random_below(2))
                change_and_set_the_time_back(name, text);
        else {
                assert_int_equal(truncate(etc_path(name), (off_t)strlen(text)), 0);
                write_in_place(name, text);
        }
}

static void change_at_random(void) {
        static const char *const names[] = {SETTINGS, ROSTER, "roster.d/124"};
        const char *name = names[random_below(ELEMENTSOF(names))];
        const char *const *texts = string_equal(name, SETTINGS) ? settings_texts : roster_texts;

        switch (random_below(8)) {
        case 0:
                (void)unlink(etc_path(name));
                break;
        case 1:
                (void)chmod(etc_path(name), random_below(3) ? 0644 : 0664);
                break;
        case 2:
                (void)!lchown(etc_path(name), random_below(3) ? 0 : 65534, 0); /* it may not be there */
                break;
        case 3:
                (void)rename(etc_path("roster.d/123"), etc_path("between"));
                (void)rename(etc_path("roster.d/124"), etc_path("roster.d/123"));
                (void)rename(etc_path("between"), etc_path("roster.d/124"));
                break;
        case 4:
                if (rename(etc_path(name), etc_path("aside")) == 0)
                        assert_int_equal(symlink(etc_path("aside"), etc_path(name)), 0);
                break;
        default:
                change_text_at_random(name, texts[random_below(ELEMENTSOF(settings_texts))]);
        }
}

static void random_changes_give_the_same_as_fresh_loads(void **state) {
        unsigned n_kept = 0;

        (void)state;
        for (unsigned i = 0; i < N_STEPS; i++) {
                bool settled = random_below(2);

                clock_offset = settled ? SETTLED_SECONDS : 0;
                compare();
                n_kept += cache.kept && !reads_settings();
                if (settled)
                        wait_for_new_time();
                for (unsigned n = random_below(3); n > 0; n--)
                        change_at_random();
        }
        assert_true(n_kept > N_STEPS / 20);
}

/* ------------------------------------------------------------------------------------------------ */

static int begin(void **state) {
        _Static_assert(ELEMENTSOF(settings_texts) == ELEMENTSOF(roster_texts), "one random number for both");
        clock_offset = 0;
        if (make_etc(state) < 0)
                return -1;
        write_file(SETTINGS, settings_texts[0]);
        write_file(ROSTER, roster_texts[0]);
        return 0;
}

static int end(void **state) {
        settings_cache_done(&cache);
        return remove_etc(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(unchanged_files_are_not_read_again),
                TEST(without_a_file_the_defaults_are_kept),
                TEST(a_file_that_has_just_changed_is_read_again),
                TEST(a_time_in_the_future_never_settles),
                TEST(every_change_is_seen),
                TEST(a_new_roster_counts_at_once),
                TEST(new_settings_count_for_every_roster),
                TEST(a_mistake_is_told_each_time),
                TEST(more_courses_than_the_limit_are_read_each_time),
                TEST(rosters_take_limited_memory),
                TEST(random_changes_give_the_same_as_fresh_loads),
        };

        return cmocka_run_group_tests_name("settings-cache", tests, NULL, NULL);
}

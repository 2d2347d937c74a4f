/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is fenced: as a computation, and with a user database. nft(8) lists the result. */

#include "sandbox.h"

#include <dlfcn.h>
#include <pwd.h>

#include "netsetup/fence/fence-set.h"
#include "netsetup/fence/fence.h"

#define ETC "/etc/coursenet"

/* --- the computation -------------------------------------------------------------------------------- */

static const struct settings *default_settings(void) {
        static struct settings settings;
        const char *reason;

        settings = (struct settings){.fence = {.enabled = true}};
        assert_int_equal(name_rule_parse(NAME_RULE_DEFAULT, &settings.rule, &reason), 0);
        return &settings;
}

static void add(struct accounts *accounts, uint32_t uid, const char *name) {
        assert_int_equal(accounts_add(accounts, uid, name), 0);
}

/* "5001 5002": the uids, each once. */
static void assert_fenced(const struct settings *settings, const struct accounts *remembered,
        const struct accounts *found, const char *expected) {
        _cleanup_accounts_ struct accounts fenced = {0};
        char text[256] = "";
        size_t length = 0;

        assert_int_equal(fence_compute(settings, remembered, found, &fenced), 0);
        for (size_t i = 0; i < fenced.n_items; i++)
                if (i == 0 || fenced.items[i].uid != fenced.items[i - 1].uid)
                        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%u", i ? " " : "",
                                fenced.items[i].uid);
        assert_string_equal(text, expected);
}

static void test_course_users_are_fenced_and_nobody_else(void **state) {
        _cleanup_accounts_ struct accounts none = {0}, found = {0};

        (void)state;
        add(&found, 0, "root");
        add(&found, 5002, "cs123-newellz2");
        add(&found, 5001, "alice");
        add(&found, 5003, "cs377-zed");
        add(&found, 5003, "cs377-zed");
        /* As some directories write them. */
        add(&found, 5004, "CS123-Anna");
        /* A name of the rule does not make a system account one of ours, let alone root. */
        add(&found, 0, "cs123-root");
        add(&found, 999, "cs123-daemon");
        add(&found, UINT32_MAX, "cs123-nobody");
        assert_fenced(default_settings(), &none, &found, "5002 5003 5004");
}

/* Whatever the user database makes of their names, and however long these are. */
static void test_other_names_of_course_users_are_fenced(void **state) {
        _cleanup_accounts_ struct accounts none = {0}, found = {0};
        char longest[1024];

        (void)state;
        memset(longest, 'a', sizeof(longest));
        (void)strcpy(longest + sizeof(longest) - sizeof("\\cs123-x"), "\\cs123-x");
        add(&found, 5001, longest);
        add(&found, 5002, "cs123-x@ad.example.edu");
        add(&found, 5003, "cs123-m\xc3\xbcller");
        add(&found, 5004, "cs123");
        add(&found, 5005, "alice@ad.example.edu");
        assert_fenced(default_settings(), &none, &found, "5001 5002 5003");
}

static void test_exceptions_are_by_uid_whoever_else_has_it(void **state) {
        _cleanup_accounts_ struct accounts remembered = {0}, found = {0};
        struct settings settings = *default_settings();

        (void)state;
        (void)string_copy(settings.fence.users[0], USER_NAME_SIZE, "cs123-tutor");
        settings.fence.n_users = 1;
        add(&found, 5001, "cs123-tutor");
        add(&found, 5001, "cs123-tutor2");
        add(&found, 5002, "cs123-newellz2");
        add(&remembered, 5001, "");
        add(&remembered, 5001, "cs123-tutor");
        assert_fenced(&settings, &remembered, &found, "5002");
}

static void test_who_was_fenced_stays_so_until_the_uid_is_anothers(void **state) {
        _cleanup_accounts_ struct accounts remembered = {0}, found = {0};

        (void)state;
        add(&remembered, 5001, "cs123-gone");
        add(&remembered, 5002, "");
        add(&remembered, 5003, "cs123-old");
        add(&remembered, 5004, "");
        add(&remembered, 5005, "cs123-renamed");
        add(&remembered, 0, "");
        add(&found, 5003, "bob");
        add(&found, 5004, "carl");
        add(&found, 5005, "cs124-renamed");
        assert_fenced(default_settings(), &remembered, &found, "5001 5002 5005");
        /* A uid that two share is a course user's, too. */
        add(&found, 5003, "cs123-old");
        assert_fenced(default_settings(), &remembered, &found, "5001 5002 5003 5005");
}

static void test_another_rule_lets_go(void **state) {
        _cleanup_accounts_ struct accounts remembered = {0}, found = {0};
        struct settings settings = *default_settings();
        const char *reason;

        (void)state;
        assert_int_equal(name_rule_parse("{student}.{course}", &settings.rule, &reason), 0);
        add(&remembered, 5001, "cs123-newellz2");
        add(&remembered, 5002, "anna.123");
        assert_fenced(&settings, &remembered, &found, "5002");
}

static void test_the_memory_comes_back_as_it_was(void **state) {
        _cleanup_accounts_ struct accounts accounts = {0}, read = {0};
        _cleanup_free_ char *text = NULL;
        unsigned missing = 0;

        (void)state;
        add(&accounts, 5001, "cs123-newellz2");
        add(&accounts, 5002, "");
        text = fence_format_memory(&accounts, 7);
        assert_non_null(text);
        assert_int_equal(fence_parse_memory(text, &read, &missing), 0);
        assert_int_equal(missing, 7);
        assert_int_equal(read.n_items, 2);
        assert_string_equal(read.items[0].name, "cs123-newellz2");
        assert_int_equal(read.items[1].uid, 5002);
        assert_string_equal(read.items[1].name, "");
        accounts_done(&read);
        assert_int_equal(fence_parse_memory("garbage\n5003\n\n-5003 x\n+5003 x\n4294972299 x\n5003 \n"
                                            "missing -1\n5004 x\n",
                                 &read, &missing),
                0);
        assert_int_equal(missing, 0);
        assert_int_equal(read.n_items, 1);
        assert_int_equal(read.items[0].uid, 5004);
}

static void test_accounts_are_found_by_either_order(void **state) {
        _cleanup_accounts_ struct accounts accounts = {0}, by_uid = {0}, by_name = {0};
        char name[USER_NAME_SIZE];

        (void)state;
        for (unsigned i = 0; i < 1000; i++) {
                (void)snprintf(name, sizeof(name), "cs123-s%u", i * 7919 % 1000);
                add(&accounts, 5000 + i * 7907 % 1000, name);
        }
        assert_int_equal(accounts_copy_by_uid(&accounts, &by_uid), 0);
        assert_int_equal(accounts_copy_by_name(&accounts, &by_name), 0);
        assert_true(accounts_have_uid(&by_uid, 5000));
        assert_true(accounts_have_uid(&by_uid, 5999));
        assert_false(accounts_have_uid(&by_uid, 6000));
        assert_true(accounts_have_name(&by_name, "cs123-s0"));
        assert_true(accounts_have_name(&by_name, "cs123-s999"));
        assert_false(accounts_have_name(&by_name, "cs123-s1000"));
}

/* --- with a user database --------------------------------------------------------------------------- */

/* A sandbox with an /etc of its own. */
static int set_up_etc(void **state) {
        if (sandbox_setup(state) < 0 || mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=755") < 0 ||
                mkdir("/run/etc", 0755) < 0)
                return -1;
        write_file("/run/etc/nsswitch.conf", "passwd: files\n");
        write_file("/run/etc/passwd", "root:x:0:0::/:/bin/sh\n");
        return shell("mkdir -p /run/etc/coursenet/roster.d && mount --bind /run/etc /etc");
}

static int tear_down_etc(void **state) {
        return umount2("/etc", MNT_DETACH) < 0 || umount2("/var/lib", MNT_DETACH) < 0
                       ? -1
                       : sandbox_teardown(state);
}

#define etc_test(function) cmocka_unit_test_setup_teardown(function, set_up_etc, tear_down_etc)

static void update(struct sandbox *sandbox, enum fence_scope scope) {
        assert_int_equal(fence_update(ETC, scope, &sandbox->diagnostics), 0);
        assert_silence(sandbox);
}

static void add_user(const char *name, unsigned uid) {
        assert_shell("echo '%s:x:%u:%u::/:/bin/sh' >>/etc/passwd", name, uid, uid);
}

#define is_fenced(uid)                                                                                       \
        (shell("nft get element inet coursenet_fence fenced '{ %u }' 2>/dev/null >&2", uid) == 0)

/* An account that is not in /etc/passwd: a directory that answers by name, and that lists no account. */
static struct passwd directory;
static bool was_fenced_when_listed;

struct passwd *getpwnam(const char *name) {
        struct passwd *(*next)(const char *name);

        *(void **)&next = dlsym(RTLD_NEXT, "getpwnam");
        return directory.pw_name && string_equal(name, directory.pw_name) ? &directory : next(name);
}

struct passwd *getpwent(void) {
        struct passwd *(*next)(void);

        *(void **)&next = dlsym(RTLD_NEXT, "getpwent");
        if (!directory.pw_name)
                return next();
        was_fenced_when_listed = is_fenced(directory.pw_uid);
        errno = ENOENT;
        return NULL;
}

static void test_users_of_this_machine(void **state) {
        struct sandbox *sandbox = *state;

        add_user("cs123-newellz2", 5001);
        add_user("alice", 5002);
        update(sandbox, FENCE_LOCAL);
        assert_true(is_fenced(5001));
        assert_false(is_fenced(5002));
        assert_shell("ip rule | grep -q uidrange.5001-5001 && ip -6 rule | grep -q uidrange.5001-5001");
        assert_int_equal(fence_missing(), 0);
}

static void test_a_login_is_fenced_without_an_account_in_sight(void **state) {
        struct sandbox *sandbox = *state;

        update(sandbox, FENCE_LOCAL);
        write_file(COURSE_LOGIN_DIRECTORY "/5001", "");
        write_file(COURSE_LOGIN_DIRECTORY "/0", "");
        write_file(COURSE_LOGIN_DIRECTORY "/nonsense", "");
        update(sandbox, FENCE_LOCAL);
        assert_true(is_fenced(5001));
        assert_false(is_fenced(0));
        /* And it stays so when the note is gone. */
        assert_shell("rm " COURSE_LOGIN_DIRECTORY "/5001");
        update(sandbox, FENCE_ALL);
        assert_true(is_fenced(5001));
}

static void test_a_login_of_somebody_who_is_fenced_changes_nothing(void **state) {
        struct sandbox *sandbox = *state;
        int lock;

        assert_false(fence_has_login("5001"));
        update(sandbox, FENCE_LOCAL);
        write_file(COURSE_LOGIN_DIRECTORY "/5001", "cs123-newellz2\n");
        assert_false(fence_has_login("5001"));
        update(sandbox, FENCE_LOCAL);
        assert_true(fence_has_login("5001"));
        assert_false(fence_has_login("5002"));
        assert_false(fence_has_login("0"));
        assert_false(fence_has_login(".5001.new"));
        write_file(COURSE_LOGIN_DIRECTORY "/5001", "cs123-amy\n");
        assert_false(fence_has_login("5001"));
        update(sandbox, FENCE_LOCAL);

        /* The rules may not be what was computed last. */
        write_file(COURSE_LOGIN_DIRECTORY "/5001", "cs123-newellz2\n");
        update(sandbox, FENCE_LOCAL);
        assert_true(fence_has_login("5001"));
        fence_set_stale();
        assert_false(fence_has_login("5001"));
        update(sandbox, FENCE_LOCAL);
        assert_true(fence_has_login("5001"));
        write_file("/run/coursenet/fence.applying", "");
        assert_false(fence_has_login("5001"));
        update(sandbox, FENCE_LOCAL);
        assert_true(fence_has_login("5001"));

        /* A run is under way. */
        assert_int_equal(runtime_lock_take("/run/coursenet/fence.lock", &lock), 0);
        assert_false(fence_has_login("5001"));
        assert_int_equal(close(lock), 0);
        assert_true(fence_has_login("5001"));
}

static void test_students_without_an_account_are_counted_and_found_later(void **state) {
        struct sandbox *sandbox = *state;

        write_file(ETC "/roster.d/123", "newellz2 10\nanna 11\n#removed carl 12\n");
        add_user("cs123-newellz2", 5001);
        update(sandbox, FENCE_ALL);
        assert_int_equal(fence_missing(), 1);
        add_user("cs123-anna", 5002);
        /* What is not asked for is still the number of before. */
        update(sandbox, FENCE_LOCAL);
        assert_int_equal(fence_missing(), 1);
        update(sandbox, FENCE_NEW);
        assert_int_equal(fence_missing(), 0);
        assert_true(is_fenced(5001));
        assert_true(is_fenced(5002));
}

static void test_a_deleted_account_stays_fenced_until_its_number_is_given_away(void **state) {
        struct sandbox *sandbox = *state;

        add_user("cs123-newellz2", 5001);
        update(sandbox, FENCE_ALL);
        write_file("/etc/passwd", "root:x:0:0::/:/bin/sh\n");
        update(sandbox, FENCE_ALL);
        assert_true(is_fenced(5001));
        add_user("alice", 5001);
        update(sandbox, FENCE_LOCAL);
        assert_false(is_fenced(5001));
}

static void test_a_login_says_who_is_excepted(void **state) {
        struct sandbox *sandbox = *state;

        update(sandbox, FENCE_LOCAL);
        /* As notes were before they had names. */
        write_file(COURSE_LOGIN_DIRECTORY "/5001", "");
        write_file(COURSE_LOGIN_DIRECTORY "/5002", "cs123-newellz2\n");
        write_file(COURSE_LOGIN_DIRECTORY "/5003", "cs123-tutor\tx");
        write_file(COURSE_LOGIN_DIRECTORY "/5004", "alice\n");
        write_file(ETC "/coursenet.conf", "[site]\nfence-except-users = cs123-tutor\n");
        update(sandbox, FENCE_LOCAL);
        assert_true(is_fenced(5001));
        assert_true(is_fenced(5002));
        assert_true(is_fenced(5003));
        assert_true(is_fenced(5004));

        /* No user database here knows the name. */
        write_file(COURSE_LOGIN_DIRECTORY "/5001", "cs123-tutor\n");
        update(sandbox, FENCE_LOCAL);
        assert_false(is_fenced(5001));
        update(sandbox, FENCE_ALL);
        assert_false(is_fenced(5001));
        write_file(ETC "/coursenet.conf", "");
        update(sandbox, FENCE_LOCAL);
        assert_true(is_fenced(5001));
}

static void test_rosters_are_looked_up_before_a_directory_is_listed(void **state) {
        struct sandbox *sandbox = *state;

        write_file(ETC "/roster.d/123", "newellz2 10\n");
        directory = (struct passwd){.pw_name = (char *)(uintptr_t) "cs123-newellz2", .pw_uid = 5001};
        update(sandbox, FENCE_ALL);
        directory = (struct passwd){0};
        assert_true(was_fenced_when_listed);
        assert_int_equal(fence_missing(), 0);
}

/* The number that the kernel gives a table. It is a new one each time the table is created. */
static unsigned table_handle(void) {
        unsigned handle = 0;
        FILE *file = popen(
                "nft -j list tables | grep -o '\"coursenet_fence\", \"handle\": [0-9]*' | grep -o '[0-9]*$'",
                "re");

        assert_non_null(file);
        assert_int_equal(fscanf(file, "%u", &handle), 1);
        (void)pclose(file);
        return handle;
}

static void test_what_is_applied_is_not_applied_again(void **state) {
        struct sandbox *sandbox = *state;
        unsigned handle;

        add_user("cs123-newellz2", 5001);
        update(sandbox, FENCE_ALL);
        handle = table_handle();
        update(sandbox, FENCE_LOCAL);
        update(sandbox, FENCE_NEW);
        assert_int_equal(table_handle(), handle);
        write_file(COURSE_LOGIN_DIRECTORY "/5002", "");
        update(sandbox, FENCE_LOCAL);
        assert_int_not_equal(table_handle(), handle);

        assert_shell("nft delete table inet coursenet_fence");
        update(sandbox, FENCE_LOCAL);
        assert_true(is_fenced(5001));
        /* What is left of a table is no fence. */
        assert_shell("nft flush set inet coursenet_fence fenced");
        fence_set_stale();
        update(sandbox, FENCE_LOCAL);
        assert_true(is_fenced(5001));
        /* Somebody was killed over it. */
        handle = table_handle();
        write_file("/run/coursenet/fence.applying", "");
        update(sandbox, FENCE_LOCAL);
        assert_int_not_equal(table_handle(), handle);
        handle = table_handle();
        update(sandbox, FENCE_LOCAL);
        assert_int_equal(table_handle(), handle);
        update(sandbox, FENCE_ALL);
        assert_int_not_equal(table_handle(), handle);
}

static void test_broken_settings_keep_the_fence_over_a_reboot(void **state) {
        struct sandbox *sandbox = *state;

        /* There is no such directory where the unit has never been started. */
        update(sandbox, FENCE_ALL);
        assert_shell("mkdir -m 700 /var/lib/coursenet");
        add_user("cs123-newellz2", 5001);
        update(sandbox, FENCE_ALL);
        assert_shell("test $(stat -c %%a " FENCE_STATE_FILE ") = 600");
        write_file(ETC "/coursenet.conf", "[site]\nfence = perhaps\n");
        assert_shell(
                "nft flush ruleset; rm -r /run/coursenet; ip rule del pref 0 uidrange 5001-5001 goto 32500");
        assert_int_equal(fence_update(ETC, FENCE_ALL, &sandbox->diagnostics), -EINVAL);
        assert_true(is_fenced(5001));
        assert_shell("ip rule | grep -q uidrange.5001-5001");

        diagnostics_done(&sandbox->diagnostics);
        write_file(ETC "/coursenet.conf", "[site]\nfence = no\n");
        update(sandbox, FENCE_ALL);
        assert_no_shell("test -e " FENCE_STATE_FILE " || nft list table inet coursenet_fence 2>/dev/null");
}

static void test_broken_settings_keep_the_fence_even_if_it_was_flushed(void **state) {
        struct sandbox *sandbox = *state;

        add_user("cs123-newellz2", 5001);
        update(sandbox, FENCE_ALL);
        write_file(ETC "/coursenet.conf", "[site]\nfence = perhaps\n");
        assert_shell("nft flush ruleset");
        assert_int_equal(fence_update(ETC, FENCE_LOCAL, &sandbox->diagnostics), -EINVAL);
        assert_error(sandbox, "fence");
        assert_true(is_fenced(5001));
}

static void test_a_uid_is_no_name(void **state) {
        struct sandbox *sandbox = *state;

        add_user("cs123-newellz2", 5001);
        add_user("5001", 6000);
        update(sandbox, FENCE_ALL);
        assert_shell("nft list set inet coursenet_fence fenced | grep -q '{ 5001 }'");
        /* And the user database is there as before. */
        update(sandbox, FENCE_ALL);
}

static void test_no_fence_leaves_no_table(void **state) {
        struct sandbox *sandbox = *state;

        add_user("cs123-newellz2", 5001);
        update(sandbox, FENCE_ALL);
        write_file(ETC "/coursenet.conf", "[site]\nfence = no\n");
        update(sandbox, FENCE_ALL);
        assert_no_shell("nft list table inet coursenet_fence 2>/dev/null");
        assert_no_shell("(ip rule; ip -6 rule) | grep uidrange");
        update(sandbox, FENCE_ALL);
        write_file(ETC "/coursenet.conf", "[site]\nfence-except-users = cs123-newellz2\n");
        update(sandbox, FENCE_ALL);
        assert_false(is_fenced(5001));
        write_file(ETC "/coursenet.conf", "");
        update(sandbox, FENCE_LOCAL);
        assert_true(is_fenced(5001));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_course_users_are_fenced_and_nobody_else),
                cmocka_unit_test(test_other_names_of_course_users_are_fenced),
                cmocka_unit_test(test_exceptions_are_by_uid_whoever_else_has_it),
                cmocka_unit_test(test_who_was_fenced_stays_so_until_the_uid_is_anothers),
                cmocka_unit_test(test_another_rule_lets_go),
                cmocka_unit_test(test_the_memory_comes_back_as_it_was),
                cmocka_unit_test(test_accounts_are_found_by_either_order),
                etc_test(test_users_of_this_machine),
                etc_test(test_a_login_is_fenced_without_an_account_in_sight),
                etc_test(test_a_login_of_somebody_who_is_fenced_changes_nothing),
                etc_test(test_students_without_an_account_are_counted_and_found_later),
                etc_test(test_a_deleted_account_stays_fenced_until_its_number_is_given_away),
                etc_test(test_a_login_says_who_is_excepted),
                etc_test(test_rosters_are_looked_up_before_a_directory_is_listed),
                etc_test(test_what_is_applied_is_not_applied_again),
                etc_test(test_broken_settings_keep_the_fence_over_a_reboot),
                etc_test(test_broken_settings_keep_the_fence_even_if_it_was_flushed),
                etc_test(test_a_uid_is_no_name),
                etc_test(test_no_fence_leaves_no_table),
        };

        return cmocka_run_group_tests_name("fence", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A saved record is loaded unchanged, and an invalid one is not loaded. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "activator/base/record-store.h"

static char directory[] = "/tmp/coursenet-state-XXXXXX";

static struct lease_record example(void) {
        struct lease_record lease = {
                .id = "12310_0123456789abcdef",
                .user = "cs123-newellz2",
                .course = "123",
                .seat = "12310",
                .address = {.ip = 0x0a007b0a, .prefix = 24},
                .service = "sshd",
                .tty = "ssh",
                .remote_host = "192.0.2.7",
                .uid = 5001,
                .since_usec = UINT64_C(1767225600000000),
                .opener = 4242,
                .opener_start = UINT64_C(987654321),
                .linger_until_usec = UINT64_C(1767225700000000),
                .keep_until_usec = UINT64_C(1767268800000000),
                .starting = true,
                .joined = {.device = 4, .inode = 4026532345},
        };

        return lease;
}

static void rewrite(const char *from, const char *to) {
        char path[256], text[1024], *at;
        FILE *file;
        size_t n;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, example().id);
        file = fopen(path, "r+");
        assert_non_null(file);
        n = fread(text, 1, sizeof(text) - 1, file);
        text[n] = '\0';
        at = strstr(text, from);
        assert_non_null(at);
        assert_int_equal(strlen(from), strlen(to));
        memcpy(at, to, strlen(to));
        rewind(file);
        assert_int_equal(fwrite(text, 1, n, file), n);
        (void)fclose(file);
}

static void a_record_comes_back_as_it_was(void **state) {
        struct lease_record saved = example(), loaded = {0};

        (void)state;
        assert_int_equal(record_store_save(directory, &saved), 0);
        assert_int_equal(record_store_load(directory, saved.id, &loaded), 0);
        assert_string_equal(loaded.user, saved.user);
        assert_string_equal(loaded.course, saved.course);
        assert_string_equal(loaded.seat, saved.seat);
        assert_string_equal(loaded.service, saved.service);
        assert_string_equal(loaded.tty, saved.tty);
        assert_string_equal(loaded.remote_host, saved.remote_host);
        assert_int_equal(loaded.address.ip, saved.address.ip);
        assert_int_equal(loaded.address.prefix, saved.address.prefix);
        assert_int_equal(loaded.uid, saved.uid);
        assert_int_equal(loaded.since_usec, saved.since_usec);
        assert_int_equal(loaded.opener, saved.opener);
        assert_int_equal(loaded.linger_until_usec, saved.linger_until_usec);
        assert_int_equal(loaded.keep_until_usec, saved.keep_until_usec);
        assert_int_equal(loaded.opener_start, saved.opener_start);
        assert_int_equal(loaded.starting, saved.starting);
        assert_int_equal(loaded.joined.device, saved.joined.device);
        assert_int_equal(loaded.joined.inode, saved.joined.inode);
}

/* A line of libinih's has 200 bytes. */
static void the_longest_names_come_back(void **state) {
        static const size_t lengths[] = {64, 128, 129, 192, 193, USER_NAME_SIZE - 1};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(lengths); i++) {
                struct lease_record saved = example(), loaded = {0};

                for (size_t j = 0; j < lengths[i]; j++)
                        saved.user[j] = "cs123-newellz2@ad.example.edu"[j % 29];
                saved.user[lengths[i]] = '\0';
                assert_int_equal(record_store_save(directory, &saved), 0);
                assert_int_equal(record_store_load(directory, saved.id, &loaded), 0);
                assert_string_equal(loaded.user, saved.user);
                assert_int_equal(loaded.uid, saved.uid);
                record_store_remove(directory, saved.id);
        }
}

static void an_empty_origin_stays_empty(void **state) {
        struct lease_record saved = example(), loaded = {0};

        (void)state;
        saved.tty[0] = saved.remote_host[0] = '\0';
        assert_int_equal(record_store_save(directory, &saved), 0);
        assert_int_equal(record_store_load(directory, saved.id, &loaded), 0);
        assert_string_equal(loaded.tty, "");
        assert_string_equal(loaded.remote_host, "");
}

static void a_record_of_another_boot_is_stale(void **state) {
        struct lease_record saved = example(), loaded = {0};
        char path[256], line[256], boot[64] = "";
        FILE *file;

        (void)state;
        assert_int_equal(record_store_save(directory, &saved), 0);
        (void)snprintf(path, sizeof(path), "%s/%s", directory, saved.id);
        file = fopen(path, "r");
        assert_non_null(file);
        while (fgets(line, sizeof(line), file))
                (void)sscanf(line, "boot-id = %63s", boot);
        (void)fclose(file);
        assert_int_equal(strlen(boot), 32);

        rewrite(boot, "00000000000000000000000000000000");
        assert_int_equal(record_store_load(directory, saved.id, &loaded), -ESTALE);
}

static void a_damaged_record_is_refused(void **state) {
        static const struct {
                const char *from, *to;
        } damages[] = {
                {"seat = 12310", "seat = ../.."},
                {"course = 123", "course = x23"},
                {"opener = 4242", "opener = 0000"},
                {"opener = 4242", "opener = -242"},
                {"uid = 5001", "uid = 50o1"},
                {"prefix = 24", "prefix = 42"},
                {"user = cs123-newellz2", "user =               "},
                {"[lease]", "[lease "},
        };
        struct lease_record saved = example();

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(damages); i++) {
                struct lease_record loaded = {0};

                assert_int_equal(record_store_save(directory, &saved), 0);
                rewrite(damages[i].from, damages[i].to);
                assert_int_equal(record_store_load(directory, saved.id, &loaded), -EBADMSG);
        }
}

static void a_newer_versions_field_is_passed_over(void **state) {
        struct lease_record saved = example(), loaded = {0};
        char path[256];
        FILE *file;

        (void)state;
        assert_int_equal(record_store_save(directory, &saved), 0);
        (void)snprintf(path, sizeof(path), "%s/%s", directory, saved.id);
        file = fopen(path, "a");
        assert_non_null(file);
        (void)fputs("colour = green\n", file);
        (void)fclose(file);
        assert_int_equal(record_store_load(directory, saved.id, &loaded), 0);
        assert_int_equal(loaded.opener, saved.opener);
}

static int count(void *userdata, const char *id) {
        unsigned *n = userdata;

        assert_string_equal(id, example().id);
        (*n)++;
        return 0;
}

static void the_list_has_records_only(void **state) {
        struct lease_record saved = example();
        char path[256];
        unsigned n = 0;

        (void)state;
        assert_int_equal(record_store_save(directory, &saved), 0);
        (void)snprintf(path, sizeof(path), "%s/README-not-a-record", directory);
        (void)fclose(fopen(path, "w"));
        assert_int_equal(record_store_list(directory, count, &n), 0);
        assert_int_equal(n, 1);
        assert_int_equal(unlink(path), 0);
}

/* An activator may be killed while it writes. */
static void an_unfinished_record_is_removed(void **state) {
        struct lease_record saved = example();
        char path[256];
        unsigned n = 0;

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/%s.new", directory, saved.id);
        (void)fclose(fopen(path, "w"));
        assert_int_equal(record_store_list(directory, count, &n), 0);
        assert_int_equal(access(path, F_OK), -1);
        record_store_remove(directory, saved.id);
}

static void a_removed_record_is_gone(void **state) {
        struct lease_record saved = example(), loaded = {0};

        (void)state;
        assert_int_equal(record_store_save(directory, &saved), 0);
        assert_int_equal(record_store_remove(directory, saved.id), 0);
        assert_int_equal(record_store_load(directory, saved.id, &loaded), -ENOENT);
        assert_int_equal(record_store_remove(directory, saved.id), 0);
}

static void a_record_that_stays_is_reported(void **state) {
        const struct lease_record saved = example();
        char path[128];

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/%s", directory, saved.id);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(record_store_remove(directory, saved.id), -EISDIR);
        assert_int_equal(rmdir(path), 0);
}

static void only_ids_of_ours_are_ids(void **state) {
        (void)state;
        assert_true(lease_id_valid("12310_0123456789abcdef"));
        assert_false(lease_id_valid(""));
        assert_false(lease_id_valid("a-b"));
        assert_false(lease_id_valid(".."));
        assert_false(lease_id_valid("12310/x"));
        assert_false(lease_id_valid("0123456789abcdef0123456789abcdef"));
}

static int set_up(void **state) {
        (void)state;
        return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state) {
        (void)state;
        record_store_remove(directory, example().id);
        return rmdir(directory);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_record_comes_back_as_it_was),
                cmocka_unit_test(the_longest_names_come_back),
                cmocka_unit_test(an_empty_origin_stays_empty),
                cmocka_unit_test(a_record_of_another_boot_is_stale),
                cmocka_unit_test(a_damaged_record_is_refused),
                cmocka_unit_test(a_newer_versions_field_is_passed_over),
                cmocka_unit_test(the_list_has_records_only),
                cmocka_unit_test(an_unfinished_record_is_removed),
                cmocka_unit_test(a_removed_record_is_gone),
                cmocka_unit_test(a_record_that_stays_is_reported),
                cmocka_unit_test(only_ids_of_ours_are_ids),
        };

        return cmocka_run_group_tests_name("state", tests, set_up, tear_down);
}

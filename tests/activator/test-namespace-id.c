/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which namespace a seat has. The test mounts a /run/netns that nobody else sees. */

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/namespace-id.h"

#define FILE_OF_SEAT "/run/netns/ns12310"

static void mount_new_namespace(void) {
        assert_int_equal(unshare(CLONE_NEWNET), 0);
        assert_int_equal(mount("/proc/thread-self/ns/net", FILE_OF_SEAT, NULL, MS_BIND, NULL), 0);
}

static void a_namespace_is_known_by_its_inode(void **state) {
        struct namespace_id first, second;
        int held;

        (void)state;
        mount_new_namespace();
        held = open(FILE_OF_SEAT, O_RDONLY | O_CLOEXEC);
        assert_true(held >= 0);
        first = namespace_id_find("12310");
        assert_true(first.inode != 0);
        second = namespace_id_find("12310");
        assert_true(first.inode == second.inode && first.device == second.device);
        assert_int_equal(umount2(FILE_OF_SEAT, MNT_DETACH), 0);

        /* Somebody still has the former namespace, so its number is not used again. */
        mount_new_namespace();
        second = namespace_id_find("12310");
        assert_true(second.inode != 0 && second.inode != first.inode);
        assert_int_equal(umount2(FILE_OF_SEAT, MNT_DETACH), 0);
        (void)close(held);
}

static void a_plain_file_is_no_namespace(void **state) {
        (void)state;
        assert_int_equal(namespace_id_find("12310").inode, 0);
        assert_int_equal(namespace_id_find("12311").inode, 0);
}

static int set_up(void **state) {
        (void)state;
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0 || mkdir("/run/netns", 0755) < 0)
                return -1;
        return close(open(FILE_OF_SEAT, O_WRONLY | O_CREAT | O_CLOEXEC, 0));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_plain_file_is_no_namespace),
                cmocka_unit_test(a_namespace_is_known_by_its_inode),
        };

        return cmocka_run_group_tests_name("namespace-id", tests, set_up, NULL);
}

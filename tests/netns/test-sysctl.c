/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "link-world.h"
#include "netsetup/kernel/sysctl.h"

#define TREE "/run/sys"

static void make_tree(void) {
        assert_shell("mkdir -p " TREE "/net/eth0.100 && echo 1 >" TREE "/net/eth0.100/forwarding");
}

static void a_value_is_read_and_written(void **state) {
        char text[8];

        (void)state;
        make_tree();
        assert_int_equal(sysctl_read(TREE, "net/eth0.100/forwarding", text, sizeof(text)), 0);
        assert_string_equal(text, "1");
        assert_int_equal(sysctl_write(TREE, "net/eth0.100/forwarding", "0"), 0);
        assert_int_equal(sysctl_read(TREE, "net/eth0.100/forwarding", text, sizeof(text)), 0);
        assert_string_equal(text, "0");
}

static void what_is_not_there_is_not_made(void **state) {
        char text[8] = "before";

        (void)state;
        make_tree();
        assert_int_equal(sysctl_read(TREE, "net/eth1/forwarding", text, sizeof(text)), -ENOENT);
        assert_int_equal(sysctl_write(TREE, "net/eth1/forwarding", "1"), -ENOENT);
        assert_int_equal(sysctl_write(TREE, "net/eth0.100/other", "1"), -ENOENT);
        assert_no_shell("test -e " TREE "/net/eth0.100/other");
        assert_string_equal(text, "before");
}

static void a_long_value_is_not_cut_off(void **state) {
        char text[4] = "was";

        (void)state;
        make_tree();
        assert_int_equal(sysctl_write(TREE, "net/eth0.100/forwarding", "1234\n"), 0);
        assert_int_equal(sysctl_read(TREE, "net/eth0.100/forwarding", text, sizeof(text)), -EMSGSIZE);
        assert_string_equal(text, "was");
        assert_int_equal(sysctl_write(TREE, "net/eth0.100/forwarding", "123\n"), 0);
        assert_int_equal(sysctl_read(TREE, "net/eth0.100/forwarding", text, sizeof(text)), 0);
        assert_string_equal(text, "123");
}

static void the_kernels_own_are_those_of_the_namespace(void **state) {
        char text[8];

        (void)state;
        assert_shell("ip link add eth0.100 type bridge");
        assert_int_equal(sysctl_write(SYSCTL_ROOT, "net/ipv4/conf/eth0.100/forwarding", "1"), 0);
        assert_int_equal(
                sysctl_read(SYSCTL_ROOT, "net/ipv4/conf/eth0.100/forwarding", text, sizeof(text)), 0);
        assert_string_equal(text, "1");
        assert_shell("test $(cat /proc/sys/net/ipv4/conf/eth0.100/forwarding) = 1");
        assert_int_equal(sysctl_write(SYSCTL_ROOT, "net/ipv4/conf/eth0.100/forwarding", "x"), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(a_value_is_read_and_written),
                sandbox_test(what_is_not_there_is_not_made),
                sandbox_test(a_long_value_is_not_cut_off),
                sandbox_test(the_kernels_own_are_those_of_the_namespace),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

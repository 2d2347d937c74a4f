/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The worker's own procfs: it has the settings of the namespace that the caller is in, nobody sees it, and it
 * is replaced after many uses. The tests run in this order, because a process has one.
 */

#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "netsetup/kernel/netns-mount.h"
#include "netsetup/kernel/procfs.h"
#include "netsetup/verbs/netns.h"
#include "sandbox.h"

#define SETTING "sys/net/ipv4/ping_group_range"

/* Each instance is a file system of its own. */
static dev_t device_of(int fd) {
        struct stat st;
        int r = fstat(fd, &st);

        (void)close(fd);
        return r < 0 ? 0 : st.st_dev;
}

static dev_t usual_device(void) {
        return device_of(open("/proc/" SETTING, O_RDONLY | O_CLOEXEC));
}

static dev_t device(void) {
        return device_of(procfs_open(SETTING, O_RDONLY));
}

static size_t count_fds(void) {
        DIR *directory = opendir("/proc/self/fd");
        size_t n = 0;

        assert_non_null(directory);
        while (readdir(directory))
                n++;
        (void)closedir(directory);
        return n;
}

static void forbid_instances(void) {
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fsopen, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = ELEMENTSOF(filter), .filter = filter};

        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        (void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void without_an_instance_there_is_proc(void **state) {
        int status;
        pid_t pid;

        (void)state;
        assert_true(device() != 0 && device() == usual_device());
        assert_int_equal(procfs_open("sys/net/ipv4/nothing", O_RDONLY), -ENOENT);
        pid = fork();
        if (pid == 0) {
                forbid_instances();
                procfs_renew();
                _exit(device() != 0 && device() == usual_device() ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

static void an_instance_is_not_seen(void **state) {
        (void)state;
        assert_shell("cat /proc/self/mountinfo >/run/before");
        procfs_renew();
        assert_true(device() != 0 && device() != usual_device());
        assert_shell("cmp /proc/self/mountinfo /run/before");
        assert_int_equal(procfs_open("sys/net/ipv4/nothing", O_RDONLY), -ENOENT);
}

/* As netns@ makes it, where /proc has no settings. */
static void it_has_the_settings_of_a_new_namespace(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(mount("tmpfs", "/proc/sys", "tmpfs", 0, "mode=755"), 0);
        assert_int_equal(netns_start(SANDBOX_ETC, "12310", &sandbox->diagnostics), 0);
        assert_int_equal(umount2("/proc/sys", MNT_DETACH), 0);
        assert_silence(sandbox);
        assert_shell("test \"$(nsenter --net=" NETNS_DIRECTORY "/ns12310 cat /proc/" SETTING
                     ")\" = '0\t2147483647' && test \"$(cat /proc/" SETTING ")\" = '1\t0'");
}

static void it_is_replaced_after_many_uses(void **state) {
        dev_t first = device(), now = first;
        size_t n_fds = count_fds();
        unsigned uses = 0;

        (void)state;
        for (; now == first && uses < 1000; uses++) {
                procfs_renew();
                now = device();
        }
        assert_in_range(uses, 32, 128);
        assert_true(now != 0 && now != usual_device());
        procfs_renew();
        assert_true(device() == now);
        assert_int_equal(count_fds(), n_fds);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(without_an_instance_there_is_proc),
                sandbox_test(an_instance_is_not_seen),
                sandbox_test(it_has_the_settings_of_a_new_namespace),
                sandbox_test(it_is_replaced_after_many_uses),
        };

        return cmocka_run_group_tests_name("procfs", tests, NULL, NULL);
}

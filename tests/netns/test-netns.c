/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * netns@: a namespace of ours is complete before it has its name, namespaces of others are not changed, and a
 * stop leaves nothing behind.
 */

#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "netsetup/kernel/netns-mount.h"
#include "netsetup/verbs/netns-record.h"
#include "netsetup/verbs/netns.h"
#include "plan.h"
#include "sandbox.h"

#define PATH NETNS_DIRECTORY "/ns12310"

static int start(struct sandbox *sandbox, const char *seat) {
        return netns_start(SANDBOX_ETC, seat, &sandbox->diagnostics);
}

static int stop(struct sandbox *sandbox, const char *seat) {
        return netns_stop(SANDBOX_ETC, seat, &sandbox->diagnostics);
}

static int find(void) {
        int fd = -1, r;

        r = netns_mount_find("ns12310", &fd);
        close_pointer(&fd);
        return r;
}

static unsigned count_mounts(const char *path) {
        char line[1024];
        unsigned n = 0;
        FILE *file = fopen("/proc/self/mountinfo", "re");

        assert_non_null(file);
        while (fgets(line, sizeof(line), file))
                if (strstr(line, path))
                        n++;
        (void)fclose(file);
        return n;
}

static ino_t own_namespace(void) {
        struct stat st;

        assert_int_equal(stat("/proc/self/ns/net", &st), 0);
        return st.st_ino;
}

static ino_t inode(const char *path) {
        struct stat st;

        assert_int_equal(stat(path, &st), 0);
        return st.st_ino;
}

static void assert_complete(void) {
        assert_shell("ip -n ns12310 -o link show up group %d | grep -q ' lo: '", COURSENET_LINK_GROUP);
        assert_shell("ip -n ns12310 -o addr show dev lo | grep -q 'inet 127.0.0.1/8 '");
        assert_shell("test \"$(nsenter --net=" PATH
                     " cat /proc/sys/net/ipv4/ping_group_range)\" = '0\t2147483647'");
}

static void a_start_makes_the_namespace_and_a_stop_removes_it(void **state) {
        struct sandbox *sandbox = *state;
        ino_t before = own_namespace();

        assert_int_equal(start(sandbox, "12310"), 0);
        assert_complete();
        assert_int_equal(find(), NETNS_OURS);
        assert_true(inode(PATH) != before);
        assert_int_equal(own_namespace(), before);

        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(find(), NETNS_ABSENT);
        assert_int_equal(count_mounts(NETNS_DIRECTORY "/"), 0);
        assert_int_equal(own_namespace(), before);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_silence(sandbox);
}

static void a_stop_without_any_namespace_ever_is_success(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_no_shell("test -e " NETNS_DIRECTORY);
        assert_silence(sandbox);
}

static void a_namespace_costs_one_line_of_mountinfo(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(count_mounts(NETNS_DIRECTORY "/"), 1);
        assert_int_equal(start(sandbox, "12311"), 0);
        assert_int_equal(count_mounts(NETNS_DIRECTORY "/"), 2);
        assert_int_equal(count_mounts(" " NETNS_DIRECTORY " "), 1);
}

/* Another mount namespace, as services with PrivateMounts= have one. */
static void an_older_mount_namespace_sees_a_new_namespace(void **state) {
        struct sandbox *sandbox = *state;
        int gate[2], status;
        pid_t pid;
        char byte;

        assert_int_equal(pipe(gate), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                struct statfs file_system;

                (void)close(gate[1]);
                if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                        _exit(EXIT_FAILURE);
                (void)kill(getpid(), SIGSTOP);
                (void)!read(gate[0], &byte, 1);
                _exit(statfs(PATH, &file_system) == 0 && file_system.f_type == NSFS_MAGIC ? EXIT_SUCCESS
                                                                                          : EXIT_FAILURE);
        }
        (void)close(gate[0]);
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(WIFSTOPPED(status));
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(kill(pid, SIGCONT), 0);
        (void)close(gate[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
}

static void a_second_start_keeps_the_namespace(void **state) {
        struct sandbox *sandbox = *state;
        ino_t first;

        assert_int_equal(start(sandbox, "12310"), 0);
        first = inode(PATH);
        assert_shell("ip -n ns12310 link set lo down");
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_true(inode(PATH) == first);
        assert_int_equal(count_mounts(PATH), 1);
        assert_complete();
        assert_silence(sandbox);
}

static void the_hosts_own_lo_is_not_touched(void **state) {
        struct sandbox *sandbox = *state;

        assert_shell("ip -o link show lo >/run/before");
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_shell("ip -o link show lo | cmp - /run/before");
}

static void a_stale_file_is_used(void **state) {
        struct sandbox *sandbox = *state;

        /* As ip-netns(8) leaves it: nobody may read it. */
        assert_shell("mkdir " NETNS_DIRECTORY " && install -m 000 /dev/null " PATH);
        assert_int_equal(find(), NETNS_STALE);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_complete();
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_no_shell("test -e " PATH);
        assert_silence(sandbox);
}

static void a_stop_removes_a_stale_file(void **state) {
        struct sandbox *sandbox = *state;

        assert_shell("mkdir " NETNS_DIRECTORY " && install -m 000 /dev/null " PATH);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_no_shell("test -e " PATH);
        assert_silence(sandbox);
}

static void what_is_no_empty_file_of_roots_is_left_as_it_is(void **state) {
        static const char *const things[] = {
                "mkdir " PATH,
                "ln -s /run/other " PATH,
                "mkfifo " PATH,
                "install -o 1000 /dev/null " PATH,
                "echo notes >" PATH,
        };
        struct sandbox *sandbox = *state;

        assert_shell("mkdir " NETNS_DIRECTORY);
        for (size_t i = 0; i < ELEMENTSOF(things); i++) {
                assert_shell("%s", things[i]);
                assert_int_equal(start(sandbox, "12310"), -EEXIST);
                assert_error(sandbox, PATH ": exists already and was not made by coursenet");
                assert_int_equal(stop(sandbox, "12310"), -EEXIST);
                assert_shell("test -e " PATH " -o -L " PATH);
                assert_no_shell("test -e /run/other");
                assert_shell("rm -r " PATH);
                diagnostics_done(&sandbox->diagnostics);
        }
}

static void a_foreign_namespace_is_left_as_it_is(void **state) {
        struct sandbox *sandbox = *state;

        assert_shell("ip netns add ns12310");
        assert_int_equal(start(sandbox, "12310"), -EEXIST);
        assert_error(sandbox,
                PATH ": exists already and was not made by coursenet: remove it (ip netns delete ns12310)");
        assert_int_equal(stop(sandbox, "12310"), -EEXIST);
        assert_error(sandbox, PATH ": was not made by coursenet and is left as it is");
        assert_shell("ip -n ns12310 link show lo | grep -q DOWN");
}

static void a_namespace_of_another_kind_is_foreign(void **state) {
        struct sandbox *sandbox = *state;

        assert_shell("mkdir " NETNS_DIRECTORY " && touch " PATH " && mount --bind /proc/self/ns/uts " PATH);
        assert_int_equal(find(), NETNS_FOREIGN);
        assert_int_equal(start(sandbox, "12310"), -EEXIST);
        assert_int_equal(stop(sandbox, "12310"), -EEXIST);
        assert_int_equal(count_mounts(PATH), 1);
}

static void stacked_mounts_are_all_taken_away(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "12310"), 0);
        /* With /run shared, each of these mounts appears on every one before it. */
        assert_shell("for i in 1 2 3; do mount --bind " PATH " " PATH "; done");
        assert_true(count_mounts(PATH) >= 4);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(count_mounts(PATH), 0);
        assert_no_shell("test -e " PATH);
        assert_silence(sandbox);
}

static void a_foreign_namespace_below_ours_stays(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "12311"), 0);
        assert_shell("ip netns add ns12310 && mount --bind " NETNS_DIRECTORY "/ns12311 " PATH);
        assert_int_equal(stop(sandbox, "12310"), -EEXIST);
        assert_int_equal(find(), NETNS_FOREIGN);
}

static void a_mount_that_is_held_open_does_not_block(void **state) {
        struct sandbox *sandbox = *state;
        int fd;

        assert_int_equal(start(sandbox, "12310"), 0);
        fd = open(PATH, O_RDONLY | O_CLOEXEC);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_no_shell("test -e " PATH);
        (void)close(fd);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_complete();
        assert_silence(sandbox);
}

static void ip_netns_works_with_it(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("ip netns list | grep -q '^ns12310'");
        assert_shell("ip netns exec ns12310 ip link show lo | grep -q UP");
}

static void an_admins_ip_netns_add_before_or_after_makes_no_difference(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("ip netns add other");
        assert_int_equal(count_mounts("ns12310"), 1);
        assert_shell("ip netns exec ns12310 ip link show lo | grep -q UP");
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(count_mounts("ns12310"), 0);
        assert_no_shell("test -e " PATH);

        assert_int_equal(start(sandbox, "12310"), 0);
        assert_complete();
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(count_mounts("ns12310"), 0);
        assert_shell("ip netns exec other true");
        assert_silence(sandbox);
}

/* As seats of a version that did not mount the folder: ip-netns then mounts each of them a second time. */
static void seats_in_a_folder_that_is_no_mount_stay(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_shell("umount " NETNS_DIRECTORY);
        assert_shell("touch " NETNS_DIRECTORY "/other");
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(count_mounts(" " NETNS_DIRECTORY " "), 0);
        assert_shell("ip netns add another");
        assert_int_equal(count_mounts("ns12310"), 2);
        assert_complete();
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(count_mounts("ns12310"), 0);
        assert_silence(sandbox);
}

/* pam_usernet(8) makes a mount of the folder, without what is in it, only if this fails. */
static void the_folder_can_be_made_shared(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(mount("", NETNS_DIRECTORY, "none", MS_SHARED | MS_REC, NULL), 0);
        assert_int_equal(count_mounts("ns12310"), 1);
}

static void a_namespace_with_somebody_in_it_loses_its_name_only(void **state) {
        struct sandbox *sandbox = *state;
        pid_t pid;

        assert_int_equal(start(sandbox, "12310"), 0);
        pid = fork();
        if (pid == 0) {
                int fd = open(PATH, O_RDONLY | O_CLOEXEC);

                if (setns(fd, CLONE_NEWNET) == 0)
                        (void)kill(getpid(), SIGSTOP);
                _exit(EXIT_SUCCESS);
        }
        assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);

        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_complete();
        assert_silence(sandbox);

        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Starts a seat in each of n processes at once; every one must succeed. */
static void start_at_once(struct sandbox *sandbox, const char *const *seats, size_t n) {
        int gate[2], status;
        char byte;

        assert_int_equal(pipe(gate), 0);
        for (size_t i = 0; i < n; i++) {
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid > 0)
                        continue;
                (void)close(gate[1]);
                (void)!read(gate[0], &byte, 1);
                _exit(start(sandbox, seats[i]) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        (void)close(gate[0]);
        (void)close(gate[1]);

        for (size_t i = 0; i < n; i++) {
                assert_true(wait(&status) > 0);
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
        }
}

static void many_first_starts_at_once_do_not_disturb_each_other(void **state) {
        static const char *const seats[] = {
                "12310", "12311", "12310", "12312", "12310", "12313", "12314", "12310"};
        struct sandbox *sandbox = *state;

        start_at_once(sandbox, seats, ELEMENTSOF(seats));
        assert_int_equal(count_mounts(NETNS_DIRECTORY "/"), 5);
        assert_int_equal(count_mounts(PATH), 1);
        assert_complete();
        for (size_t i = 0; i < ELEMENTSOF(seats); i++)
                assert_int_equal(stop(sandbox, seats[i]), 0);
        assert_int_equal(count_mounts(NETNS_DIRECTORY "/"), 0);
        assert_silence(sandbox);
}

static void a_start_waits_for_our_own_lock(void **state) {
        struct sandbox *sandbox = *state;
        int status;
        pid_t pid;

        /* flock(1) holds the lock and looks, at its end, whether somebody has not waited. */
        assert_shell("mkdir " NETNS_DIRECTORY " /run/coursenet");
        pid = fork();
        if (pid == 0)
                _exit(shell(
                        "flock /run/coursenet/netns.lock sh -c 'touch /run/locked; sleep 0.3; ! test -e " PATH
                        "'"));
        assert_shell("while ! test -e /run/locked; do sleep 0.01; done");
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_complete();
}

/* From here on this process cannot mount: a stand-in for every reason why the last step may fail. */
static void forbid_mounts(void) {
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mount, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSPC),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = ELEMENTSOF(filter), .filter = filter};

        assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void a_mount_that_fails_leaves_no_file(void **state) {
        struct sandbox *sandbox = *state;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                ino_t before = own_namespace();

                forbid_mounts();
                _exit(start(sandbox, "12310") == -ENOSPC && own_namespace() == before &&
                                        was_said(sandbox, DIAGNOSTIC_ERROR,
                                                PATH ": the new namespace cannot be mounted there")
                                ? EXIT_SUCCESS
                                : EXIT_FAILURE);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
        assert_int_equal(find(), NETNS_ABSENT);
}

static void what_can_be_no_seat_is_refused(void **state) {
        static const char *const seats[] = {
                "", "123", "12301", "1231", "123010", "12a10", "../10", "12399999", "-12310"};
        struct sandbox *sandbox = *state;

        for (size_t i = 0; i < ELEMENTSOF(seats); i++)
                assert_true(start(sandbox, seats[i]) < 0);
        assert_error(sandbox, "12a10: expected a seat: a course in 3 digits");
        assert_int_equal(stop(sandbox, ""), -EINVAL);
        assert_int_equal(stop(sandbox, "../10"), -EINVAL);
        assert_int_equal(stop(sandbox, "1234567890123"), -EINVAL);
        assert_error(sandbox, "../10: expected a seat: digits only");
        assert_no_shell("test -e " NETNS_DIRECTORY);
}

static void start_12310(struct sandbox *sandbox) {
        (void)start(sandbox, "12310");
}

/*
 * The kernel ends the namespaces of earlier deaths in the background. While there are too many of them, a
 * stop keeps the seat's.
 */
static void wait_for_former(void) {
        for (unsigned i = 0; i < 1000; i++) {
                _cleanup_link_socket_ struct link_socket socket = {0};
                _cleanup_netns_record_ struct netns_record record = {0};

                assert_int_equal(link_open(&socket), 0);
                assert_int_equal(netns_record_load(NETNS_RECORD_FILE, &record), 0);
                netns_record_prune(&record, &socket, NULL);
                if (netns_record_count_former(&record, NULL) == 0)
                        return;
                (void)usleep(10000);
        }
        fail_msg("namespaces that nobody has are still there after 10 s");
}

static void stop_12310_twice(struct sandbox *sandbox) {
        wait_for_former();
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(count_mounts(NETNS_DIRECTORY "/"), 0);
        assert_no_shell("test -e " PATH);
}

/* Whatever a death leaves under the name is either no namespace or a complete one. */
static void start_12310_again(struct sandbox *sandbox) {
        if (find() == NETNS_OURS)
                assert_complete();
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_complete();
        stop_12310_twice(sandbox);
}

static void a_start_that_is_killed_leaves_nothing_that_disturbs(void **state) {
        kill_at_every_point(start_12310, stop_12310_twice, *state);
        kill_at_every_point(start_12310, start_12310_again, *state);
}

static void stop_12310(struct sandbox *sandbox) {
        (void)stop(sandbox, "12310");
}

static void a_stop_that_is_killed_is_finished_by_the_next(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "12310"), 0);
        kill_at_every_point(stop_12310, start_12310, sandbox);
        stop_12310_twice(sandbox);
}

/* Anybody can hold the lock that ip-netns takes. */
static void somebodys_lock_holds_up_nobody(void **state) {
        struct sandbox *sandbox = *state;
        _cleanup_close_ int fd = -1;

        assert_shell("mkdir /run/netns");
        fd = open("/run/netns", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        (void)alarm(30);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(stop(sandbox, "12310"), 0);
        (void)alarm(0);
}

static void our_own_lock_is_roots(void **state) {
        struct sandbox *sandbox = *state;
        struct stat st;

        assert_int_equal(start(sandbox, "12310"), 0);
        assert_int_equal(stat("/run/coursenet/netns.lock", &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(st.st_uid, 0);
}

/* A process in the seat; it says through the pipe that it is there, and waits to be ended. */
static pid_t start_leftover(uid_t uid, bool stubborn) {
        int ready[2], fd;
        char byte;
        pid_t pid;

        assert_int_equal(pipe(ready), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                fd = open(PATH, O_RDONLY | O_CLOEXEC);
                if (fd < 0 || setns(fd, CLONE_NEWNET) < 0 || setresuid(uid, uid, uid) < 0)
                        _exit(EXIT_FAILURE);
                (void)close(fd);
                if (stubborn) {
                        (void)signal(SIGHUP, SIG_IGN);
                        (void)signal(SIGTERM, SIG_IGN);
                }
                if (write(ready[1], "x", 1) != 1)
                        _exit(EXIT_FAILURE);
                for (;;)
                        (void)pause();
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        (void)close(ready[0]);
        (void)close(ready[1]);
        return pid;
}

static bool has_ended(pid_t pid) {
        return waitpid(pid, NULL, WNOHANG) == pid;
}

static void end(pid_t pid) {
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void leftovers_are_cut_off(void **state) {
        struct sandbox *sandbox = *state;
        pid_t student;

        assert_int_equal(start(sandbox, "12310"), 0);
        student = start_leftover(5001, false);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_false(has_ended(student));
        end(student);
}

static void leftovers_are_killed_if_wanted(void **state) {
        struct sandbox *sandbox = *state;
        pid_t meek, stubborn, admin;

        configure("coursenet.conf", "[site]\nleftover = kill\n");
        assert_int_equal(start(sandbox, "12310"), 0);
        meek = start_leftover(5001, false);
        stubborn = start_leftover(5001, true);
        admin = start_leftover(0, false);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_true(has_ended(meek));
        assert_true(has_ended(stubborn));
        assert_false(has_ended(admin));
        end(admin);
        assert_silence(sandbox);
}

static void a_course_decides_on_its_leftovers(void **state) {
        struct sandbox *sandbox = *state;
        pid_t student;

        configure("coursenet.conf", "[site]\nleftover = kill\n[course 123]\nleftover = cut\n");
        assert_int_equal(start(sandbox, "12310"), 0);
        student = start_leftover(5001, false);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_false(has_ended(student));
        end(student);
}

static void nobody_outside_the_seat_is_killed(void **state) {
        struct sandbox *sandbox = *state;
        pid_t outside;

        configure("coursenet.conf", "[site]\nleftover = kill\n");
        assert_int_equal(start(sandbox, "12311"), 0);
        assert_int_equal(start(sandbox, "12310"), 0);
        outside = start_leftover(5001, false);
        assert_int_equal(stop(sandbox, "12311"), 0);
        assert_false(has_ended(outside));
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_true(has_ended(outside));
}

/* --- namespaces that somebody keeps alive ------------------------------------------------------- */

#define ROUNDS 12

/* The kernel lets a namespace go a moment after the last netlink socket in it is closed. */
static void wait_until_none_is_left(void) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct netns_record record;
        size_t n = 1;

        assert_int_equal(link_open(&socket), 0);
        for (unsigned i = 0; i < 5000 && n > 0; i++) {
                assert_int_equal(netns_record_load(NETNS_RECORD_FILE, &record), 0);
                netns_record_prune(&record, &socket, NULL);
                n = netns_record_count_former(&record, NULL);
                netns_record_done(&record);
                (void)usleep(n > 0 ? 1000 : 0);
        }
        assert_int_equal(n, 0);
}

/* Starts and stops the seat again and again, and keeps each namespace open. Returns how many there were. */
static unsigned hoard(struct sandbox *sandbox, int ret_fds[static ROUNDS]) {
        ino_t inodes[ROUNDS];
        unsigned n = 0;

        for (unsigned i = 0; i < ROUNDS; i++) {
                bool known = false;

                assert_int_equal(start(sandbox, "12310"), 0);
                assert_complete();
                ret_fds[i] = open(PATH, O_RDONLY | O_CLOEXEC);
                assert_true(ret_fds[i] >= 0);
                inodes[i] = inode(PATH);
                for (unsigned j = 0; j < i; j++)
                        known |= inodes[j] == inodes[i];
                n += !known;
                assert_int_equal(stop(sandbox, "12310"), 0);
        }
        return n;
}

static void close_all(int fds[static ROUNDS]) {
        for (unsigned i = 0; i < ROUNDS; i++)
                assert_int_equal(close(fds[i]), 0);
}

static void former_namespaces_that_are_kept_open_become_no_more_than_a_few(void **state) {
        struct sandbox *sandbox = *state;
        int fds[ROUNDS];
        ino_t kept;

        assert_int_equal(hoard(sandbox, fds), NETNS_FORMER_MAX + 1);
        /* The last one is there under its name, and the next start has it. */
        assert_int_equal(find(), NETNS_OURS);
        kept = inode(PATH);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_true(inode(PATH) == kept);

        /* Another seat does not care. */
        assert_int_equal(start(sandbox, "12311"), 0);
        assert_int_equal(stop(sandbox, "12311"), 0);
        assert_no_shell("test -e " NETNS_DIRECTORY "/ns12311");

        close_all(fds);
        wait_until_none_is_left();
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(find(), NETNS_ABSENT);
}

static void a_kept_namespace_goes_when_nobody_keeps_the_others_any_more(void **state) {
        struct sandbox *sandbox = *state;
        int fds[ROUNDS];

        (void)hoard(sandbox, fds);
        close_all(fds);
        wait_until_none_is_left();
        assert_int_equal(find(), NETNS_OURS);
        assert_int_equal(start(sandbox, "12311"), 0);
        assert_int_equal(stop(sandbox, "12311"), 0);
        assert_int_equal(find(), NETNS_ABSENT);
}

/* As when the record of its start could not be written. */
static void a_seat_that_has_its_cable_loses_no_name(void **state) {
        struct sandbox *sandbox = *state;
        int fds[ROUNDS];

        (void)hoard(sandbox, fds);
        close_all(fds);
        wait_until_none_is_left();
        assert_shell("ip link add vl-12310 type bridge");
        assert_int_equal(start(sandbox, "12311"), 0);
        assert_int_equal(stop(sandbox, "12311"), 0);
        assert_int_equal(find(), NETNS_OURS);

        assert_shell("ip link del vl-12310");
        assert_int_equal(start(sandbox, "12311"), 0);
        assert_int_equal(stop(sandbox, "12311"), 0);
        assert_int_equal(find(), NETNS_ABSENT);
}

static void namespaces_that_nobody_keeps_are_made_anew_each_time(void **state) {
        struct sandbox *sandbox = *state;

        for (unsigned i = 0; i < ROUNDS; i++) {
                assert_int_equal(start(sandbox, "12310"), 0);
                assert_int_equal(stop(sandbox, "12310"), 0);
                assert_int_equal(find(), NETNS_ABSENT);
                wait_until_none_is_left();
        }
        assert_silence(sandbox);
}

static void when_all_seats_together_have_too_many_none_gets_another(void **state) {
        struct sandbox *sandbox = *state;
        size_t limit = netns_former_limit();
        struct netns_record record;
        FILE *file;
        int id, fd;

        /* One that is there, written down as often as there may be former ones. */
        assert_int_equal(start(sandbox, "12311"), 0);
        assert_int_equal(netns_record_load(NETNS_RECORD_FILE, &record), 0);
        assert_int_equal(record.n_entries, 1);
        id = record.entries[0].id;
        netns_record_done(&record);
        fd = open(NETNS_DIRECTORY "/ns12311", O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        file = fopen(NETNS_RECORD_FILE, "ae");
        assert_non_null(file);
        for (size_t i = 0; i < limit; i++)
                (void)fprintf(file, "99%zu %d former\n", i, id);
        assert_int_equal(fclose(file), 0);

        assert_int_equal(start(sandbox, "12310"), 0);
        assert_complete();
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(find(), NETNS_OURS);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_complete();
        assert_int_equal(close(fd), 0);
}

/* So that the kernel finds it first; with one number more for each seat it would look through all of them. */
static void the_newest_namespace_has_the_lowest_number(void **state) {
        static const char *const seats[] = {"12310", "12311", "12312"};
        struct sandbox *sandbox = *state;
        struct netns_record record;

        for (size_t i = 0; i < ELEMENTSOF(seats); i++)
                assert_int_equal(start(sandbox, seats[i]), 0);
        assert_int_equal(stop(sandbox, "12311"), 0);
        assert_int_equal(start(sandbox, "12311"), 0);
        assert_int_equal(netns_record_load(NETNS_RECORD_FILE, &record), 0);
        for (size_t i = 1; i < record.n_entries; i++)
                assert_true(record.entries[i].id < record.entries[i - 1].id);
        assert_string_equal(record.entries[record.n_entries - 1].seat, "12311");
        netns_record_done(&record);
        assert_shell("ip netns list-id nsid $(sed -n 's/^12311 \\(.*\\) up/\\1/p' " NETNS_RECORD_FILE
                     ") | grep -q ns12311");
        assert_silence(sandbox);
}

static void a_record_that_is_lost_or_garbage_stops_no_seat(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("printf 'garbage\\n12310\\n12310 x up\\n' >" NETNS_RECORD_FILE);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(find(), NETNS_ABSENT);
        assert_int_equal(start(sandbox, "12310"), 0);
        assert_shell("rm " NETNS_RECORD_FILE);
        assert_int_equal(stop(sandbox, "12310"), 0);
        assert_int_equal(find(), NETNS_ABSENT);
        assert_silence(sandbox);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(somebodys_lock_holds_up_nobody),
                sandbox_test(our_own_lock_is_roots),
                sandbox_test(leftovers_are_cut_off),
                sandbox_test(leftovers_are_killed_if_wanted),
                sandbox_test(a_course_decides_on_its_leftovers),
                sandbox_test(nobody_outside_the_seat_is_killed),
                sandbox_test(a_start_makes_the_namespace_and_a_stop_removes_it),
                sandbox_test(a_stop_without_any_namespace_ever_is_success),
                sandbox_test(a_namespace_costs_one_line_of_mountinfo),
                sandbox_test(an_older_mount_namespace_sees_a_new_namespace),
                sandbox_test(a_second_start_keeps_the_namespace),
                sandbox_test(the_hosts_own_lo_is_not_touched),
                sandbox_test(a_stale_file_is_used),
                sandbox_test(a_stop_removes_a_stale_file),
                sandbox_test(what_is_no_empty_file_of_roots_is_left_as_it_is),
                sandbox_test(a_foreign_namespace_is_left_as_it_is),
                sandbox_test(a_namespace_of_another_kind_is_foreign),
                sandbox_test(stacked_mounts_are_all_taken_away),
                sandbox_test(a_foreign_namespace_below_ours_stays),
                sandbox_test(a_mount_that_is_held_open_does_not_block),
                sandbox_test(ip_netns_works_with_it),
                sandbox_test(an_admins_ip_netns_add_before_or_after_makes_no_difference),
                sandbox_test(seats_in_a_folder_that_is_no_mount_stay),
                sandbox_test(the_folder_can_be_made_shared),
                sandbox_test(a_namespace_with_somebody_in_it_loses_its_name_only),
                sandbox_test(many_first_starts_at_once_do_not_disturb_each_other),
                sandbox_test(a_start_waits_for_our_own_lock),
                sandbox_test(a_mount_that_fails_leaves_no_file),
                sandbox_test(what_can_be_no_seat_is_refused),
                sandbox_test(a_start_that_is_killed_leaves_nothing_that_disturbs),
                sandbox_test(a_stop_that_is_killed_is_finished_by_the_next),
                sandbox_test(former_namespaces_that_are_kept_open_become_no_more_than_a_few),
                sandbox_test(a_kept_namespace_goes_when_nobody_keeps_the_others_any_more),
                sandbox_test(a_seat_that_has_its_cable_loses_no_name),
                sandbox_test(namespaces_that_nobody_keeps_are_made_anew_each_time),
                sandbox_test(when_all_seats_together_have_too_many_none_gets_another),
                sandbox_test(the_newest_namespace_has_the_lowest_number),
                sandbox_test(a_record_that_is_lost_or_garbage_stops_no_seat),
        };

        return cmocka_run_group_tests_name("netns", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Lets one system call of a child fail: of those that can change something outside of it, or that bring an
 * answer of the kernel. The kernel asks this process about each such call (seccomp_unotify(2)), so that it
 * works on every machine.
 */

#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>

#include "changing-calls.h"

/* What the child says about itself. */
struct failing_child {
        int listener, result;
        bool over; /* the function has returned */
};

/* Without setns(): a process that cannot return from a namespace can undo nothing outside of it. */
static inline int listen_to_calls(void) {
        static const unsigned calls[] = {SYS_sendmsg, SYS_sendto, SYS_recvmsg, SYS_write, SYS_writev,
                SYS_mount, SYS_umount2, SYS_unshare, SYS_unlink, SYS_unlinkat, SYS_rename, SYS_mkdir,
                SYS_rmdir, SYS_openat, SYS_fchmod};
        struct sock_filter filter[ELEMENTSOF(calls) + 3] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        };
        struct sock_fprog program = {.len = ELEMENTSOF(filter), .filter = filter};

        for (unsigned char i = 0; i < ELEMENTSOF(calls); i++)
                filter[i + 1] = (struct sock_filter)BPF_JUMP(
                        BPF_JMP | BPF_JEQ | BPF_K, calls[i], (unsigned char)(ELEMENTSOF(calls) - i), 0);
        filter[ELEMENTSOF(calls) + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        filter[ELEMENTSOF(calls) + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
        return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* Opening a file to read it is no change. */
static inline bool may_fail(const struct seccomp_data *call) {
        return call->nr != SYS_openat || (call->args[2] & (O_CREAT | O_TRUNC));
}

/* Lets one call of the child go on, or fail if n other calls came before it. Returns whether it failed. */
static inline bool answer_call(int listener, unsigned *n, int error) {
        struct seccomp_notif call = {0};
        struct seccomp_notif_resp answer = {0};

        /* The process may be gone. */
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
                return false;
        answer.id = call.id;
        if (may_fail(&call.data) && (*n)-- == 0)
                answer.error = -error;
        else
                answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
        return answer.error != 0;
}

static inline _Noreturn void run_failing_child(
        struct failing_child *child, int (*function)(void *userdata), void *userdata) {
        child->listener = listen_to_calls();
        (void)raise(SIGSTOP);
        (void)close(child->listener);
        child->result = function(userdata);
        child->over = true;
        _exit(EXIT_SUCCESS);
}

/* The result of a child that ended itself, as libnftables does if it gets no socket. */
#define ENDED INT_MAX

/*
 * Runs function in a child whose call number n fails with error. Returns whether there was such a call, and
 * what the function returned.
 */
static inline bool fail_at_call(
        unsigned n, int error, int (*function)(void *userdata), void *userdata, int *ret_result) {
        struct failing_child *child =
                mmap(NULL, sizeof(*child), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct pollfd pollfd = {.events = POLLIN};
        unsigned none = UINT_MAX;
        bool failed = false;
        int status, pidfd;
        pid_t pid;

        assert_ptr_not_equal(child, MAP_FAILED);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                run_failing_child(child, function, userdata);
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(WIFSTOPPED(status) && child->listener >= 0);
        pidfd = pidfd_open(pid, 0);
        pollfd.fd = pidfd_getfd(pidfd, child->listener, 0);
        assert_true(pollfd.fd >= 0);
        (void)kill(pid, SIGCONT);
        while (poll(&pollfd, 1, -1) > 0 && (pollfd.revents & POLLIN))
                failed |= answer_call(pollfd.fd, child->over ? &none : &n, error);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        *ret_result = WEXITSTATUS(status) == EXIT_SUCCESS ? child->result : ENDED;
        (void)close(pollfd.fd);
        (void)close(pidfd);
        (void)munmap(child, sizeof(*child));
        return failed;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Kills a child right before each of its system calls that can change something outside of it, one after
 * another. Between two such calls, no moment of death differs from another one for those who come after.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "util.h"

/* Not among them: what only reads, and what ends with the process. */
static inline bool is_change(uint64_t call) {
        static const long changes[] = {SYS_sendmsg, SYS_sendto, SYS_write, SYS_writev, SYS_mount, SYS_umount2,
                SYS_unshare, SYS_setns, SYS_unlink, SYS_unlinkat, SYS_rename, SYS_mkdir, SYS_rmdir,
                SYS_openat, SYS_fchmod};

        for (size_t i = 0; i < ELEMENTSOF(changes); i++)
                if ((long)call == changes[i])
                        return true;
        return false;
}

/* Opening a file matters only if that creates or empties it. */
static inline bool is_about_to_change(pid_t pid) {
        struct __ptrace_syscall_info info;

        if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
                info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_change(info.entry.nr))
                return false;
        return info.entry.nr != SYS_openat || (info.entry.args[2] & (O_CREAT | O_TRUNC));
}

/* Returns whether function was killed; false: it has fewer than n + 1 such calls and came to its end. */
static inline bool kill_at_change(unsigned n, void (*function)(void *userdata), void *userdata) {
        int status, number;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
                (void)raise(SIGSTOP);
                function(userdata);
                /* Not _exit(), which in a build that counts lines would write many files. */
                (void)syscall(SYS_exit_group, EXIT_SUCCESS);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
        for (number = 0;;) {
                assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, number), 0);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                if (!WIFSTOPPED(status))
                        break;
                number = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
                if (number == 0 && is_about_to_change(pid) && n-- == 0)
                        break;
        }
        if (WIFEXITED(status)) {
                assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
                return false;
        }
        (void)kill(pid, SIGKILL);
        while (!WIFSIGNALED(status))
                assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return true;
}

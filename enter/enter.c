/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-enter: moves a student's own process from anywhere into the student's seat, and executes a
 * command there. The process that requested the lease becomes the command, so the lease lasts exactly as long
 * as the command.
 *
 * It has a file capability, cap_sys_admin=p, for setns(), the one call that needs it. The attacker is the
 * user who runs it. These are the inputs that the attacker controls:
 *
 * - Arguments: command-line.c parses them, without getopt, which depends on the environment. They choose the
 *   command, but never the socket or a file, and the seat only with --seat-of, where root decides whether the
 *   user may.
 * - The environment: it is not read while there is a capability. ld.so runs in secure mode and ignores
 *   LD_PRELOAD and similar variables, and no locale is set. Later, execvp() uses PATH, and SHELL and
 *   SSH_ORIGINAL_COMMAND choose a command, with the rights that the user had before.
 * - Descriptors: 0 to 2 are opened on /dev/null if they are closed, so that no file of ours becomes stderr.
 *   All of ours are close-on-exec. The command inherits the others, as with any exec.
 * - The socket: its path is fixed, and its owner must be root (SO_PEERCRED). An answer that does not have the
 *   one size, valid fields and one descriptor is refused.
 * - The namespace: the activator opens it. It must be a network namespace; nothing else is joined, and no
 *   path is opened here. The activator chooses the seat, by the uid from the kernel and the name from the
 * user database.
 * - Limits, umask, working directory and signals: they stay as they are. If they make a call fail, the
 *   program ends before the command.
 * - User namespaces, and so chroots and mounts of the user: the kernel does not grant the file capability
 *   there. Between our exec and the command's, it denies the user ptrace, core dumps and /proc/PID/mem.
 *
 * The capability is effective for setns() only. Then every set is emptied and checked, before anything that
 * the user chooses is opened, searched or run. There is no setuid, no thread, and no library except libc; NSS
 * is asked (for a login shell) only after that.
 */

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "capability.h"
#include "command-line.h"
#include "enter.h"
#include "own-seat.h"
#include "seat-namespace.h"
#include "user-command.h"

static void print_usage(FILE *stream) {
        (void)fputs(
                "Usage: coursenet-enter [--seat | --seat-of USER] [-- COMMAND...]\n"
                "       coursenet-enter [--seat | --seat-of USER] -c 'SHELL COMMAND'\n"
                "\n"
                "Runs a command, or a shell, in the container of your own seat; with --seat, only in the\n"
                "network of the seat. Starts the seat if necessary; it stays up while the command runs.\n"
                "With --seat-of, staff run a command of their own in the network of a student's seat, which\n"
                "must be up. The student is told.\n"
                "\n"
                "Exit codes: the command's own; 1 no seat; 2 usage; 3 the activator cannot be reached;\n"
                "126 the command cannot be executed; 127 it does not exist. See coursenet-enter(1).\n",
                stream);
}

int enter_open_stdio(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                if (fcntl(fd, F_GETFD) >= 0)
                        continue;
                /* open() returns the lowest free number, which is fd, because those below it are open. */
                if (open("/dev/null", O_RDWR | O_NOCTTY) != fd) /* NOLINT: it is to stay open */
                        return -EBADF;
        }
        return 0;
}

/*
 * 1 if this process is in the network namespace fd; 0 if it is in another one; negative errno if fd is no
 * network namespace or that cannot be found out, and *ret_failed is a static clause about it.
 */
static int is_current(int fd, const char **ret_failed) {
        struct stat theirs, ours;
        int r;

        r = seat_namespace_check(fd, ret_failed);
        if (r < 0)
                return r;
        *ret_failed = "cannot be compared with /proc/self/ns/net";
        if (fstat(fd, &theirs) < 0 || stat("/proc/self/ns/net", &ours) < 0)
                return -errno;
        return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* The only privileged step. Only for a descriptor that is_current() has checked. */
static int join_namespace(int fd, const char **ret_failed) {
        int r;

        *ret_failed = "cannot be joined";
        r = capability_raise();
        if (r < 0)
                return r;
        return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

static void explain(void) {
        struct capability_facts facts;

        capability_look(&facts);
        complain("Cannot join the network of your seat: %s.", capability_explain(&facts));
}

/* Joins the namespace unless this process is in it already, which needs no capability. */
static int join(const struct own_seat *seat) {
        const char *failed;
        int r;

        r = is_current(seat->namespace_fd, &failed);
        if (r == 0)
                r = join_namespace(seat->namespace_fd, &failed);
        if (r >= 0)
                return 0;
        if (r == -EPERM)
                explain();
        else
                complain("The network namespace of seat %s %s: %s.", seat->name, failed, strerror(-r));
        return EXIT_NO;
}

static int enter_seat(const struct command_line *options, struct own_seat *seat) {
        int r;

        r = options->student ? own_seat_visit(options->student, seat)
                             : own_seat_open(!options->seat_only, seat);
        if (r != 0)
                return r;
        r = join(seat);
        if (r != 0)
                return r;
        r = capability_drop_all();
        if (r < 0) {
                complain("Cannot give up privileges: %s.", strerror(-r));
                return EXIT_NO;
        }
        return 0;
}

int enter(int argc, char **argv) {
        _cleanup_own_seat_ struct own_seat seat = OWN_SEAT_NONE;
        struct command_line options;
        const char *reason;
        int r;

        if (enter_open_stdio() < 0)
                return EXIT_NO;
        r = command_line_parse(argc, argv, &options, &reason);
        if (r < 0) {
                complain("%s.", reason);
                print_usage(stderr);
                return EXIT_USAGE;
        }
        if (options.help) {
                print_usage(stdout);
                return fflush(stdout) == 0 ? 0 : EXIT_NO;
        }

        r = enter_seat(&options, &seat);
        return r != 0 ? r : user_command_run(&options, &seat);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs coursenet-host and reads its output. The time limit is long, because a site may have thousands of
 * seats.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "checks.h"
#include "child.h"
#include "finding-line.h"

#define PATIENCE_SECONDS 120

struct run {
        pid_t pid;
        int fd; /* what it prints */
};

static int start(const char *program, struct run *ret) {
        static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
        char *environment[] = {path, NULL};
        const char *const arguments[] = {program, "check", NULL};
        struct child_streams streams = {CHILD_NULL, CHILD_INHERIT, CHILD_INHERIT};
        _cleanup_close_ int read_fd = -1, write_fd = -1;
        int fds[2], r;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        read_fd = fds[0];
        write_fd = fds[1];

        streams.output = write_fd;
        r = child_spawn(arguments, &streams, environment, &ret->pid);
        if (r < 0)
                return r;
        ret->fd = read_fd;
        read_fd = -1;
        return 0;
}

static int64_t now_ms(void) {
        struct timespec now = {0};

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads to the end. The caller frees *ret. -ETIMEDOUT, or another negative errno. */
static int read_all(int fd, char **ret) {
        int64_t deadline = now_ms() + PATIENCE_SECONDS * 1000;
        _cleanup_free_ char *text = calloc(1, 1);
        size_t length = 0;

        if (!text)
                return -ENOMEM;
        for (;;) {
                struct pollfd wait = {.fd = fd, .events = POLLIN};
                int64_t left = deadline - now_ms();
                char buffer[4096], *larger;
                ssize_t n;

                if (left <= 0 || poll(&wait, 1, (int)left) == 0)
                        return -ETIMEDOUT;
                n = read(fd, buffer, sizeof(buffer));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                larger = realloc(text, length + (size_t)n + 1);
                if (!larger)
                        return -ENOMEM;
                text = larger;
                memcpy(text + length, buffer, (size_t)n);
                length += (size_t)n;
                text[length] = '\0';
        }
        *ret = text;
        text = NULL;
        return 0;
}

/* Changes text. A line that is not a finding means that the two programs are of different versions. */
static void read_findings(const char *program, char *text, struct diagnostics *diagnostics) {
        char *rest = text;

        for (char *line; (line = strsep(&rest, "\n"));)
                if (line[0] && finding_line_read(line, diagnostics) < 0) {
                        diagnostics_error(diagnostics, program, 0,
                                "is of another version than coursenetctl: install both together");
                        return;
                }
}

void live_check(const char *program, struct diagnostics *diagnostics) {
        _cleanup_free_ char *text = NULL;
        struct run run;
        int r, status = -1;

        r = start(program, &run);
        if (r < 0) {
                diagnostics_error(diagnostics, program, 0,
                        "cannot be run (%s), so the kernel's state could not be compared with the "
                        "configuration",
                        strerror(-r));
                return;
        }
        r = read_all(run.fd, &text);
        if (r < 0)
                (void)kill(run.pid, SIGKILL);
        close_pointer(&run.fd);
        if (child_wait(run.pid, &status) < 0)
                status = -1;

        if (text)
                read_findings(program, text, diagnostics);
        if (r == -ETIMEDOUT)
                diagnostics_error(diagnostics, program, 0, "did not end within %u seconds", PATIENCE_SECONDS);
        else if (r < 0)
                diagnostics_error(diagnostics, program, 0, "its output cannot be read: %s", strerror(-r));
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                diagnostics_error(diagnostics, program, 0,
                        "could not compare everything with the configuration; see the messages above");
}

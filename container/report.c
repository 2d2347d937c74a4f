/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copies the program's standard error to the journal and remembers the last error in it. */

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/pidfd.h>

#include "child.h"
#include "notify.h"
#include "report.h"

#define DELIVERY_MS 2000

int report_failure(const char *format, ...) {
        char state[sizeof("STATUS=") + 512] = "STATUS=";
        char *text = state + strlen(state);
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(state) - strlen(state), format, arguments);
        va_end(arguments);
        text[strcspn(text, "\n")] = '\0';

        (void)fprintf(stderr, "%s\n", text);
        /* systemd can assign the message to the unit only while this process exists. */
        (void)notify_deliver(state, DELIVERY_MS);
        return EXIT_FAILURE;
}

struct lines {
        char line[512];
        size_t length;
        char *last_error;
        size_t size;
};

/* "FATAL:   while …: mkdir …: no space left on device" */
static void take_line(struct lines *lines) {
        static const char *const words[] = {"FATAL:", "ERROR"};

        lines->line[lines->length] = '\0';
        lines->length = 0;
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (string_starts_with(lines->line, words[i])) {
                        const char *text = lines->line + strlen(words[i]);

                        (void)snprintf(lines->last_error, lines->size, "%s", text + strspn(text, " :"));
                        return;
                }
}

static void take_text(struct lines *lines, const char *text, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (text[i] == '\n')
                        take_line(lines);
                else if (lines->length + 1 < sizeof(lines->line))
                        lines->line[lines->length++] = text[i];
}

/* Returns whether more may come. */
static bool pass_on(int fd, struct lines *lines) {
        char text[1024];
        ssize_t n = read(fd, text, sizeof(text));

        if (n <= 0)
                return n < 0 && (errno == EAGAIN || errno == EINTR);
        (void)!write(STDERR_FILENO, text, (size_t)n);
        take_text(lines, text, (size_t)n);
        return true;
}

/* Until the program has ended, because a process that it has started may keep the other end open. */
static void pass_on_until_end(int pidfd, int fd, struct lines *lines) {
        struct pollfd wait[] = {{.fd = pidfd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

        while (wait[0].revents == 0) {
                if (poll(wait, ELEMENTSOF(wait), -1) < 0 && errno != EINTR)
                        return;
                if (wait[1].revents && !pass_on(fd, lines))
                        wait[1].fd = -1;
        }
        for (struct pollfd rest = {.fd = fd, .events = POLLIN}; poll(&rest, 1, 0) > 0 && pass_on(fd, lines);)
                continue;
        if (lines->length > 0)
                take_line(lines);
}

int report_run(const char *const *arguments, int *ret_status, char *last_error, size_t size) {
        struct child_streams streams = {CHILD_NULL, CHILD_INHERIT, CHILD_INHERIT};
        struct lines lines = {.last_error = last_error, .size = size};
        _cleanup_close_ int read_fd = -1, write_fd = -1, pidfd = -1;
        int fds[2], r;
        pid_t pid;

        last_error[0] = '\0';
        if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        read_fd = fds[0];
        write_fd = fds[1];
        /* The end that the program gets must not be non-blocking. */
        if (fcntl(write_fd, F_SETFL, 0) < 0)
                return -errno;
        streams.error = write_fd;
        r = child_spawn(arguments, &streams, NULL, &pid);
        if (r < 0)
                return r;
        close_pointer(&write_fd);
        pidfd = pidfd_open(pid, 0);
        if (pidfd >= 0)
                pass_on_until_end(pidfd, read_fd, &lines);
        return child_wait(pid, ret_status);
}

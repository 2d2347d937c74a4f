/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A small world for each test: a network namespace and a mount namespace of its own, an empty /run, an empty
 * /var/lib and an empty folder in the place of /etc/coursenet. What a test leaves behind ends with it.
 * Foreign things are made with ip(8), and what came out is looked at with it too, so that the code under test
 * is never its own witness.
 */

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "diagnostics.h"

#define SANDBOX_ETC "/run/etc-coursenet"

/* One sandbox a process at a time; each setup replaces the one before. */
struct sandbox {
        struct diagnostics diagnostics;
};

static inline int sandbox_setup(void **state) {
        struct sandbox *sandbox;

        if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
                print_error("these tests make namespaces: run them as root\n");
                return -1;
        }
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -1;
        /* mountinfo must not show the namespaces of this machine's own users. */
        while (umount2("/run/netns", MNT_DETACH) == 0)
                ;
        /* /run is shared within this mount namespace, as it is on a host that systemd booted. */
        if (mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=755") < 0 ||
                mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0 ||
                mount(NULL, "/run", NULL, MS_SHARED, NULL) < 0 || mkdir(SANDBOX_ETC, 0755) < 0 ||
                mkdir(SANDBOX_ETC "/netns", 0755) < 0)
                return -1;

        sandbox = calloc(1, sizeof(*sandbox));
        *state = sandbox;
        return sandbox ? 0 : -1;
}

static inline int sandbox_teardown(void **state) {
        struct sandbox *sandbox = *state;

        diagnostics_done(&sandbox->diagnostics);
        free(sandbox);
        /* With every namespace that is still mounted below: the next sandbox begins as a copy of this one. */
        return umount2("/run", MNT_DETACH) < 0 ? -1 : umount2("/var/lib", MNT_DETACH);
}

#define sandbox_test(function) cmocka_unit_test_setup_teardown(function, sandbox_setup, sandbox_teardown)

static inline void write_file(const char *path, const char *text) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        (void)close(fd);
}

/* A file of the configuration, by its name below /etc/coursenet. */
static inline void configure(const char *name, const char *text) {
        char path[256];

        (void)snprintf(path, sizeof(path), SANDBOX_ETC "/%s", name);
        write_file(path, text);
}

/* Runs a shell command; its exit status. */
static inline int _printf_(1, 2) shell(const char *format, ...) {
        char command[512];
        va_list arguments;
        int status;

        va_start(arguments, format);
        (void)vsnprintf(command, sizeof(command), format, arguments);
        va_end(arguments);

        status = system(command);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

#define assert_shell(...) assert_int_equal(shell(__VA_ARGS__), 0)
#define assert_no_shell(...) assert_int_not_equal(shell(__VA_ARGS__), 0)

/* True if one of the findings has this text in it. */
static inline bool was_said(const struct sandbox *sandbox, enum diagnostic_level level, const char *text) {
        char line[1024];

        for (size_t i = 0; i < sandbox->diagnostics.n_items; i++) {
                diagnostic_format(&sandbox->diagnostics.items[i], line, sizeof(line));
                if (sandbox->diagnostics.items[i].level == level && strstr(line, text))
                        return true;
        }
        for (size_t i = 0; i < sandbox->diagnostics.n_items; i++) {
                diagnostic_format(&sandbox->diagnostics.items[i], line, sizeof(line));
                print_message("said instead: %s\n", line);
        }
        return false;
}

#define assert_error(sandbox, text) assert_true(was_said(sandbox, DIAGNOSTIC_ERROR, text))
#define assert_warning(sandbox, text) assert_true(was_said(sandbox, DIAGNOSTIC_WARNING, text))

/* What went well says nothing. */
#define assert_silence(sandbox) assert_int_equal((sandbox)->diagnostics.n_items, 0)

/*
 * Runs function in children that a timer kills, each a little later than the one before, until one lives to
 * its end. between is called after each death.
 */
static inline void kill_at_every_point(void (*function)(struct sandbox *sandbox),
        void (*between)(struct sandbox *sandbox), struct sandbox *sandbox) {
        int status = -1;

        for (unsigned delay = 50; !(status != -1 && WIFEXITED(status)); delay += 50 + delay / 20) {
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0) {
                        (void)ualarm(delay, 0);
                        function(sandbox);
                        _exit(EXIT_SUCCESS);
                }
                assert_int_equal(waitpid(pid, &status, 0), pid);
                between(sandbox);
        }
}

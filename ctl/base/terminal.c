/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>

#include "child.h"
#include "login-uid.h"
#include "terminal.h"

/* Quit if one screen is enough, show colours, cut long lines, leave the text on the screen, end by ^C. */
#define LESS_OPTIONS "FRSXMK"

static pid_t pager;     /* 0: none */
static bool has_errors; /* standard error goes to it, too */

/* Without $PAGER, less. */
static int spawn_pager(const char *program, int input, pid_t *ret) {
        const char *const shell[] = {"sh", "-c", program, NULL}, *const less[] = {"less", NULL};
        const struct child_streams streams = {input, CHILD_INHERIT, CHILD_INHERIT};

        return child_spawn(program ? shell : less, &streams, NULL, ret);
}

/* True if the user of this terminal is not the root that this process is. */
static bool is_borrowed_root(void) {
        uid_t uid;

        return geteuid() == 0 && login_uid_find("/proc", &uid) && uid != 0;
}

static const char *find_program(void) {
        const char *program = getenv("PAGER");

        if (program && program[0] && is_borrowed_root())
                program = NULL;
        return program && program[0] ? program : NULL;
}

static bool is_unwanted(void) {
        const char *program = getenv("PAGER");

        return program && (program[0] == '\0' || string_equal(program, "cat"));
}

void terminal_open_pager(void) {
        int ends[2];

        if (pager > 0 || isatty(STDOUT_FILENO) != 1 || is_unwanted() || pipe2(ends, O_CLOEXEC) < 0)
                return;
        (void)setenv("LESS", LESS_OPTIONS, 1);
        (void)setenv("LESSCHARSET", "utf-8", 0);
        if (is_borrowed_root())
                (void)setenv("LESSSECURE", "1", 1);
        (void)fflush(stdout);
        if (spawn_pager(find_program(), ends[0], &pager) < 0)
                pager = 0;
        else {
                /* Messages would otherwise be written into the pager's screen. */
                has_errors = isatty(STDERR_FILENO) == 1;
                if (has_errors)
                        (void)dup2(ends[1], STDERR_FILENO);
                (void)dup2(ends[1], STDOUT_FILENO);
        }
        (void)close(ends[0]);
        (void)close(ends[1]);
}

void terminal_close_pager(void) {
        int status;

        if (pager <= 0)
                return;
        (void)fflush(stdout);
        (void)close(STDOUT_FILENO);
        if (has_errors)
                (void)close(STDERR_FILENO);
        (void)child_wait(pager, &status);
        pager = 0;
}

static bool is_plain(void) {
        const char *unwanted = getenv("NO_COLOR"), *term = getenv("TERM");

        return (unwanted && unwanted[0]) || !term || string_equal(term, "dumb");
}

bool terminal_has_colors(void) {
        return (pager > 0 || isatty(STDOUT_FILENO) == 1) && !is_plain();
}

bool terminal_has_progress(void) {
        return isatty(STDERR_FILENO) == 1 && !is_plain();
}

const char *terminal_red(void) {
        return terminal_has_colors() ? "\x1b[31m" : "";
}

const char *terminal_yellow(void) {
        return terminal_has_colors() ? "\x1b[33m" : "";
}

const char *terminal_normal(void) {
        return terminal_has_colors() ? "\x1b[0m" : "";
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <time.h>

#include "child.h"
#include "frr-load.h"

#define POLL_NSEC 500000000

/* What a shell says of a program that is not there, which is what a child of posix_spawn() may end with. */
#define STATUS_NO_PROGRAM 127

static int run(const char *const *arguments, int error, int failed, FILE **ret) {
        const struct child_streams streams = {CHILD_NULL, CHILD_NULL, error};
        _cleanup_fclose_ FILE *output = NULL;
        int r, status;

        r = child_read(arguments, &streams, &status, &output);
        if (r < 0)
                return r;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NO_PROGRAM ? -ENOENT : failed;
        if (ret) {
                *ret = output;
                output = NULL;
        }
        return 0;
}

/* One daemon alone: the others' part is none of coursenet's, and one that hangs delays nothing. */
int frr_ask(const char *daemon, const char *command, FILE **ret) {
        const char *const arguments[] = {"vtysh", "-d", daemon, "-c", command, NULL};

        return run(arguments, CHILD_NULL, -ENOTCONN, ret);
}

int frr_read_running(struct frr_router *ret) {
        _cleanup_fclose_ FILE *output = NULL;
        int r = frr_ask("bgpd", "show running-config", &output);

        return r < 0 ? r : frr_router_read(output, ret);
}

/* A line of `show watchfrr`, such as "  bgpd                 Up". */
static bool line_waits(const char *line) {
        const char *const reading = "Reading Configuration: ";
        char name[32], state[32];

        line += strspn(line, " ");
        if (string_starts_with(line, reading))
                return !string_starts_with(line + strlen(reading), "no");
        if (strstr(line, " running, pid "))
                return true;
        return sscanf(line, "%31s %31s", name, state) == 2 && string_equal(name, "bgpd") &&
               !string_equal(state, "Up");
}

static bool is_starting(void) {
        _cleanup_fclose_ FILE *output = NULL;
        _cleanup_free_ char *line = NULL;
        bool starting = false;
        size_t size = 0;

        if (frr_ask("watchfrr", "show watchfrr", &output) < 0)
                return false;
        while (!starting && getline(&line, &size, output) >= 0)
                starting = line_waits(line);
        return starting;
}

void frr_wait_started(void) {
        const struct timespec pause = {.tv_nsec = POLL_NSEC};
        struct timespec now, end;

        (void)clock_gettime(CLOCK_MONOTONIC, &end);
        do {
                if (!is_starting())
                        return;
                (void)nanosleep(&pause, NULL);
                (void)clock_gettime(CLOCK_MONOTONIC, &now);
        } while (now.tv_sec < end.tv_sec + FRR_START_SECONDS);
}

int frr_load(const char *path) {
        const char *const arguments[] = {"vtysh", "-d", "bgpd", "-f", path, NULL};

        return run(arguments, CHILD_INHERIT, -EINVAL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-host: what concerns all courses and the host as a whole. coursenet-network.service and
 * coursenet-dns.service run it, and coursenetctl for its check and teardown. What a login waits for is
 * coursenet-net.
 */

#include <limits.h>
#include <sys/prctl.h>

#include "base/failure.h"
#include "base/subcommand.h"
#include "check/inspect.h"
#include "check/teardown.h"
#include "claims/claims.h"
#include "exam/exam-update.h"
#include "fence/fence.h"
#include "finding-line.h"
#include "firewall/course-rules.h"
#include "firewall/seat-rules.h"
#include "names/dns.h"
#include "watch/watch.h"

#define DNSMASQ "/usr/sbin/dnsmasq"

enum {
        EXIT_NOT_RUN = 3, /* dns: the settings switch the name service off */
        EXIT_DNS = 255,   /* dns: it failed; with any other status, ExecCondition= only skips the service */
};

static int run_refresh_courses(const char *id, struct diagnostics *diagnostics) {
        (void)id;
        return course_rules_refresh(ETC_DIRECTORY, diagnostics);
}

static int run_refresh_seats(const char *id, struct diagnostics *diagnostics) {
        (void)id;
        return seat_rules_refresh(ETC_DIRECTORY, diagnostics);
}

static int run_exam(const char *id, struct diagnostics *diagnostics) {
        (void)id;
        return exam_update(ETC_DIRECTORY, diagnostics);
}

static int run_claims(const char *id, struct diagnostics *diagnostics) {
        (void)id;
        return claims_update(diagnostics);
}

static int run_fence(const char *id, struct diagnostics *diagnostics) {
        (void)id;
        return fence_update(ETC_DIRECTORY, FENCE_ALL, diagnostics);
}

static int run_fence_new(const char *id, struct diagnostics *diagnostics) {
        (void)id;
        return fence_update(ETC_DIRECTORY, FENCE_NEW, diagnostics);
}

static int run_fence_local(const char *id, struct diagnostics *diagnostics) {
        (void)id;
        return fence_update(ETC_DIRECTORY, FENCE_LOCAL, diagnostics);
}

static int run_teardown(const char *id, struct diagnostics *diagnostics) {
        (void)id;
        return teardown(ETC_DIRECTORY, diagnostics);
}

static int run_dns(const char *id, struct diagnostics *diagnostics) {
        int r = dns_update(ETC_DIRECTORY, diagnostics);

        (void)id;
        if (r < 0)
                return EXIT_DNS;
        return r == DNS_NOT_RUN ? EXIT_NOT_RUN : EXIT_SUCCESS;
}

static int run_dns_serve(const char *id, struct diagnostics *diagnostics) {
        (void)id;
        return dns_serve(DNSMASQ, diagnostics);
}

/* The jobs of the watch are this very program, also after an upgrade has replaced its file. */
static int run_watch(const char *id, struct diagnostics *diagnostics) {
        static const char deleted[] = " (deleted)";
        char program[PATH_MAX];
        ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

        (void)id;
        if (length <= 0)
                return failure(diagnostics, "/proc/self/exe", -errno, "cannot be read");
        program[length] = '\0';
        if (length >= (ssize_t)sizeof(deleted) &&
                string_equal(program + length - (ssize_t)strlen(deleted), deleted))
                program[length - (ssize_t)strlen(deleted)] = '\0';
        return watch_run(ETC_DIRECTORY, program, diagnostics);
}

/* Findings are the result here, and go where coursenetctl reads them. */
static int run_check(const char *id, struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics found = {0};
        int r;

        (void)id;
        (void)diagnostics;
        r = inspect(ETC_DIRECTORY, &found);
        return finding_lines_write(stdout, &found) < 0 ? -EIO : r;
}

static const struct subcommand subcommands[] = {
        {"refresh", "courses", run_refresh_courses, false, false},
        {"refresh", "seats", run_refresh_seats, false, false},
        {"fence", NULL, run_fence, false, false},
        {"fence", "new", run_fence_new, false, false},
        {"fence", "local", run_fence_local, false, false},
        {"exam", NULL, run_exam, false, false},
        {"claims", NULL, run_claims, false, false},
        {"dns", NULL, run_dns, false, false},
        {"dns", "serve", run_dns_serve, false, false},
        {"watch", NULL, run_watch, false, false},
        {"teardown", NULL, run_teardown, false, false},
        {"check", NULL, run_check, false, false},
};

static const char usage[] =
        "coursenet-host watch                      coursenet-network: keeps all of this as it is\n"
        "coursenet-host refresh courses|seats      computes the firewall of all that is up and applies it\n"
        "coursenet-host fence [local|new]          course users outside of their seats\n"
        "coursenet-host exam                       courses in an exam: ends, rules, allowed names\n"
        "coursenet-host claims                     takes seats of spread courses off the network, and back\n"
        "coursenet-host dns [serve]                coursenet-dns: the names of all seats\n"
        "coursenet-host teardown                   for coursenetctl teardown: removes all that is in the "
        "kernel\n"
        "coursenet-host check                      for coursenetctl check: compares what is up with the "
        "plan\n";

static bool is_called(const char *path, const char *name) {
        const char *slash = strrchr(path, '/');

        return string_equal(slash ? slash + 1 : path, name);
}

int main(int argc, char **argv) {
        /* For the watch of an earlier version, which knows its jobs by this name: see former-command.c. */
        if (argc > 0 && is_called(argv[0], "coursenet-net"))
                (void)prctl(PR_SET_NAME, "coursenet-net");
        return subcommand_main(argc, argv, subcommands, ELEMENTSOF(subcommands), usage);
}

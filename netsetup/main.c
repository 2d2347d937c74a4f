/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-net: the short privileged steps of the units netbr@, netns@, nsbr@ and testnetns@, and what
 * coursenet-network.service and coursenet-dns.service do for all of them.
 */

#include <limits.h>

#include "base/failure.h"
#include "base/message.h"
#include "check/inspect.h"
#include "fence/fence.h"
#include "finding-line.h"
#include "firewall/network.h"
#include "firewall/seat-rules.h"
#include "names/dns-serve.h"
#include "names/dns.h"
#include "notify.h"
#include "verbs/bridge.h"
#include "verbs/netns.h"
#include "verbs/ping.h"
#include "verbs/seat.h"
#include "verbs/teardown.h"
#include "watch/watch.h"

#define ETC_DIRECTORY "/etc/coursenet"
#define DNSMASQ "/usr/sbin/dnsmasq"

/* systemd ends whoever takes longer than TimeoutStartSec= of the unit, 20 s. */
#define NOTIFY_PATIENCE_MS 15000

enum {
        EXIT_USAGE = 2,
        EXIT_NOT_RUN = 3, /* dns: there is to be no name service */
        EXIT_DNS = 255,   /* dns: it failed; any other status has ExecCondition= pass the service over */
};

/*
 * All commands share a form: what is wanted, and where to say what went wrong. They return the exit status,
 * or negative errno.
 */
typedef int (*command_run_t)(const char *id, struct diagnostics *diagnostics);

static int run_bridge_start(const char *id, struct diagnostics *diagnostics) {
        return bridge_start(ETC_DIRECTORY, id, diagnostics);
}

static int run_bridge_stop(const char *id, struct diagnostics *diagnostics) {
        return bridge_stop(ETC_DIRECTORY, id, diagnostics);
}

static int run_netns_start(const char *id, struct diagnostics *diagnostics) {
        return netns_start(ETC_DIRECTORY, id, diagnostics);
}

static int run_netns_stop(const char *id, struct diagnostics *diagnostics) {
        return netns_stop(ETC_DIRECTORY, id, diagnostics);
}

static int run_seat_start(const char *id, struct diagnostics *diagnostics) {
        return seat_start(ETC_DIRECTORY, id, diagnostics);
}

static int run_test(const char *id, struct diagnostics *diagnostics) {
        struct ping_report report;
        int r;

        r = ping_test(ETC_DIRECTORY, id, &report, diagnostics);
        if (r < 0)
                return r;
        (void)puts(report.text);
        return report.n_received > 0 ? 0 : -EHOSTUNREACH;
}

static int run_refresh_courses(const char *id, struct diagnostics *diagnostics) {
        (void)id;
        return network_refresh(ETC_DIRECTORY, diagnostics);
}

static int run_refresh_seats(const char *id, struct diagnostics *diagnostics) {
        (void)id;
        return seat_rules_refresh(ETC_DIRECTORY, diagnostics);
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

/* The jobs of the watch are this very program, also after it was replaced by a newer one. */
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

static const struct command {
        const char *object;
        const char *verb; /* NULL: the object is the whole command */
        command_run_t run;
        bool takes_id; /* of a course or a seat; the others are about all of them */
        bool notifies; /* tells systemd when it has done its work: see main() */
} commands[] = {
        {"bridge", "start", run_bridge_start, true, true},
        {"bridge", "stop", run_bridge_stop, true, false},
        {"netns", "start", run_netns_start, true, true},
        {"netns", "stop", run_netns_stop, true, false},
        {"seat", "start", run_seat_start, true, true},
        {"seat", "stop", seat_stop, true, false},
        {"test", NULL, run_test, true, false},
        {"refresh", "courses", run_refresh_courses, false, false},
        {"refresh", "seats", run_refresh_seats, false, false},
        {"fence", NULL, run_fence, false, false},
        {"fence", "new", run_fence_new, false, false},
        {"fence", "local", run_fence_local, false, false},
        {"dns", NULL, run_dns, false, false},
        {"dns", "serve", run_dns_serve, false, false},
        {"watch", NULL, run_watch, false, false},
        {"teardown", NULL, run_teardown, false, false},
};

static const char usage[] =
        "coursenet-net bridge start|stop COURSE   netbr@: the bridge of a course\n"
        "coursenet-net netns start|stop SEAT      netns@: the network namespace of a seat\n"
        "coursenet-net seat start|stop SEAT       nsbr@: the cable between the two\n"
        "coursenet-net test SEAT                  testnetns@: a ping from within the seat\n"
        "coursenet-net refresh courses|seats      the firewall of all that is up, anew\n"
        "coursenet-net fence [local|new]          course users outside of their seats\n"
        "coursenet-net dns [serve]                coursenet-dns: the names of all seats\n"
        "coursenet-net watch                      coursenet-network: keeps all of this as it is\n"
        "coursenet-net teardown                   for coursenetctl teardown: removes all that is in the "
        "kernel\n"
        "coursenet-net check                      for coursenetctl check: what is up, against the plan\n";

/* NULL: no such command. *ret_id is then untouched. */
static const struct command *find_command(int argc, char **argv, const char **ret_id) {
        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                const struct command *command = &commands[i];
                int n = command->verb ? 2 : 1;

                if (argc != n + (command->takes_id ? 2 : 1) || !string_equal(argv[1], command->object) ||
                        (command->verb && !string_equal(argv[2], command->verb)))
                        continue;
                *ret_id = argv[n + 1]; /* NULL without one */
                return command;
        }
        return NULL;
}

/* Findings are the result here, and go where coursenetctl reads them. */
static int run_check(void) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        int r;

        r = inspect(ETC_DIRECTORY, &diagnostics);
        if (finding_lines_write(stdout, &diagnostics) < 0)
                return EXIT_FAILURE;
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* READY=1 lets systemd go on before it has dealt with the end of this process; which comes when systemd has
 * read it. */
static int say_done(void) {
        int r = notify_send("READY=1");
        int heard = r < 0 ? r : notify_wait(NOTIFY_PATIENCE_MS);

        if (heard < 0)
                message_warning("systemd cannot be told that this is done: %s", strerror(-heard));
        return r;
}

static bool is_help(const char *word) {
        return string_equal(word, "-h") || string_equal(word, "--help") || string_equal(word, "help");
}

int main(int argc, char **argv) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        const struct command *command;
        const char *id = NULL;
        int r;

        if (argc == 2 && is_help(argv[1])) {
                (void)fputs(usage, stdout);
                return EXIT_SUCCESS;
        }
        if (argc == 2 && string_equal(argv[1], "check"))
                return run_check();
        command = find_command(argc, argv, &id);
        if (!command) {
                (void)fputs(usage, stderr);
                return EXIT_USAGE;
        }

        r = command->run(id, &diagnostics);
        message_print_diagnostics(&diagnostics);
        if (r >= 0 && command->notifies)
                r = say_done();
        return r < 0 ? EXIT_FAILURE : r;
}

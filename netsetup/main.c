/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-net: the short privileged steps of the units netbr@, netns@, nsbr@ and testnetns@. This file is
 * the only place that prints.
 */

#include <inttypes.h>
#include <sys/stat.h>

#include "bridge.h"
#include "finding-line.h"
#include "inspect.h"
#include "netns.h"
#include "ping.h"
#include "seat.h"

#define ETC_DIRECTORY "/etc/coursenet"

enum {
        EXIT_USAGE = 2,
};

/* Starts and stops share a form: what is wanted, and where to say what went wrong. */
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

static const struct command {
        const char *object;
        const char *verb; /* NULL: the object is the whole command */
        command_run_t run;
} commands[] = {
        {"bridge", "start", run_bridge_start},
        {"bridge", "stop", run_bridge_stop},
        {"netns", "start", run_netns_start},
        {"netns", "stop", run_netns_stop},
        {"seat", "start", run_seat_start},
        {"seat", "stop", seat_stop},
        {"test", NULL, run_test},
};

static const char usage[] =
        "coursenet-net bridge start|stop COURSE   netbr@: the bridge of a course\n"
        "coursenet-net netns start|stop SEAT      netns@: the network namespace of a seat\n"
        "coursenet-net seat start|stop SEAT       nsbr@: the cable between the two\n"
        "coursenet-net test SEAT                  testnetns@: a ping from within the seat\n"
        "coursenet-net check                      for coursenetctl check: what is up, against the plan\n";

/* NULL: no such command. *ret_id is then untouched. */
static command_run_t find_command(int argc, char **argv, const char **ret_id) {
        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                const struct command *command = &commands[i];
                int n = command->verb ? 2 : 1;

                if (argc != n + 2 || !string_equal(argv[1], command->object) ||
                        (command->verb && !string_equal(argv[2], command->verb)))
                        continue;
                *ret_id = argv[n + 1];
                return command->run;
        }
        return NULL;
}

/* JOURNAL_STREAM is inherited by whatever a service starts: it holds only for the file that it names. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        uintmax_t device, inode;
        struct stat st;

        return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
               st.st_dev == device && st.st_ino == inode;
}

static void print_diagnostics(const struct diagnostics *diagnostics) {
        bool journal = stderr_is_journal();
        char text[1024];

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                const struct diagnostic *item = &diagnostics->items[i];
                const char *level = item->level == DIAGNOSTIC_WARNING ? "<4>" : "<3>";

                diagnostic_format(item, text, sizeof(text));
                (void)fprintf(stderr, "%s%s\n", journal ? level : "", text);
        }
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

int main(int argc, char **argv) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        const char *id = NULL;
        command_run_t run;
        int r;

        if (argc == 2 && string_equal(argv[1], "--help")) {
                (void)fputs(usage, stdout);
                return EXIT_SUCCESS;
        }
        if (argc == 2 && string_equal(argv[1], "check"))
                return run_check();
        run = find_command(argc, argv, &id);
        if (!run) {
                (void)fputs(usage, stderr);
                return EXIT_USAGE;
        }

        r = run(id, &diagnostics);
        print_diagnostics(&diagnostics);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

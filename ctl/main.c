/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* coursenetctl: finds the subcommand and runs it. What each does stands in its own file. */

#include "command.h"
#include "message.h"
#include "protocol.h"

static const struct paths system_paths = {
        .etc = "/etc/coursenet",
        .pam = "/etc/pam.d",
        .activator_socket = ACTIVATOR_SOCKET,
        .query_socket = QUERY_SOCKET,
        .net = LIBEXEC_DIRECTORY "/coursenet-net",
        .dnsmasq = "/usr/sbin/dnsmasq",
        .proc = "/proc",
};

static const struct command {
        const char *name;
        int (*run)(const struct paths *paths, int argc, char **argv);
        const char *synopsis, *summary;
} commands[] = {
        {"status", status_command, "status [--json] [COURSE|SEAT|USER]",
                "which seats are up, who holds them"},
        {"seat", seat_command, "seat [--json] USER", "the seat that a user has, computed"},
        {"check", check_command, "check", "what is wrong with the configuration"},
        {"history", history_command, "history [--at TIME] [ADDRESS|SEAT|USER]", "who had which address when"},
        {"start", start_command, "start COURSE|SEAT|USER", "bring seats up and hold them"},
        {"stop", stop_command, "stop COURSE|SEAT|USER", "end every lease of seats"},
        {"roster", roster_command, "roster list|add|remove|import ...", "who sits where in a course"},
};

static void print_usage(FILE *stream) {
        (void)fputs("Usage: coursenetctl COMMAND ...\n\n", stream);
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                (void)fprintf(stream, "  %-39s %s\n", commands[i].synopsis, commands[i].summary);
        (void)fputs("\n"
                    "  --help     this text; behind a command: what that command does\n"
                    "  --version  the version of coursenet\n"
                    "\n"
                    "Exit codes: 0 done; 1 no; 2 usage; 3 the activator cannot be reached. See "
                    "coursenetctl(8).\n",
                stream);
}

static int run(int argc, char **argv) {
        if (argc < 2) {
                print_usage(stderr);
                return EXIT_USAGE;
        }
        if (string_equal(argv[1], "--help")) {
                print_usage(stdout);
                return EXIT_DONE;
        }
        if (string_equal(argv[1], "--version")) {
                (void)puts("coursenet " COURSENET_VERSION);
                return EXIT_DONE;
        }

        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                if (string_equal(argv[1], commands[i].name))
                        return commands[i].run(&system_paths, argc - 1, argv + 1);

        complain("There is no command '%s'.", argv[1]);
        print_usage(stderr);
        return EXIT_USAGE;
}

int main(int argc, char **argv) {
        int r = run(argc, argv);

        /* What did not reach its reader was not done: a full disk, a closed pipe. */
        if (fflush(stdout) != 0 || ferror(stdout)) {
                complain("The output could not be written: %m");
                return EXIT_NO;
        }
        return r;
}

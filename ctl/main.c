/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* coursenetctl: finds the subcommand and runs it. Each subcommand is in a file of its own. */

#include "base/arguments.h"
#include "base/complain.h"
#include "base/terminal.h"
#include "command-table.h"
#include "complete-command.h"
#include "for-peer.h"
#include "hosts-protocol.h"
#include "protocol.h"
#include "version.h"

static const struct paths system_paths = {
        .etc = "/etc/coursenet",
        .pam = "/etc/pam.d",
        .activator_socket = ACTIVATOR_SOCKET,
        .query_socket = QUERY_SOCKET,
        .hosts_socket = HOSTS_SOCKET,
        .net = LIBEXEC_DIRECTORY "/coursenet-net",
        .host = LIBEXEC_DIRECTORY "/coursenet-host",
        .calendar = LIBEXEC_DIRECTORY "/coursenet-calendar",
        .dnsmasq = "/usr/sbin/dnsmasq",
        .enter = BIN_DIRECTORY "/coursenet-enter",
        .proc = "/proc",
        .state = "/var/lib/coursenet",
        .logs = true,
};

static void print_usage(FILE *stream) {
        const struct command *command;

        (void)fputs("Usage: coursenetctl COMMAND ...\n\n", stream);
        for (size_t i = 0; (command = command_table_get(i)); i++)
                (void)fprintf(stream, "  %-50s %s\n", command->synopsis, command->summary);
        (void)fputs(
                "\n"
                "  --help     this text; after a command: help for that command (also: help COMMAND)\n"
                "  --version  the version of coursenet\n"
                "\n"
                "Exit codes: 0 done; 1 failed, refused or not found; 2 usage;\n"
                "            3 the activator or coursenet-hosts cannot be reached. See coursenetctl(8).\n",
                stream);
}

static int refuse(const char *name) {
        complain("There is no command '%s'.", name);
        print_usage(stderr);
        return EXIT_USAGE;
}

/* "help", "help COMMAND" and "help roster import". */
static int help(int argc, char **argv) {
        const struct command *command = argc > 1 ? command_table_find(argv[1]) : NULL;
        char *words[] = {
                argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : (char[]){"--help"}, (char[]){"--help"}, NULL};

        if (argc > 1 && !command)
                return refuse(argv[1]);
        if (command)
                return command->run(&system_paths, argc > 2 ? 3 : 2, words);
        print_usage(stdout);
        return EXIT_DONE;
}

static int run(int argc, char **argv) {
        const struct command *command;

        if (argc < 2) {
                print_usage(stderr);
                return EXIT_USAGE;
        }
        if (argument_is_help(argv[1]))
                return help(argc - 1, argv + 1);
        if (string_equal(argv[1], "--version")) {
                (void)puts("coursenet " COURSENET_VERSION);
                return EXIT_DONE;
        }
        /* Not listed, because only the activator runs it. */
        if (string_equal(argv[1], REPORT_COMMAND))
                return for_peer_command(&system_paths, argc - 1, argv + 1);
        /* Nor this, which only the shells run. */
        if (string_equal(argv[1], COMPLETE_COMMAND))
                return complete_command(&system_paths, argc - 1, argv + 1);
        command = command_table_find(argv[1]);
        return command ? command->run(&system_paths, argc - 1, argv + 1) : refuse(argv[1]);
}

int main(int argc, char **argv) {
        int r = run(argc, argv);

        bool written;

        /* Output that was not written, to a full disk or a closed pipe, is a failure. */
        written = fflush(stdout) == 0 && !ferror(stdout);
        if (!written)
                complain("The output could not be written: %m");
        terminal_close_pager();
        return written ? r : EXIT_NO;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-hosts: for the members of [hosts], says which of them may have a seat live. It alone talks to the
 * store, and tells the other programs of this member through HOSTS_SOCKET and the files of HOSTS_DIRECTORY.
 */

#include "daemon.h"
#include "exam.h"
#include "run-files.h"

static const char usage_text[] = "usage: coursenet-hosts\n";

int main(int argc, char **argv) {
        const struct daemon_paths paths = {
                .etc = "/etc/coursenet",
                .state = STATE_DIRECTORY,
                .root = HOSTS_DIRECTORY,
                .socket = HOSTS_SOCKET,
        };

        if (argc == 2 && (string_equal(argv[1], "--help") || string_equal(argv[1], "-h") ||
                                 string_equal(argv[1], "help"))) {
                (void)fputs(usage_text, stdout);
                return EXIT_SUCCESS;
        }
        if (argc > 1) {
                (void)fputs(usage_text, stderr);
                return 2;
        }
        return daemon_run(&paths) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

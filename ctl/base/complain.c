/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sentences that several subcommands need. */

#include "complain.h"

int complain_of_activator(const char *socket, int error) {
        if (error == -EACCES || error == -EPERM) {
                complain("You have no right to ask the activator for this (%s: %s). Run the command as root.",
                        socket, strerror(-error));
                return EXIT_NO;
        }
        complain("The activator cannot be reached (%s: %s). Is it enabled? See: systemctl status "
                 "coursenet-activator.socket coursenet-query.socket coursenet-activator.service",
                socket, strerror(-error));
        return EXIT_UNREACHABLE;
}

const char *plural(size_t n) {
        return n == 1 ? "" : "s";
}

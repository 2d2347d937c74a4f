/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Scripts rely on these; what the command ends with comes through as it is. */
enum exit_code {
        EXIT_NO = 1, /* no seat, no container, no right to go there */
        EXIT_USAGE = 2,
        EXIT_UNREACHABLE = 3, /* the activator does not answer */
        EXIT_CANNOT_RUN = 126,
        EXIT_NOT_FOUND = 127,
};

/* All of coursenet-enter. Becomes the command, or says on stderr why not and returns an exit code. */
int enter(int argc, char **argv);

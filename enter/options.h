/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line. */

#include "util.h"

struct options {
        bool help;
        bool seat_only;     /* --seat */
        bool login;         /* called as a login shell: its name begins with "-" */
        const char *script; /* -c, as a shell has it; NULL: none. Borrowed from argv, as is command */
        char **command;     /* NULL: none, so a shell; never empty */
};

/* -EINVAL if the arguments make no sense; *ret_reason then says why, as a static sentence. */
int options_parse(int argc, char **argv, struct options *ret, const char **ret_reason);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options and sentences of coursenet-capture. */

#include "console.h"

/* "coursenet-capture: TEXT" and a newline on stderr. */
#define complain(...) console_complain("coursenet-capture", __VA_ARGS__)

struct command_line {
        bool help;
        const char *seat; /* or its user; NULL: one's own. Borrowed from argv, like the next one */
        char **filter;    /* the words of the filter, which end with NULL; NULL: none */
        unsigned snaplen;
};

/* -EINVAL if the arguments are wrong; *ret_reason then says why, as a static sentence. */
int command_line_parse(int argc, char **argv, struct command_line *ret, const char **ret_reason);

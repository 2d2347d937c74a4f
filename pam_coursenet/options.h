/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options of pam_coursenet.so on a line of pam.d; see pam_coursenet(8). */

#include "name-rule.h"

#define TIMEOUT_SECONDS_DEFAULT 20U
#define TIMEOUT_SECONDS_MAX 300U

enum wait {
        WAIT_NETWORK,   /* until the seat's network is up */
        WAIT_CONTAINER, /* until its container runs, too */
        WAIT_NONE,
};

struct options {
        struct name_rule rule; /* only if rule_usable */
        bool rule_usable;      /* false: course users cannot be distinguished from other users */
        bool join;
        bool debug;
        enum wait wait;
        unsigned timeout_seconds;
        const char *wrong;  /* the first word that cannot be used; NULL: all can. Borrowed from argv */
        const char *reason; /* why not; static */
};

/*
 * Parses all options, even if some are wrong, because a session that cannot be opened may still have to be
 * closed. Allocates no memory and does no I/O, because every login on the machine runs this. The last one of
 * a repeated option counts.
 */
void options_parse(int argc, const char *const argv[], struct options *ret);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* This process' capabilities: the one that setns() needs, and none. */

#include "util.h"

/* Makes CAP_SYS_ADMIN effective, and nothing else. -EPERM: it is not permitted. */
int capability_raise(void);

/* Empties all sets but the bounding set, and sees that they are empty. */
int capability_drop_all(void);

/* What may keep a program with a file capability from having it. */
struct capability_facts {
        bool no_new_privileges;
        bool bounded;        /* the bounding set lacks it */
        bool traced;         /* by strace or a debugger */
        bool user_namespace; /* not the machine's own */
        bool nosuid;         /* the file system is mounted so */
        bool file_has_none;  /* the file was never given it */
};

/* True if this process is in a user namespace other than the machine's. */
bool capability_in_user_namespace(void);

void capability_look(struct capability_facts *ret);

/* Why there is no capability and what helps, as a static clause; pure. */
const char *capability_explain(const struct capability_facts *facts);

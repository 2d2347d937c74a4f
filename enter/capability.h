/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The capabilities of this process: CAP_SYS_ADMIN for setns(), then none. */

#include "util.h"

/* Makes CAP_SYS_ADMIN effective, and nothing else. -EPERM: it is not permitted. */
int capability_raise(void);

/* Empties all sets except the bounding set, and checks that they are empty. -EPERM if they are not. */
int capability_drop_all(void);

/* What may prevent a program from getting its file capability. */
struct capability_facts {
        bool no_new_privileges;
        bool bounded;        /* the bounding set lacks it */
        bool traced;         /* by strace or a debugger */
        bool user_namespace; /* not the host's */
        bool nosuid;         /* the file system is mounted so */
        bool file_has_none;  /* the file has no capability */
};

/* True if this process is in a user namespace other than the host's. */
bool capability_in_user_namespace(void);

void capability_look(struct capability_facts *ret);

/* Explains why there is no capability and what helps, as a static clause; pure. */
const char *capability_explain(const struct capability_facts *facts);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One call into the module: whose login it is, and how to speak about it. The user gets one plain sentence,
 * the log gets the reason and where to look.
 */

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "options.h"

/* Everything is borrowed from libpam's caller for the time of the call. */
struct login {
        pam_handle_t *pamh;
        int flags; /* of the call: PAM_SILENT */
        const struct options *options;
        const char *user;
        const char *service;
        const char *account; /* LOGIN_RESEMBLES: whom the user database has found by the name; NULL: the name
                                says it itself */
        char course[COURSE_SIZE];
};

enum login_owner {
        LOGIN_UNCLEAR,   /* nobody can say: denied */
        LOGIN_RESEMBLES, /* it may be a course user's by another name: denied, too */
        LOGIN_OTHERS,    /* none of our business */
        LOGIN_STUDENT,   /* the rule matches; login->course is set */
};

enum sentence {
        SENTENCE_FAILED,
        SENTENCE_NO_SEAT,
        SENTENCE_SLOW,
};

/* Looks, without any I/O or memory, whose session this is. */
enum login_owner login_init(struct login *ret, pam_handle_t *pamh, int flags, const struct options *options);

/* Logs what failed and tells the user the sentence. Returns error, a negative errno, to be passed on. */
int login_deny(const struct login *login, int error, enum sentence sentence, const char *format, ...)
        _printf_(4, 5);

/* The same for a name that can be no course user's, and must not pass for anybody else's: why, for both. */
int login_deny_name(const struct login *login, const char *reason);

/* Only with the option debug. */
void login_debug(const struct login *login, const char *format, ...) _printf_(2, 3);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One call into the module: whose login it is, and how to report about it. The user gets one plain sentence;
 * the log gets the reason and what to look at.
 */

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "options.h"
#include "refusal.h"

/* Everything is borrowed from libpam's caller during the call. */
struct login {
        pam_handle_t *pamh;
        int flags; /* of the call: PAM_SILENT */
        const struct options *options;
        const char *user;
        const char *service;
        const char *account; /* LOGIN_RESEMBLES: the account that the user database found by the name; NULL:
                                the name itself resembles one */
        char course[COURSE_SIZE];
};

enum login_owner {
        LOGIN_UNCLEAR,   /* it cannot be found out: denied */
        LOGIN_RESEMBLES, /* it may be a course user's, by another name: denied, too */
        LOGIN_OTHERS,    /* of a user who is not a course user: ignored */
        LOGIN_STUDENT,   /* the rule matches; login->course is set */
};

enum sentence {
        SENTENCE_FAILED,
        SENTENCE_NO_SEAT,
        SENTENCE_SLOW,
        SENTENCE_TOLD, /* the text itself */
};

/* Finds out whose session this is, without I/O and without allocating memory. */
enum login_owner login_init(struct login *ret, pam_handle_t *pamh, int flags, const struct options *options);

/* Logs what failed and shows the user the sentence. Returns error, a negative errno, for the caller to
 * return. */
int login_deny(const struct login *login, int error, enum refusal reason, enum sentence sentence,
        const char *format, ...) _printf_(5, 6);

/* The same for a name that resembles a course user's but cannot be one. The log and the user are both told
 * why. */
int login_deny_name(const struct login *login, enum refusal reason, const char *why);

/* Only with the option debug. */
void login_debug(const struct login *login, const char *format, ...) _printf_(2, 3);

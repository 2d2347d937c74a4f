/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which columns of a class list may hold logins, by their headings. Headings are compared without capitals,
 * blanks, dashes, underscores and dots, so that "E-Mail-Adresse", "Email address" and "login_id" need no
 * spellings of their own.
 */

#include <stddef.h>

/* What a heading promises, the best last. A better column is taken without a look at a worse one. */
enum login_column {
        LOGIN_COLUMN_NONE,
        LOGIN_COLUMN_ID,   /* often a number that no account is named by */
        LOGIN_COLUMN_MAIL, /* what stands before the "@" is usually a login */
        LOGIN_COLUMN_LOGIN,
        LOGIN_COLUMN_SIS, /* Canvas's own, which stands in each of its exports */
};

/* wanted is the name that the admin gave, or NULL; only that column is LOGIN_COLUMN_LOGIN then. */
enum login_column login_column_kind(const char *heading, const char *wanted);

/* For messages: the headings that one is likely to have. */
#define LOGIN_COLUMN_EXAMPLES "'SIS Login ID', 'Username', 'Login' or 'Email address'"

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Finds the columns of a class list that may hold logins, by their headings. Upper and lower case, blanks,
 * dashes, underscores and dots are ignored, so that "E-Mail-Adresse" and "Email address" are in the list
 * once.
 */

#include <stddef.h>

/* How likely a column holds logins, the best kind last. The best kind in a table wins. */
enum login_column {
        LOGIN_COLUMN_NONE,
        LOGIN_COLUMN_ID,   /* often a number, and no account has that name */
        LOGIN_COLUMN_MAIL, /* the part before the "@" is usually a login */
        LOGIN_COLUMN_LOGIN,
        LOGIN_COLUMN_SIS, /* of Canvas, in each of its exports */
};

/* wanted is the heading that the administrator gave, or NULL. With one, only that column is
 * LOGIN_COLUMN_LOGIN. */
enum login_column login_column_kind(const char *heading, const char *wanted);

/* For messages: common headings. */
#define LOGIN_COLUMN_EXAMPLES "'SIS Login ID', 'Username', 'Login' or 'Email address'"

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who is behind a process of root. */

#include <sys/types.h>

#include "util.h"

/*
 * The user who logged in, and whose login this process belongs to, whatever programs such as sudo(8) have
 * changed since. The kernel keeps it for each process: /proc/self/loginuid. Without such a login, or on a
 * kernel without audit: the user whom sudo names, who is not proven. False: neither is known, such as in a
 * unit.
 */
bool login_uid_find(const char *proc, uid_t *ret);

#define LOGIN_USER_SIZE 64U

/* The same with the account's name, which is empty if there is no account. */
bool login_user_find(const char *proc, uid_t *ret_uid, char ret_name[static LOGIN_USER_SIZE]);

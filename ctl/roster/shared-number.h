/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The seat numbers that several servers share: coursenet-hosts keeps them in the store of [hosts]. */

#include "protocol.h"

/* Returns a connection that the caller closes. Negative errno: coursenet-hosts cannot be reached. */
int shared_number_connect(const char *socket_path);

/*
 * The number of the user's seat. A user who has none gets the first that nobody has, from number on. Negative
 * errno, with a sentence in ret_reason.
 */
int shared_number_ask(int fd, const char *course, const char *user, unsigned number, unsigned *ret,
        char ret_reason[static REPLY_TEXT_SIZE]);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks coursenet-hosts one thing and waits for the answer. */

#include "hosts-protocol.h"

/*
 * Sends the request over a connection of its own. ret_fd: what came along, which the caller closes, or -1.
 * -ETIMEDOUT; -ECONNRESET if the daemon hung up; -EBADMSG or -EPROTO for a message that is no answer to this
 * request; otherwise connect()'s errno.
 */
int hosts_call(const char *path, const struct hosts_request *request, struct hosts_reply *ret, int *ret_fd);

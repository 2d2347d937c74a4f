/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks the activator for a capture. */

/*
 * Returns EXIT_DONE, and *ret_fd is a connection to the server that the caller closes; or another exit code,
 * after a message. seat: of one's own seat if it is NULL.
 */
int server_connection_open(const char *seat, int *ret_fd);

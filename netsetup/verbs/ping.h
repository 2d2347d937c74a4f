/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a seat's network works: what testnetns@.service runs, inside the seat's namespace. */

#include <stdint.h>

#include "diagnostics.h"
#include "settings.h"

#define PING_COUNT 3U

struct ping_report {
        char text[HOST_NAME_SIZE + 128U]; /* one line, without the newline */
        unsigned n_received;              /* of PING_COUNT */
};

/*
 * Pings the seat's test host, or its gateway if there is none, and writes a line with the result and the
 * address that the seat has now. No answer is a result and not an error. Negative errno, with an error in
 * diagnostics, if no ping could be sent.
 */
int ping_test(const char *etc, const char *seat, struct ping_report *ret, struct diagnostics *diagnostics);

/* Sends PING_COUNT echo requests to ip (host byte order) and counts the answers. */
int ping_host(uint32_t ip, unsigned *ret_received);

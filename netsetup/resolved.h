/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemd-resolved. Where the host resolves with libnss-resolve, a process in a seat asks the host's resolved
 * over a Unix socket, which no namespace cuts; so resolved itself is told to ask our name service about the
 * courses' domains, and about nothing else.
 */

#include "site.h"

#define RESOLVED_SOCKET "/run/systemd/resolve/io.systemd.Resolve"

bool resolved_is_running(void);

/* Tells it about each course whose bridge is up and that it does not know yet. */
void resolved_update(const struct site *site, struct diagnostics *diagnostics);

/* Takes back what it was told of our bridges. */
void resolved_forget(struct diagnostics *diagnostics);

/* Whether a link's record of resolved's, as text, has this domain routed to the link, and a server for it. */
bool resolved_record_has(const char *record, const char *domain);

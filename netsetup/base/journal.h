/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages to the journal without stdout or stderr. */

#include "journal-message.h"

/*
 * The name of the unit in whose control group the process is, from the text of /proc/self/cgroup. False: in
 * none.
 */
bool journal_parse_unit(const char *cgroup, char *ret, size_t size);

/*
 * One line, of the unit that this process belongs to. priority: as in syslog(3). 0 or negative errno.
 * `journalctl -u` and `systemctl status` show the line, also if journald reads it after the end of this
 * process.
 */
int journal_send(const char *socket_path, int priority, const char *text);

/* The same, with a MESSAGE_ID of message-id.h. */
int journal_send_id(const char *socket_path, int priority, const char *id, const char *text);

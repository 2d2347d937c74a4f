/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An entry for the journal, by systemd's native protocol, as sd_journal_send(3) speaks it. It does without
 * libsystemd: its loading would take longer than most of what coursenet-net does, and the module must not
 * bring it into other programs.
 */

#include "util.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct journal_field {
        const char *name, *value;
};

/* Sends the fields as one entry of this process and its effective user. 0 or negative errno. */
int journal_message_send(const char *socket_path, const struct journal_field *fields, size_t n_fields);

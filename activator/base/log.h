/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The log: messages go to stderr with systemd's priority prefix (sd-daemon(3)), and so into the journal. */

#include <systemd/sd-daemon.h>

#include "diagnostics.h"
#include "message-id.h"
#include "refusal.h"
#include "util.h"

void log_message(const char *priority, const char *format, ...) _printf_(2, 3);

/*
 * The same with an id, one of message-id.h. Without the journal, as in tests, it goes to stderr like the
 * others.
 */
void log_explained(const char *id, const char *priority, const char *format, ...) _printf_(3, 4);

/* That a login, or a hold, gets no seat: an error with the fields that coursenetctl metrics counts. */
void log_refusal(enum refusal reason, const char *text);

#define log_error(...) log_message(SD_ERR, __VA_ARGS__)
#define log_warning(...) log_message(SD_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(SD_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(SD_INFO, __VA_ARGS__)

/* Logs every finding in the configuration, with file and line. */
void log_diagnostics(const struct diagnostics *diagnostics);

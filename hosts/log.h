/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The log: lines on stderr with systemd's priority prefix (sd-daemon(3)), and so in the journal. */

#include <systemd/sd-daemon.h>

#include "diagnostics.h"

void log_message(const char *priority, const char *format, ...) _printf_(2, 3);

#define log_error(...) log_message(SD_ERR, __VA_ARGS__)
#define log_warning(...) log_message(SD_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(SD_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(SD_INFO, __VA_ARGS__)

/* Each finding in the configuration, with file and line. */
void log_diagnostics(const struct diagnostics *diagnostics);

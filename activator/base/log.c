/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The activator logs through this file, except the events of leases, which have journal fields: lease-log.c.
 */

#include <stdarg.h>
#include <systemd/sd-journal.h>

#include "log.h"

static void print(const char *priority, const char *text) {
        (void)fprintf(stderr, "%s%s\n", priority, text);
}

void log_message(const char *priority, const char *format, ...) {
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        print(priority, text);
}

/* reason: NULL, or of a refusal. */
static void send_explained(const char *id, const char *priority, const char *reason, const char *text) {
        /* systemd sets the variable if stderr is connected to the journal. A priority is "<3>". */
        if (!getenv("JOURNAL_STREAM") ||
                sd_journal_send("MESSAGE=%s", text, "MESSAGE_ID=%s", id, "PRIORITY=%c", priority[1],
                        reason ? "COURSENET_REASON=%s" : NULL, reason, NULL) < 0)
                print(priority, text);
}

void log_refusal(enum refusal reason, const char *text) {
        send_explained(MESSAGE_REFUSED, SD_ERR, refusal_text(reason), text);
}

void log_explained(const char *id, const char *priority, const char *format, ...) {
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        send_explained(id, priority, NULL, text);
}

void log_diagnostics(const struct diagnostics *diagnostics) {
        char text[1024];

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                diagnostic_format(&diagnostics->items[i], text, sizeof(text));
                log_explained(MESSAGE_CONFIGURATION,
                        diagnostics->items[i].level == DIAGNOSTIC_ERROR ? SD_ERR : SD_WARNING, "%s", text);
        }
}

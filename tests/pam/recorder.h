/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Records what the user sees and what the log gets. libpam calls syslog(), and the test program's own
 * syslog() replaces libc's, so that nothing reaches the machine's log. So <syslog.h> must not be included
 * here.
 */

#include <stdarg.h>

#include <security/pam_appl.h>

#include "util.h"

#define PRIORITY_MASK 7
#define PRIORITY_ERR 3
#define PRIORITY_DEBUG 7

static struct recorder {
        unsigned n_sentences;
        char sentence[512]; /* the last */
        unsigned n_questions;
        unsigned n_errors, n_debug;
        char log[4096]; /* all lines */
} recorder;

static inline void recorder_reset(void) {
        memset(&recorder, 0, sizeof(recorder));
}

static inline void _printf_(2, 0) record_line(int priority, const char *format, va_list arguments) {
        size_t used = strlen(recorder.log);

        if ((priority & PRIORITY_MASK) == PRIORITY_ERR)
                recorder.n_errors++;
        if ((priority & PRIORITY_MASK) == PRIORITY_DEBUG)
                recorder.n_debug++;
        (void)vsnprintf(recorder.log + used, sizeof(recorder.log) - used, format, arguments);
        used = strlen(recorder.log);
        (void)snprintf(recorder.log + used, sizeof(recorder.log) - used, "\n");
}

void syslog(int priority, const char *format, ...)
        __attribute__((visibility("default"), format(printf, 2, 3)));
void __syslog_chk(int priority, int flag, const char *format, ...)
        __attribute__((visibility("default"), format(printf, 3, 4)));

void syslog(int priority, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        record_line(priority, format, arguments);
        va_end(arguments);
}

void __syslog_chk(int priority, int flag, const char *format, ...) {
        va_list arguments;

        (void)flag;
        va_start(arguments, format);
        record_line(priority, format, arguments);
        va_end(arguments);
}

static inline int recorder_converse(
        int n, const struct pam_message **messages, struct pam_response **responses, void *data) {
        (void)data;
        for (int i = 0; i < n; i++) {
                if (messages[i]->msg_style != PAM_ERROR_MSG) {
                        recorder.n_questions++;
                        continue;
                }
                recorder.n_sentences++;
                (void)snprintf(recorder.sentence, sizeof(recorder.sentence), "%s", messages[i]->msg);
        }
        *responses = calloc((size_t)n, sizeof(**responses));
        return *responses ? PAM_SUCCESS : PAM_BUF_ERR;
}

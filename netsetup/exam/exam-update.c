/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules come first, and do not wait for a name server. */

#include <syslog.h>
#include <time.h>

#include "base/failure.h"
#include "base/journal.h"
#include "base/runtime-file.h"
#include "exam-names.h"
#include "exam-update.h"
#include "firewall/course-rules.h"
#include "message-id.h"

#define FOLDER STATE_DIRECTORY "/" EXAM_DIRECTORY

/* Also how late an exam ends when the clock has been set. */
#define AGAIN_AFTER_SECONDS 60U

static uint64_t now_seconds(void) {
        return (uint64_t)time(NULL);
}

/* For the watch and for `coursenetctl exam`, which may run this at the same time. */
static int lock(int *ret_fd, struct diagnostics *diagnostics) {
        int r;

        r = runtime_directory_make(RUN_DIRECTORY "/dns", 0700);
        if (r >= 0)
                r = runtime_directory_make(EXAM_HOSTS_DIRECTORY, 0755);
        if (r >= 0)
                r = runtime_lock_take(RUN_DIRECTORY "/exam.lock", ret_fd);
        return r < 0 ? failure(diagnostics, EXAM_HOSTS_DIRECTORY, r, "cannot be made or locked") : 0;
}

static void log_end(const struct exam *exam) {
        char text[256];

        (void)snprintf(text, sizeof(text), "The exam of course %s has ended, as it was planned by %s",
                exam->course, exam->by[0] ? exam->by : "somebody");
        (void)journal_send_id(JOURNAL_SOCKET, LOG_NOTICE, MESSAGE_EXAM_END, text);
}

/* Removes those whose end is past. They count as absent already. */
static int expire(struct exams *exams, struct diagnostics *diagnostics) {
        uint64_t now = now_seconds();
        size_t n = 0;

        for (size_t i = 0; i < exams->n_items; i++) {
                struct exam *exam = &exams->items[i];
                char path[sizeof(FOLDER "/") + COURSE_SIZE];

                if (exam->until == 0 || exam->until > now) {
                        exams->items[n++] = *exam;
                        continue;
                }
                (void)snprintf(path, sizeof(path), FOLDER "/%s", exam->course);
                if (unlink(path) >= 0)
                        log_end(exam);
                else if (errno != ENOENT)
                        return failure(diagnostics, path, -errno, "cannot be removed");
        }
        exams->n_items = n;
        return 0;
}

int exam_update(const char *etc, struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics said = {0};
        _cleanup_exams_ struct exams exams = {0};
        _cleanup_close_ int fd = -1;
        int r;

        r = lock(&fd, diagnostics);
        if (r < 0)
                return r;
        /* The firewall reports mistakes in the files. */
        r = exams_load(STATE_DIRECTORY, 0, &exams, &said);
        if (r < 0)
                return failure(diagnostics, FOLDER, r, "cannot be read");
        r = expire(&exams, diagnostics);
        if (r >= 0)
                r = course_rules_refresh(etc, diagnostics);
        if (r >= 0)
                r = exam_names_update(&exams, diagnostics);
        return r > 0 ? course_rules_refresh(etc, diagnostics) : r;
}

uint64_t exam_update_after(void) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_exams_ struct exams exams = {0};
        uint64_t now = now_seconds(), after = AGAIN_AFTER_SECONDS;

        if (exams_load(STATE_DIRECTORY, 0, &exams, &ignored) < 0)
                return after;
        if (exams.n_items == 0)
                return UINT64_MAX;
        for (size_t i = 0; i < exams.n_items; i++) {
                uint64_t until = exams.items[i].until;

                /* It has ended just now, or cannot be removed. */
                if (until > 0 && until <= now)
                        return 1;
                if (until > 0 && until - now < after)
                        after = until - now;
        }
        return after;
}

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

/* Which exams by schedule were on at the last run, a line each. */
#define SCHEDULED_FILE RUN_DIRECTORY "/exams-scheduled"

#define SECOND UINT64_C(1000000)

/* Also how late an exam ends when the clock has been set. */
#define AGAIN_AFTER (60U * SECOND)

/* time(2) is up to a tick of the kernel behind. */
#define TICK (SECOND / 50)

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

/* --- exams by schedule ----------------------------------------------------------------------- */

static void log_scheduled(const char *course, const char *what) {
        char text[256];

        (void)snprintf(text, sizeof(text), "The exam of course %s by schedule %s", course, what);
        (void)journal_send_id(JOURNAL_SOCKET, LOG_NOTICE, MESSAGE_EXAM_SCHEDULED, text);
}

static void log_beginning(const struct exam *exam) {
        time_t until = (time_t)exam->until;
        char text[96];
        struct tm tm;

        (void)strftime(
                text, sizeof(text), "has begun, until %a %Y-%m-%d %H:%M:%S %Z", localtime_r(&until, &tm));
        log_scheduled(exam->course, exam->until > 0 ? text : "has begun, and its file has a mistake");
}

static const struct exam *find_scheduled(const struct exams *exams, const char *course) {
        const struct exam *exam = exams_find(exams, course);

        return exam && exam->scheduled ? exam : NULL;
}

static bool has_line(const char *text, const char *line) {
        size_t length = strlen(line);

        for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
                if (strncmp(text, line, length) == 0 && text[length] == '\n')
                        return true;
        return false;
}

/* No command logs these, so their beginnings and ends are found by what was on before. */
static void log_changes(const struct exams *exams) {
        _cleanup_free_ char *former = NULL, *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        (void)runtime_file_read(SCHEDULED_FILE, &former);
        for (size_t i = 0; file && i < exams->n_items; i++) {
                if (!exams->items[i].scheduled)
                        continue;
                (void)fprintf(file, "%s\n", exams->items[i].course);
                if (!former || !has_line(former, exams->items[i].course))
                        log_beginning(&exams->items[i]);
        }
        if (!file || fclose(file) != 0)
                return;
        (void)runtime_file_write(SCHEDULED_FILE, text, 0600);
        for (char *rest = former, *line; rest && (line = strsep(&rest, "\n"));)
                if (line[0] && !find_scheduled(exams, line))
                        log_scheduled(line, "is over");
}

int exam_update(const char *etc, struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics said = {0};
        _cleanup_exams_ struct exams by_hand = {0}, exams = {0};
        _cleanup_close_ int fd = -1;
        int r;

        r = lock(&fd, diagnostics);
        if (r < 0)
                return r;
        /* The firewall reports mistakes in the files. */
        r = exams_load(STATE_DIRECTORY, 0, &by_hand, &said);
        if (r < 0)
                return failure(diagnostics, FOLDER, r, "cannot be read");
        r = expire(&by_hand, diagnostics);
        if (r < 0)
                return r;
        r = exams_load(STATE_DIRECTORY, now_seconds(), &exams, &said);
        if (r < 0)
                return failure(diagnostics, FOLDER, r, "cannot be read");
        r = course_rules_refresh(etc, diagnostics);
        if (r >= 0) {
                log_changes(&exams);
                r = exam_names_update(&exams, diagnostics);
        }
        return r > 0 ? course_rules_refresh(etc, diagnostics) : r;
}

uint64_t exam_update_after(void) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_exams_ struct exams exams = {0};
        struct timespec now;
        uint64_t after, change, now_usec;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        now_usec = (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec / 1000;
        if (exams_load(STATE_DIRECTORY, (uint64_t)now.tv_sec, &exams, &ignored) < 0)
                return AGAIN_AFTER;
        after = exams.n_items > 0 ? AGAIN_AFTER : UINT64_MAX;
        if (exams.next_change == EXAMS_NO_CHANGE)
                return after;
        change = exams.next_change * SECOND + TICK;
        /* An exam that has ended just now, or whose file cannot be removed. */
        change = change > now_usec ? change - now_usec : SECOND;
        return change < after ? change : after;
}

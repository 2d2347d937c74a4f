/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A command writes the files of the exam before the time. So an end that a crash has interrupted has no time,
 * and the other members bring the exam back: it never ends unnoticed. An exam that was begun has a time of
 * its own.
 */

#include <inttypes.h>
#include <time.h>

#include "exam-file.h"
#include "exam-state.h"
#include "number.h"
#include "trusted-file.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* Thousands of years from now, and still a number of JSON. */
#define CHANGED_DIGITS 17U
#define SINCE_MAX UINT64_C(99999999999)

/* 0: there is no time, or none that could be right. */
static uint64_t load_changed(const char *state, const char *course) {
        _cleanup_free_ char *text = NULL;
        const char *reason;
        char path[512], *end;

        (void)snprintf(path, sizeof(path), "%s/" EXAM_DIRECTORY "/%s" EXAM_CHANGED, state, course);
        if (trusted_file_read(path, &text, &reason) < 0)
                return 0;
        text[strcspn(text, "\n")] = '\0';
        if (!digits_only(text) || strlen(text) > CHANGED_DIGITS)
                return 0;
        return strtoull(text, &end, 10);
}

static int load_exam(const char *state, const char *course, uint64_t now, struct exam_state *ret) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        int r = exam_load(state, course, "", &ret->exam, &ignored);

        if (r <= 0)
                return r;
        ret->broken = ret->exam.broken;
        ret->on = ret->broken || ret->exam.until == 0 || ret->exam.until > now;
        /* Of an exam that was begun before the course was shared, or whose time is not there yet. */
        if (ret->on && ret->exam.since <= SINCE_MAX && ret->exam.since * USEC_PER_SEC > ret->changed_usec)
                ret->changed_usec = ret->exam.since * USEC_PER_SEC;
        return 0;
}

static int load_stopped(const char *state, const char *course, uint64_t now, struct exam_state *ret) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        struct exam stopped;
        int r = exam_load(state, course, EXAM_STOPPED, &stopped, &ignored);

        if (r <= 0 || stopped.broken || stopped.until <= now)
                return r < 0 ? r : 0;
        ret->stopped = stopped.until;
        (void)string_copy(ret->stopped_by, sizeof(ret->stopped_by), stopped.by);
        return 0;
}

int exam_state_load(const char *state, const char *course, uint64_t now, struct exam_state *ret) {
        int r;

        *ret = (struct exam_state){.changed_usec = load_changed(state, course)};
        (void)string_copy(ret->course, sizeof(ret->course), course);
        r = load_exam(state, course, now, ret);
        return r < 0 ? r : load_stopped(state, course, now, ret);
}

int exam_state_compare(const struct exam_state *one, const struct exam_state *other, bool *ret_same) {
        _cleanup_free_ char *text = NULL, *other_text = NULL;

        *ret_same = one->on == other->on && one->broken == other->broken && one->stopped == other->stopped;
        if (!*ret_same || !one->on || one->broken)
                return 0;
        text = exam_format(&one->exam);
        other_text = exam_format(&other->exam);
        if (!text || !other_text)
                return -ENOMEM;
        *ret_same = string_equal(text, other_text);
        return 0;
}

static int write_changed(const char *state, const char *course, uint64_t usec) {
        char text[32];

        (void)snprintf(text, sizeof(text), "%" PRIu64 "\n", usec);
        return exam_file_write_text(state, course, EXAM_CHANGED, text);
}

static int write_stopped(const char *state, const struct exam_state *exam_state) {
        struct exam stopped = {.since = exam_state->stopped, .until = exam_state->stopped};

        if (exam_state->stopped == 0)
                return exam_file_remove(state, exam_state->course, EXAM_STOPPED);
        (void)string_copy(stopped.course, sizeof(stopped.course), exam_state->course);
        (void)string_copy(stopped.by, sizeof(stopped.by), exam_state->stopped_by);
        return exam_file_write(state, &stopped, EXAM_STOPPED);
}

/* The exam first: there is no moment without one if another takes its place. */
int exam_state_write(const char *state, const struct exam_state *exam_state) {
        int r = exam_state->on ? exam_file_write(state, &exam_state->exam, "")
                               : exam_file_remove(state, exam_state->course, "");

        if (r >= 0)
                r = write_stopped(state, exam_state);
        return r < 0 ? r : write_changed(state, exam_state->course, exam_state->changed_usec);
}

/* Later than all that is known here, also if this server's clock is behind those of others. */
int exam_state_touch(const char *state, const char *course) {
        uint64_t former = load_changed(state, course), usec;
        struct timespec now = {0};

        (void)clock_gettime(CLOCK_REALTIME, &now);
        usec = (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000U;
        return write_changed(state, course, usec > former ? usec : former + 1);
}

bool exam_state_exists(const char *state, const char *course) {
        return load_changed(state, course) > 0;
}

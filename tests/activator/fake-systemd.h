/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemd as a test plays it: the functions of systemd/units.h, which the linker takes from here and not from
 * the library. What is asked of systemd is noted as text, one line a call, and answered when the test says
 * so.
 *
 *     asked("list nsbr@12310.service netns@12310.service");
 *     answer_list(0, rows, ELEMENTSOF(rows));
 */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "systemd/units.h"
#include "util.h"

#define FAKE_CALLS_MAX 32

struct bus_call {
        struct bus_call **place;
        void *userdata;
        unit_job_callback_t job;
        unit_list_callback_t list;
        unit_property_callback_t property;
        unit_done_callback_t done;
};

/* What was asked and not looked at by the test, oldest first. */
static char fake_lines[FAKE_CALLS_MAX][512];
static size_t fake_n_lines;

/* Calls that have no answer, oldest first. */
static struct bus_call *fake_pending[FAKE_CALLS_MAX];
static size_t fake_n_pending;

/* Negative errno: the next calls cannot be sent. */
static int fake_send_error;

static void _printf_(1, 2) fake_note(const char *format, ...) {
        va_list arguments;

        assert_true(fake_n_lines < FAKE_CALLS_MAX);
        va_start(arguments, format);
        (void)vsnprintf(fake_lines[fake_n_lines++], sizeof(fake_lines[0]), format, arguments);
        va_end(arguments);
}

/* The next line is this one; "": nothing more was asked. */
static void fake_check_asked(const char *line, const char *file, int line_number) {
        const char *found = fake_n_lines > 0 ? fake_lines[0] : "";

        if (strcmp(found, line) != 0) {
                print_error("systemd was asked \"%s\", not \"%s\"\n", found, line);
                _fail(file, line_number);
        }
        if (fake_n_lines > 0)
                memmove(fake_lines[0], fake_lines[1], --fake_n_lines * sizeof(fake_lines[0]));
}

#define asked(line) fake_check_asked(line, __FILE__, __LINE__)
#define asked_nothing() asked("")

static inline int fake_add_call(struct bus_call call, struct bus_call **place) {
        struct bus_call *copy;

        bus_call_drop(place);
        if (fake_send_error < 0)
                return fake_send_error;
        copy = malloc(sizeof(*copy));
        assert_non_null(copy);
        assert_true(fake_n_pending < FAKE_CALLS_MAX);
        *copy = call;
        copy->place = place;
        fake_pending[fake_n_pending++] = copy;
        *place = copy;
        return 0;
}

void bus_call_drop(struct bus_call **place) {
        struct bus_call *call = *place;

        for (size_t i = 0; call && i < fake_n_pending; i++)
                if (fake_pending[i] == call) {
                        memmove(&fake_pending[i], &fake_pending[i + 1],
                                (--fake_n_pending - i) * sizeof(fake_pending[0]));
                        break;
                }
        *place = NULL;
        free(call);
}

/* Takes the oldest call that waits for an answer. */
static inline struct bus_call fake_take(void) {
        struct bus_call call;

        assert_true(fake_n_pending > 0);
        call = *fake_pending[0];
        bus_call_drop(call.place);
        return call;
}

static inline void answer_list(int error, const struct unit_row *rows, size_t n) {
        struct bus_call call = fake_take();

        assert_non_null(call.list);
        call.list(call.userdata, error, rows, n);
}

static inline void answer_job(int error, const char *job, const char *text) {
        struct bus_call call = fake_take();

        assert_non_null(call.job);
        call.job(call.userdata, error, job, text);
}

static inline void answer_property(int error, struct unit_value value) {
        struct bus_call call = fake_take();

        assert_non_null(call.property);
        if (!value.text)
                value.text = "";
        call.property(call.userdata, error, &value);
}

static inline void answer_done(int error) {
        struct bus_call call = fake_take();

        assert_non_null(call.done);
        call.done(call.userdata, error);
}

/* --- the functions of units.h ---------------------------------------------------------------- */

static inline void fake_append(char *line, size_t size, const char *name, const char *const *units) {
        for (size_t i = 0; units && units[i]; i++) {
                size_t length = strlen(line);

                (void)snprintf(line + length, size - length, "%s%s", i == 0 ? name : ",", units[i]);
        }
}

int unit_start_transient(struct bus *bus, const struct transient_unit *unit, unit_job_callback_t callback,
        void *userdata, struct bus_call **call) {
        char line[512];

        (void)bus;
        (void)snprintf(line, sizeof(line), "start %s %s", unit->name, unit->mode);
        fake_append(line, sizeof(line), " BindsTo=", unit->binds_to);
        fake_append(line, sizeof(line), " After=", unit->after);
        fake_append(line, sizeof(line), " Wants=", unit->wants);
        fake_append(line, sizeof(line), " Requisite=", unit->requisite);
        fake_note("%s", line);
        return fake_add_call((struct bus_call){.job = callback, .userdata = userdata}, call);
}

int unit_try_restart(struct bus *bus, const char *unit) {
        (void)bus;
        fake_note("try-restart %s", unit);
        return 0;
}

int unit_stop(struct bus *bus, const char *unit, unit_job_callback_t callback, void *userdata,
        struct bus_call **call) {
        (void)bus;
        fake_note("stop %s", unit);
        return callback ? fake_add_call((struct bus_call){.job = callback, .userdata = userdata}, call)
                        : fake_send_error;
}

int unit_reset_failed(struct bus *bus, const char *unit) {
        (void)bus;
        fake_note("reset %s", unit);
        return fake_send_error;
}

int unit_kill(struct bus *bus, const char *unit) {
        (void)bus;
        fake_note("kill %s", unit);
        return fake_send_error;
}

int unit_list(struct bus *bus, const char *const *patterns, size_t n, unit_list_callback_t callback,
        void *userdata, struct bus_call **call) {
        char line[512] = "list";

        (void)bus;
        for (size_t i = 0; i < n; i++)
                (void)snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", patterns[i]);
        fake_note("%s", line);
        return fake_add_call((struct bus_call){.list = callback, .userdata = userdata}, call);
}

int unit_list_names(struct bus *bus, const char *const *names, size_t n, unit_list_callback_t callback,
        void *userdata, struct bus_call **call) {
        char line[512] = "list names";

        (void)bus;
        for (size_t i = 0; i < n; i++)
                (void)snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", names[i]);
        fake_note("%s", line);
        return fake_add_call((struct bus_call){.list = callback, .userdata = userdata}, call);
}

int unit_get_property(struct bus *bus, const char *unit, enum unit_property property,
        unit_property_callback_t callback, void *userdata, struct bus_call **call) {
        static const char *const names[] = {
                [UNIT_BINDS_TO] = "BindsTo",
                [UNIT_DROP_IN_PATHS] = "DropInPaths",
                [UNIT_NEED_DAEMON_RELOAD] = "NeedDaemonReload",
                [UNIT_INACTIVE_EXIT] = "InactiveExit",
                [UNIT_ACTIVE_EXIT] = "ActiveExit",
                [SERVICE_STATUS_TEXT] = "StatusText",
                [SERVICE_RESULT] = "Result",
        };

        (void)bus;
        fake_note("get %s %s", unit, names[property]);
        return fake_add_call((struct bus_call){.property = callback, .userdata = userdata}, call);
}

int unit_find(struct bus *bus, const char *unit, unit_job_callback_t callback, void *userdata,
        struct bus_call **call) {
        (void)bus;
        fake_note("find %s", unit);
        return fake_add_call((struct bus_call){.job = callback, .userdata = userdata}, call);
}

int unit_set_numbers(struct bus *bus, const char *unit, const struct unit_number *numbers, size_t n,
        unit_done_callback_t callback, void *userdata, struct bus_call **call) {
        char line[512];

        (void)bus;
        (void)snprintf(line, sizeof(line), "set %s", unit);
        for (size_t i = 0; i < n; i++)
                (void)snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s=%" PRIu64,
                        numbers[i].property, numbers[i].number);
        fake_note("%s", line);
        return fake_add_call((struct bus_call){.done = callback, .userdata = userdata}, call);
}

int units_reload(struct bus *bus, unit_done_callback_t callback, void *userdata, struct bus_call **call) {
        (void)bus;
        fake_note("reload");
        return fake_add_call((struct bus_call){.done = callback, .userdata = userdata}, call);
}

/* The next question is whether systemd has the unit in memory, and in which state; NULL: it does not. */
static inline void answer_unit(const char *unit, const char *state) {
        const struct unit_row row = {unit, state, 0, ""};
        char line[512];

        (void)snprintf(line, sizeof(line), "find %s", unit);
        asked(line);
        if (!state) {
                answer_job(-ENOENT, "", "");
                return;
        }
        answer_job(0, "/unit", "");
        (void)snprintf(line, sizeof(line), "list names %s", unit);
        asked(line);
        answer_list(0, &row, 1);
}

/* Call this from tear_down: everything that was asked has been looked at, and nothing waits for an answer. */
static inline void fake_systemd_done(void) {
        asked_nothing();
        assert_int_equal(fake_n_pending, 0);
        fake_send_error = 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A worker that an administrator has stopped or masked is "inactive", and is left alone. */

#include "worker-revival.h"
#include "base/log.h"
#include "systemd/units.h"
#include "util.h"

#define WORKER_UNIT "coursenet-worker.service"

static void handle_unit(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct seats *seats = userdata;

        if (error < 0 || n_rows == 0 || !string_equal(rows[0].active_state, "activating") || rows[0].job != 0)
                return;
        log_notice(
                "The restart of " WORKER_UNIT " was cancelled; the unit is stopped, and starts with the next "
                "login");
        (void)unit_stop(seats->bus, WORKER_UNIT, NULL, NULL, NULL);
}

void worker_revival_begin(void *userdata) {
        static const char *const names[] = {WORKER_UNIT};
        struct seats *seats = userdata;

        (void)unit_list_names(seats->bus, names, ELEMENTSOF(names), handle_unit, seats, &seats->worker_call);
}

void worker_revival_drop(struct seats *seats) {
        bus_call_drop(&seats->worker_call);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A worker that an administrator has stopped or masked is "inactive", and is left alone. A worker that ended
 * a moment ago looks the same as one whose restart was cancelled, until RestartSec= is over. So it is started
 * and not only stopped: nobody may ask it again for long.
 */

#include "worker-revival.h"
#include "base/log.h"
#include "systemd/units.h"
#include "util.h"

#define WORKER_UNIT "coursenet-worker.service"

static void handle_unit(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct seats *seats = userdata;

        if (error < 0 || n_rows == 0 || !string_equal(rows[0].active_state, "activating") || rows[0].job != 0)
                return;
        log_notice(WORKER_UNIT
                " has ended, and systemd has no job to restart it: the activator asks systemd to restart it");
        (void)unit_try_restart(seats->bus, WORKER_UNIT);
}

void worker_revival_begin(void *userdata) {
        static const char *const names[] = {WORKER_UNIT};
        struct seats *seats = userdata;

        (void)unit_list_names(seats->bus, names, ELEMENTSOF(names), handle_unit, seats, &seats->worker_call);
}

void worker_revival_drop(struct seats *seats) {
        bus_call_drop(&seats->worker_call);
}

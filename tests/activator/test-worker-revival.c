/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When the unit of a worker that does not answer is restarted. */

#include "fake-systemd.h"

#include "seat/worker-revival.h"

#define LIST "list names coursenet-worker.service"

static struct seats seats;

static void look(int error, const char *state, uint32_t job) {
        const struct unit_row row = {"coursenet-worker.service", state, job, job > 0 ? "restart" : ""};

        worker_revival_begin(&seats);
        asked(LIST);
        answer_list(error, &row, error < 0 ? 0 : 1);
}

static void a_unit_whose_restart_was_cancelled_is_restarted(void **state) {
        (void)state;
        look(0, "activating", 0);
        asked("try-restart coursenet-worker.service");
        asked_nothing();
}

static void every_other_unit_is_left_alone(void **state) {
        (void)state;
        look(0, "active", 0);
        look(0, "activating", 7);
        look(0, "inactive", 0);
        look(0, "failed", 0);
        look(-ETIMEDOUT, "activating", 0);
        asked_nothing();
}

static void a_question_that_is_dropped_has_no_answer(void **state) {
        (void)state;
        worker_revival_begin(&seats);
        asked(LIST);
        worker_revival_drop(&seats);
        assert_null(seats.worker_call);
        assert_int_equal(fake_n_pending, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_unit_whose_restart_was_cancelled_is_restarted),
                cmocka_unit_test(every_other_unit_is_left_alone),
                cmocka_unit_test(a_question_that_is_dropped_has_no_answer),
        };

        return cmocka_run_group_tests_name("worker-revival", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Children that may hang: how many run at once, which is next, and that a slow one is killed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "child.h"
#include "request/child-queue.h"

/* One that waits for a child: which program it is, and what was heard of it. */
struct asker {
        const char *arguments[4]; /* none: it cannot be started */
        struct child *child;
        pid_t pid;
        unsigned n_ended, n_timed_out;
        bool late, started;
        int error, status;
};

#define ENDS                                                                                                 \
        {                                                                                                    \
                .arguments = { "true" }                                                                      \
        }
#define LASTS                                                                                                \
        {                                                                                                    \
                .arguments = { "sleep", "1000" }                                                             \
        }

static int start(void *userdata, pid_t *ret_pid) {
        struct asker *asker = userdata;
        int r;

        if (!asker->arguments[0])
                return -EAGAIN;
        r = child_spawn(asker->arguments, &CHILD_INHERITS, NULL, ret_pid);
        asker->pid = r < 0 ? 0 : *ret_pid;
        return r;
}

static void ended(void *userdata, const siginfo_t *info, bool late, int error) {
        struct asker *asker = userdata;

        assert_null(asker->child);
        asker->n_ended++;
        asker->late = late;
        asker->started = info;
        asker->error = error;
        asker->status = info ? info->si_status : -1;
}

static void timed_out(void *userdata) {
        ((struct asker *)userdata)->n_timed_out++;
}

static struct child_queue queue;

static void add(struct asker *asker, uid_t key) {
        assert_int_equal(child_queue_add(&queue, key, asker, &asker->child), 0);
        assert_non_null(asker->child);
        assert_int_equal(asker->pid, 0); /* nothing comes of it from within */
}

/* Handles what has happened, and starts those that have their turn. */
static void run_turns(void) {
        while (queue.turn_source)
                assert_true(sd_event_run(queue.event, UINT64_C(10000000)) > 0);
}

static void run_until_ended(const struct asker *asker) {
        while (asker->n_ended == 0)
                assert_true(sd_event_run(queue.event, UINT64_C(10000000)) > 0);
}

/* Until no child is left, also of those nobody waits for. */
static void run_out(void) {
        while (queue.children)
                assert_true(sd_event_run(queue.event, UINT64_C(10000000)) > 0);
}

static void the_end_of_a_child_is_heard_once(void **state) {
        struct asker asker = ENDS, failing = {.arguments = {"false"}};

        (void)state;
        add(&asker, 1);
        add(&failing, 2);
        run_out();
        assert_int_equal(asker.n_ended, 1);
        assert_int_equal(asker.status, 0);
        assert_false(asker.late);
        assert_int_equal(failing.n_ended, 1);
        assert_int_equal(failing.status, 1);
}

static void no_more_run_at_once_than_may(void **state) {
        struct asker askers[4] = {LASTS, LASTS, LASTS, ENDS};

        (void)state;
        for (unsigned i = 0; i < ELEMENTSOF(askers); i++)
                add(&askers[i], i);
        run_turns();
        assert_true(askers[0].pid > 0 && askers[1].pid > 0);
        assert_int_equal(askers[2].pid, 0);
        assert_true(child_waits(askers[3].child));

        /* The one that has waited longest is next. */
        assert_int_equal(kill(askers[0].pid, SIGKILL), 0);
        run_until_ended(&askers[0]);
        run_turns();
        assert_true(askers[2].pid > 0);
        assert_int_equal(askers[3].pid, 0);
        assert_int_equal(kill(askers[1].pid, SIGKILL), 0);
        run_until_ended(&askers[3]);
        assert_int_equal(kill(askers[2].pid, SIGKILL), 0);
        run_out();
}

static void one_user_has_one_at_a_time(void **state) {
        struct asker first = LASTS, second = ENDS, other = ENDS;

        (void)state;
        add(&first, 1);
        add(&second, 1);
        add(&other, 2);
        run_until_ended(&other);
        run_turns();
        assert_int_equal(second.pid, 0);
        assert_int_equal(kill(first.pid, SIGKILL), 0);
        run_until_ended(&second);
        run_out();
}

static void one_that_is_too_slow_is_killed(void **state) {
        struct asker asker = LASTS;

        (void)state;
        queue.timeout_usec = 1000;
        add(&asker, 1);
        run_out();
        assert_int_equal(asker.n_timed_out, 1);
        assert_int_equal(asker.n_ended, 1);
        assert_true(asker.late);
        assert_int_equal(asker.status, SIGKILL);
}

static void one_that_nobody_waits_for_is_killed_and_counts_until_it_is_dead(void **state) {
        struct asker dropped = LASTS, next = ENDS, waiting = ENDS;

        (void)state;
        add(&dropped, 1);
        add(&next, 1);
        run_turns();
        child_drop(&dropped.child);
        assert_null(dropped.child);
        assert_int_equal(next.pid, 0);
        run_until_ended(&next);
        assert_int_equal(dropped.n_ended, 0);
        assert_int_equal(kill(dropped.pid, 0), -1); /* dead and reaped */

        add(&waiting, 1);
        child_drop(&waiting.child);
        assert_null(queue.children);
        child_drop(&waiting.child);
        run_turns();
        assert_int_equal(waiting.pid, 0);
}

static void one_that_cannot_be_started_is_told_and_holds_nobody_up(void **state) {
        struct asker bad = {0}, good = ENDS;

        (void)state;
        add(&bad, 1);
        add(&good, 1);
        run_out();
        assert_int_equal(bad.n_ended, 1);
        assert_false(bad.started);
        assert_int_equal(bad.error, -EAGAIN);
        assert_int_equal(good.n_ended, 1);
}

static void none_is_left_when_the_activator_ends(void **state) {
        struct asker running = LASTS, waiting = LASTS;
        int status;

        (void)state;
        add(&running, 1);
        add(&waiting, 1);
        run_turns();
        child_queue_done(&queue);
        assert_null(running.child);
        assert_null(waiting.child);
        assert_int_equal(waitpid(running.pid, &status, 0), running.pid);
        assert_int_equal(WTERMSIG(status), SIGKILL);
        assert_int_equal(running.n_ended + waiting.n_ended, 0);
}

static int set_up(void **state) {
        (void)state;
        queue = (struct child_queue){
                .children_max = 2,
                .timeout_usec = UINT64_C(60000000),
                .start = start,
                .ended = ended,
                .timed_out = timed_out,
        };
        return sd_event_new(&queue.event) < 0 ? -1 : 0;
}

static int tear_down(void **state) {
        (void)state;
        child_queue_done(&queue);
        queue.event = sd_event_unref(queue.event);
        return 0;
}

#define queue_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                queue_test(the_end_of_a_child_is_heard_once),
                queue_test(no_more_run_at_once_than_may),
                queue_test(one_user_has_one_at_a_time),
                queue_test(one_that_is_too_slow_is_killed),
                queue_test(one_that_nobody_waits_for_is_killed_and_counts_until_it_is_dead),
                queue_test(one_that_cannot_be_started_is_told_and_holds_nobody_up),
                queue_test(none_is_left_when_the_activator_ends),
        };

        return cmocka_run_group_tests_name("child-queue", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Time as a test plays it: sd_event_add_time_relative(), which the linker takes from here. A timer goes off
 * when the test says so, and not before it has asserted how long the wait would have been.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include <cmocka.h>

#include "util.h"

#define FAKE_TIMERS_MAX 256

struct fake_timer {
        sd_event_source *source; /* NULL: it is not set */
        uint64_t usec;
        sd_event_time_handler_t handler;
        void *userdata;
};

static struct fake_timer fake_timers[FAKE_TIMERS_MAX];

static inline int fake_never(sd_event_source *source, void *userdata) {
        (void)source;
        (void)userdata;
        return 0;
}

/* A source's userdata is its timer, which is unset when the owner drops it. */
static inline void fake_timer_unset(void *timer) {
        ((struct fake_timer *)timer)->source = NULL;
}

int sd_event_add_time_relative(sd_event *event, sd_event_source **ret, clockid_t clock, uint64_t usec,
        uint64_t accuracy, sd_event_time_handler_t handler, void *userdata) {
        struct fake_timer *timer = fake_timers;
        sd_event_source *source;

        (void)clock;
        (void)accuracy;
        while (timer->source)
                assert_ptr_not_equal(++timer, fake_timers + FAKE_TIMERS_MAX);
        assert_true(sd_event_add_defer(event, &source, fake_never, timer) >= 0);
        assert_true(sd_event_source_set_enabled(source, SD_EVENT_OFF) >= 0);
        assert_true(sd_event_source_set_destroy_callback(source, fake_timer_unset) >= 0);
        *timer = (struct fake_timer){source, usec, handler, userdata};
        if (ret)
                *ret = source;
        else {
                assert_true(sd_event_source_set_floating(source, true) >= 0);
                sd_event_source_unref(source);
        }
        return 0;
}

static inline size_t timers_set(void) {
        size_t n = 0;

        for (size_t i = 0; i < FAKE_TIMERS_MAX; i++)
                n += fake_timers[i].source != NULL;
        return n;
}

/* The one timer that is set goes off; it is one of that many milliseconds. */
static inline void pass_ms(uint64_t ms) {
        for (size_t i = 0; i < FAKE_TIMERS_MAX; i++) {
                struct fake_timer timer = fake_timers[i];

                if (!timer.source || timer.usec != ms * 1000U)
                        continue;
                sd_event_source_ref(timer.source);
                (void)timer.handler(timer.source, 0, timer.userdata);
                sd_event_source_unref(timer.source);
                return;
        }
        fail_msg("no timer of %llu ms is set", (unsigned long long)ms);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <time.h>

/* Time that only goes forward (CLOCK_MONOTONIC), in microseconds and in milliseconds. */

static inline uint64_t clock_now_usec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

static inline int64_t clock_now_ms(void) {
        return (int64_t)(clock_now_usec() / 1000U);
}

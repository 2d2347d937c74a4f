/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The activator has one thread and one event loop. Every wait is an event source, so that one student's slow
 * unit delays nobody else.
 */

#include <stdint.h>
#include <systemd/sd-event.h>

#define USEC_PER_SEC UINT64_C(1000000)

/*
 * Deaths come before requests: the activator must know that the last holder of a seat has died before it
 * answers a new request for the same seat. Signals of systemd and logind come in between.
 */
enum {
        PRIORITY_DEATH = SD_EVENT_PRIORITY_NORMAL - 20,
        PRIORITY_BUS = SD_EVENT_PRIORITY_NORMAL - 10,
        PRIORITY_REQUEST = SD_EVENT_PRIORITY_NORMAL,
};

/* Microseconds of CLOCK_REALTIME, and of CLOCK_MONOTONIC. */
uint64_t now_realtime_usec(void);
uint64_t now_monotonic_usec(void);

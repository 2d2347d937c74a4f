/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The connection to the system bus. Nothing here waits, but bus_wait(): answers come by callback, from the
 * event loop. units.h has the calls of systemd, logind.h those of logind.
 */

#include <systemd/sd-event.h>

struct bus;

/* Connects and attaches the connection to the event loop, which ends when the bus goes. Negative errno. */
int bus_connect(sd_event *event, struct bus **ret_bus);

/* Sends what is queued and closes. Calls that are still under way are dropped. NULL is fine. */
void bus_close(struct bus *bus);

/*
 * Blocks until systemd has taken what was sent without a callback: systemd does nothing for a peer that has
 * left the bus meanwhile. For a program that is about to end. Negative errno.
 */
int bus_wait(struct bus *bus);

/*
 * A call that is under way. Whoever starts one gives the place of a pointer to it: the pointer is set while
 * the call is under way and is NULL again before the callback comes. The place must stay good until then. A
 * call that is under way there already is dropped first.
 */
struct bus_call;

/* Drops the call, so that its callback does not come. What it asked for may be done all the same. */
void bus_call_drop(struct bus_call **call);

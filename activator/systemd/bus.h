/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The connection to the system bus. Answers come by callback, from the event loop. units.h has the calls of
 * systemd, logind.h those of logind.
 */

#include <systemd/sd-event.h>

struct bus;

/* Connects and attaches the connection to the event loop, which ends when the bus goes. Negative errno. */
int bus_connect(sd_event *event, struct bus **ret_bus);

/* Sends what is queued and closes. Calls that are still under way are dropped. NULL is fine. */
void bus_close(struct bus *bus);

/*
 * A call that is under way. The caller gives the address of a pointer to it: the pointer is set while the
 * call is under way and is NULL again before the callback comes. The pointer must stay valid until then. If a
 * call with the same pointer is under way, it is dropped first.
 */
struct bus_call;

/* Drops the call, so that its callback does not come. systemd may still do what was asked. */
void bus_call_drop(struct bus_call **call);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Single properties of systemd's units, over D-Bus, which anybody may ask for. */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "util.h"

/* Cleans up a bus that sd_bus_open_system() opened. */
void unit_bus_done(sd_bus **bus);

/* A string property of a unit; interface is "Unit" or "Service". The caller frees *ret. Negative errno. */
int unit_get_text(sd_bus *bus, const char *unit, const char *interface, const char *property, char **ret);

/* A time of a unit, such as "StateChangeTimestampMonotonic", in µs; 0: never, or systemd cannot be asked. */
uint64_t unit_get_time(sd_bus *bus, const char *unit, const char *property);

/* The main process of a service; 0: it has none, or systemd cannot be asked. */
pid_t unit_get_main_pid(sd_bus *bus, const char *unit);

/* Also while it starts or reloads; and if systemd cannot be asked. */
bool unit_is_active(const char *unit);

#define _cleanup_unit_bus_ _cleanup_(unit_bus_done)

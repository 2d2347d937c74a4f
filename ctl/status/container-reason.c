/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two properties of cont@. */

#include <systemd/sd-bus.h>

#include "container-reason.h"

static void bus_done(sd_bus **bus) {
        (void)sd_bus_flush_close_unref(*bus);
}

/* Empty if it cannot be asked. NULL: out of memory. The caller frees it. */
static char *get(sd_bus *bus, const char *path, const char *property) {
        char *text = NULL;

        return sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path,
                       "org.freedesktop.systemd1.Service", property, NULL, &text) < 0
                       ? strdup("")
                       : text;
}

static void load(sd_bus *bus, struct snapshot_seat *seat) {
        _cleanup_free_ char *path = NULL, *status = NULL, *result = NULL;
        char unit[sizeof("cont@.service") + SEAT_ID_SIZE];

        (void)snprintf(unit, sizeof(unit), "cont@%s.service", seat->seat);
        if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) < 0)
                return;
        status = get(bus, path, "StatusText");
        result = get(bus, path, "Result");
        if (status && result)
                container_failure_format(status, result, seat->container_reason);
}

void container_reasons_load(struct snapshot *snapshot) {
        _cleanup_(bus_done) sd_bus *bus = NULL;

        for (size_t i = 0; i < snapshot->n_seats; i++) {
                if (!string_equal(snapshot->seats[i].container, "failed"))
                        continue;
                if (!bus && sd_bus_open_system(&bus) < 0)
                        return;
                load(bus, &snapshot->seats[i]);
        }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.freedesktop.DBus.Properties.Get of systemd's unit objects. */

#include "unit-property.h"

#define SYSTEMD "org.freedesktop.systemd1"

void unit_bus_done(sd_bus **bus) {
        (void)sd_bus_flush_close_unref(*bus);
}

/* The object's path; the caller frees it. */
static int encode_path(const char *unit, char **ret) {
        return sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, ret);
}

int unit_get_text(sd_bus *bus, const char *unit, const char *interface, const char *property, char **ret) {
        _cleanup_free_ char *path = NULL;
        char full[64];
        int r;

        r = encode_path(unit, &path);
        if (r < 0)
                return r;
        (void)snprintf(full, sizeof(full), SYSTEMD ".%s", interface);
        return sd_bus_get_property_string(bus, SYSTEMD, path, full, property, NULL, ret);
}

uint64_t unit_get_time(sd_bus *bus, const char *unit, const char *property) {
        _cleanup_free_ char *path = NULL;
        uint64_t usec = 0;

        if (encode_path(unit, &path) < 0 || sd_bus_get_property_trivial(bus, SYSTEMD, path, SYSTEMD ".Unit",
                                                    property, NULL, 't', &usec) < 0)
                return 0;
        return usec;
}

pid_t unit_get_main_pid(sd_bus *bus, const char *unit) {
        _cleanup_free_ char *path = NULL;
        uint32_t pid = 0;

        if (encode_path(unit, &path) < 0 || sd_bus_get_property_trivial(bus, SYSTEMD, path,
                                                    SYSTEMD ".Service", "MainPID", NULL, 'u', &pid) < 0)
                return 0;
        return (pid_t)pid;
}

bool unit_is_active(const char *unit) {
        _cleanup_unit_bus_ sd_bus *bus = NULL;
        _cleanup_free_ char *state = NULL;

        if (sd_bus_open_system(&bus) < 0 || unit_get_text(bus, unit, "Unit", "ActiveState", &state) < 0)
                return true;
        return string_equal(state, "active") || string_equal(state, "activating") ||
               string_equal(state, "reloading") || string_equal(state, "refreshing");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "seat-units.h"
#include "diagnostics.h"
#include "plan.h"

void seat_units_find(const char *etc, const char *seat, struct seat_units *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct seat_plan plan;
        struct seat_id id;

        *ret = (struct seat_units){0};
        (void)snprintf(ret->nsbr, SEAT_UNIT_SIZE, "nsbr@%s.service", seat);
        (void)snprintf(ret->netns, SEAT_UNIT_SIZE, "netns@%s.service", seat);
        if (settings_load(etc, &settings, &diagnostics) < 0 ||
                seat_id_parse(seat, settings.course_digits, &id) < 0 ||
                seat_plan_load(etc, &settings, &id, &plan, &diagnostics) < 0 || plan.bridge_course[0] == '\0')
                return;
        (void)snprintf(ret->netbr, SEAT_UNIT_SIZE, "netbr@%s.service", plan.bridge_course);
}

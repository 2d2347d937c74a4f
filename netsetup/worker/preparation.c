/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The settings are taken once for all three, and parsed only if they have changed since the last request. */

#include <dirent.h>

#include "base/failure.h"
#include "preparation.h"
#include "run-files.h"
#include "verbs/bridge.h"
#include "verbs/netns.h"
#include "verbs/receipt.h"
#include "verbs/seat-argument.h"
#include "verbs/seat.h"

static int prepare_bridge(const char *etc, const struct settings *settings, const char *course,
        struct diagnostics *diagnostics) {
        struct bridge_plan plan;
        int r;

        r = bridge_plan_load(etc, settings, course, &plan, diagnostics);
        return r < 0 ? r : bridge_prepare(etc, &plan, diagnostics);
}

static int load_plan(struct settings_cache *cache, const char *seat, const struct settings **ret_settings,
        struct seat_plan *ret_plan, struct diagnostics *diagnostics) {
        const struct settings *settings;
        struct seat_id id;
        int r;

        r = settings_cache_load(cache, &settings, diagnostics);
        if (r >= 0)
                r = seat_argument_parse(settings, seat, &id, diagnostics);
        if (r >= 0)
                r = seat_plan_load(cache->etc, settings, &id, ret_plan, diagnostics);
        if (r >= 0)
                *ret_settings = settings;
        return r;
}

static int prepare_seat(const struct seat_plan *plan, struct diagnostics *diagnostics) {
        _cleanup_netns_preparation_ struct netns_preparation netns = NETNS_PREPARATION_NONE;
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        bool failed;
        int cable, r;

        r = netns_prepare(plan, &netns, diagnostics);
        if (r < 0)
                return r;
        cable = seat_prepare(plan, netns.netns_fd, diagnostics);
        /* The answer has one text, of the first error. */
        failed = cable < 0 && cable != -EBUSY;
        r = netns_prepare_finish(plan, &netns, failed ? &ignored : diagnostics);
        /* The cable ends with its namespace, but its rules do not. */
        if (r < 0)
                (void)seat_discard(plan->name, &ignored);
        return failed || r >= 0 ? cable : r;
}

int preparation_make(struct settings_cache *cache, const char *seat, struct diagnostics *diagnostics) {
        const struct settings *settings;
        struct seat_plan plan;
        int r;

        r = load_plan(cache, seat, &settings, &plan, diagnostics);
        /* An administrator's own bridge (BR=) is there or is not. */
        if (r >= 0 && plan.bridge_course[0] != '\0')
                r = prepare_bridge(cache->etc, settings, plan.bridge_course, diagnostics);
        return r < 0 ? r : prepare_seat(&plan, diagnostics);
}

/*
 * Which bridge was made for the seat is not known without the settings, which may have changed. A bridge that
 * a unit's program is at work on will be adopted or removed by that program.
 */
static int discard_bridges(const char *etc, struct diagnostics *diagnostics) {
        DIR *directory = opendir(PREPARED_DIRECTORY);
        int result = 0;

        if (!directory)
                return errno == ENOENT ? 0
                                       : failure(diagnostics, PREPARED_DIRECTORY, -errno, "cannot be listed");
        for (struct dirent *entry; (entry = readdir(directory));) {
                const char *course = receipt_course(entry->d_name);
                int r = course ? bridge_discard(etc, course, diagnostics) : 0;

                if (r < 0 && result >= 0)
                        result = r;
        }
        (void)closedir(directory);
        return result;
}

int preparation_discard(const char *etc, const char *seat, struct diagnostics *diagnostics) {
        int cable, netns, bridges;

        cable = seat_discard(seat, diagnostics);
        if (cable == -EBUSY)
                return cable;
        netns = netns_discard(etc, seat, diagnostics);
        bridges = discard_bridges(etc, diagnostics);
        if (cable < 0)
                return cable;
        return netns < 0 ? netns : bridges;
}

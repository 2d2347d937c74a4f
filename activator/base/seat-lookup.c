/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Looks a login up in the configuration: settings, rule, roster, plan. It reads settings and roster if they
 * have changed, and the two override files of the seat each time. It never asks NSS.
 */

#include "seat-lookup.h"
#include "hosts.h"
#include "log.h"

/* The sentence of the first finding; it has file and line. */
static void format_first(const struct diagnostics *diagnostics, char text[static REPLY_TEXT_SIZE]) {
        char full[1024];

        if (diagnostics->n_items == 0) {
                (void)snprintf(text, REPLY_TEXT_SIZE, "out of memory");
                return;
        }
        diagnostic_format(&diagnostics->items[0], full, sizeof(full));
        protocol_copy_text(text, REPLY_TEXT_SIZE, full);
}

/* False: it cannot be a course user's name; text has the reason. */
static bool take_name_apart(const struct settings *settings, const char *user,
        char ret_course[static COURSE_SIZE], char ret_student[static USER_NAME_SIZE],
        char text[static REPLY_TEXT_SIZE]) {
        if (!name_rule_match(&settings->rule, user, ret_course, ret_student)) {
                (void)snprintf(text, REPLY_TEXT_SIZE,
                        "the site's name-rule, %.100s, does not match this user name", settings->rule_text);
                return false;
        }
        if (strlen(ret_course) == settings->course_digits)
                return true;
        (void)snprintf(text, REPLY_TEXT_SIZE,
                "its course, %s, has %zu digits, and courses are written with exactly %u here", ret_course,
                strlen(ret_course), settings->course_digits);
        return false;
}

bool seat_lookup(struct settings_cache *cache, const char *user, bool log, struct found_seat *ret,
        enum reply_type *ret_type, char text[static REPLY_TEXT_SIZE]) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        char course[COURSE_SIZE], student[USER_NAME_SIZE];
        const struct settings *settings;
        struct seat_id id = {0};
        int r;

        *ret_type = REPLY_FAILED;
        r = settings_cache_load(cache, &settings, &diagnostics);
        if (r >= 0 && !take_name_apart(settings, user, course, student, text)) {
                *ret_type = REPLY_NO_NAME;
                return false;
        }
        if (r >= 0)
                r = settings_cache_find_seat(cache, course, student, &id.number, &diagnostics);
        if (r == -ENOENT) {
                if (log)
                        log_diagnostics(&diagnostics);
                *ret_type = REPLY_NO_SEAT;
                (void)snprintf(text, REPLY_TEXT_SIZE,
                        "not on the roster of course %s; coursenetctl roster add %s %s", course, course,
                        student);
                return false;
        }
        if (r >= 0) {
                (void)string_copy(id.course, sizeof(id.course), course);
                r = seat_plan_load(cache->etc, settings, &id, &ret->plan, &diagnostics);
        }

        if (r >= 0) {
                const struct course_values *values = settings_for_course(settings, course);

                ret->services = values->services;
                ret->limits = values->limits;
                ret->keep = values->leftover == LEFTOVER_KEEP;
                ret->user_manager = values->user_manager;
                ret->shared = hosts_configured(settings);
        }

        if (log)
                log_diagnostics(&diagnostics);
        if (r < 0)
                format_first(&diagnostics, text);
        return r >= 0;
}

void seat_after_logout(struct settings_cache *cache, const char *course, struct after_logout *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        const struct course_values *values;
        const struct settings *settings;

        *ret = (struct after_logout){0};
        if (settings_cache_load(cache, &settings, &diagnostics) < 0)
                return;
        values = settings_for_course(settings, course);
        ret->linger_seconds = values->linger_seconds;
        if (values->leftover == LEFTOVER_KEEP)
                ret->keep_seconds = values->leftover_max_seconds;
}

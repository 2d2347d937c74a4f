/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Finds settings that contradict each other: a subnet without room for the first seat, a course without a
 * subnet, courses whose subnets overlap. settings-load.c calls this with settings that are complete.
 */

#include "settings-check.h"

struct check {
        const struct settings *settings;
        const char *path;
        struct diagnostics *diagnostics;
};

/* Both subnets of a [course N] section. */
struct subnets {
        bool usable; /* false: a mistake was reported */
        struct address four;
        struct address6 six; /* all zero: no IPv6 */
};

/* The line of a setting of the site that was set; of two, the one further down. 0: both are defaults. */
static unsigned line_of(const struct settings *settings, const char *one, const char *other) {
        unsigned line = settings_line(settings, NULL, one), other_line = settings_line(settings, NULL, other);

        return line > other_line ? line : other_line;
}

/* How many seats a subnet has from first_seat on. Its first and last address are no hosts'. */
static unsigned count_seats(unsigned prefix, unsigned first_seat) {
        unsigned last = (1U << (32U - prefix)) - 2U;

        return first_seat > last ? 0 : last - first_seat + 1U;
}

/* Whether courses can have subnets at all. If not, further errors would only repeat this one. */
static bool check_site(const struct check *check) {
        const struct settings *settings = check->settings;

        if (settings->network.prefix > settings->prefix) {
                diagnostics_error(check->diagnostics, check->path, line_of(settings, "network", "prefix"),
                        "prefix = %u does not fit into network, which is a /%u: set a prefix of %u or more, "
                        "or a "
                        "wider network",
                        settings->prefix, settings->network.prefix, settings->network.prefix);
                return false;
        }
        if (count_seats(settings->prefix, settings->first_seat) == 0) {
                diagnostics_error(check->diagnostics, check->path, line_of(settings, "first-seat", "prefix"),
                        "a course's /%u (prefix) has no seat %u (first-seat): set a lower prefix or a lower "
                        "first-seat",
                        settings->prefix, settings->first_seat);
                return false;
        }
        return true;
}

/* A mistake with one subnet does not hide one with the other. */
static void check_course(
        const struct check *check, const struct course_settings *course, struct subnets *ret) {
        const struct settings *settings = check->settings;
        char reason[256];

        if (settings_check_course(settings, course->course, reason, sizeof(reason)) < 0) {
                diagnostics_error(check->diagnostics, check->path, course->line, "[course %s]: %s",
                        course->course, reason);
                return;
        }

        ret->usable = true;
        if (settings_course_subnet(settings, course->course, &ret->four, reason, sizeof(reason)) < 0) {
                diagnostics_error(check->diagnostics, check->path, course->line, "[course %s]: %s",
                        course->course, reason);
                ret->usable = false;
        } else if (count_seats(ret->four.prefix, settings->first_seat) == 0)
                diagnostics_error(check->diagnostics, check->path, course->line,
                        "[course %s]: a /%u has no seat %u (first-seat): set a wider subnet", course->course,
                        ret->four.prefix, settings->first_seat);
        if (settings_course_subnet6(settings, course->course, &ret->six, reason, sizeof(reason)) < 0) {
                diagnostics_error(check->diagnostics, check->path, course->line, "[course %s]: %s",
                        course->course, reason);
                ret->usable = false;
        }
}

static void compare_courses(
        const struct check *check, const struct subnets *subnets, size_t one, size_t other) {
        const struct course_settings *courses = check->settings->courses;

        if (!subnets[one].usable || !subnets[other].usable)
                return;
        if (address_overlaps(&subnets[one].four, &subnets[other].four))
                diagnostics_error(check->diagnostics, check->path, courses[other].line,
                        "the subnets of courses %s and %s overlap: change one's subnet", courses[one].course,
                        courses[other].course);
        if (address6_is_set(&subnets[one].six) && address6_is_set(&subnets[other].six) &&
                address6_overlaps(&subnets[one].six, &subnets[other].six))
                diagnostics_error(check->diagnostics, check->path, courses[other].line,
                        "the IPv6 subnets of courses %s and %s overlap: change one's subnet6",
                        courses[one].course, courses[other].course);
}

static int check_courses(const struct check *check) {
        const struct settings *settings = check->settings;
        _cleanup_free_ struct subnets *subnets = calloc(settings->n_courses + 1, sizeof(*subnets));

        if (!subnets) {
                diagnostics_error(check->diagnostics, check->path, 0, "out of memory");
                return -ENOMEM;
        }
        for (size_t i = 0; i < settings->n_courses; i++) {
                check_course(check, &settings->courses[i], &subnets[i]);
                for (size_t j = 0; j < i; j++)
                        compare_courses(check, subnets, j, i);
        }
        return 0;
}

/* course: NULL for the site. netem would send such packets at once, and the delay would be another one. */
static void check_jitter(const struct check *check, const char *course, const struct impairment *impairment) {
        unsigned line = settings_line(check->settings, course, "jitter"),
                 other = settings_line(check->settings, course, "delay");

        if (impairment->jitter_usec <= impairment->delay_usec)
                return;
        if (impairment->delay_usec == 0)
                diagnostics_error(check->diagnostics, check->path, line > other ? line : other,
                        "jitter varies the delay, and there is none: set delay, or remove jitter");
        else
                diagnostics_error(check->diagnostics, check->path, line > other ? line : other,
                        "jitter is longer than delay: set a jitter of at most %u us", impairment->delay_usec);
}

static void check_jitters(const struct check *check) {
        const struct settings *settings = check->settings;
        const struct impairment *site = &settings->values.traffic.impairment;

        check_jitter(check, NULL, site);
        for (size_t i = 0; i < settings->n_courses && site->jitter_usec <= site->delay_usec; i++)
                check_jitter(check, settings->courses[i].course,
                        &settings_for_course(settings, settings->courses[i].course)->traffic.impairment);
}

int settings_check(const struct settings *settings, const char *path, struct diagnostics *diagnostics) {
        const struct check check = {.settings = settings, .path = path, .diagnostics = diagnostics};
        size_t n_errors = diagnostics->n_errors;
        int r = 0;

        check_jitters(&check);
        if (check_site(&check))
                r = check_courses(&check);
        return r < 0 ? r : diagnostics->n_errors > n_errors ? -EINVAL : 0;
}

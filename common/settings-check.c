/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Finds settings that contradict each other: a subnet without room for the first seat, a course without a
 * subnet, courses whose subnets overlap, a course spread over several servers where there is one.
 * settings-load.c calls this with settings that are complete.
 */

#include "settings-check.h"
#include "hosts.h"

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

/* --- [hosts] --- */

static void check_members(const struct check *check) {
        const struct settings *settings = check->settings;
        unsigned line = settings_line(settings, NULL, "members");

        for (size_t i = 0; i < settings->hosts.n_members; i++)
                for (size_t j = 0; j < i; j++) {
                        struct host_member one = hosts_member(settings, j), other = hosts_member(settings, i);

                        if (string_equal(one.name, other.name))
                                diagnostics_error(check->diagnostics, check->path, line,
                                        "members has %s twice: keep one of the two", one.name);
                        else if (one.address == other.address)
                                diagnostics_error(check->diagnostics, check->path, line,
                                        "members gives %s and %s the same address: correct one of the two",
                                        one.name, other.name);
                }
        if (settings->hosts.n_stores == 0)
                diagnostics_error(check->diagnostics, check->path, line,
                        "members needs store, the addresses of the etcd servers that decide which server has "
                        "a seat");
}

/* course: NULL for the site, whose spread holds for courses without a section. */
static void check_spread(const struct check *check, const char *course) {
        const struct settings *settings = check->settings;
        const struct course_settings *own = course ? settings_find_course(settings, course) : NULL;
        unsigned line = settings_line(settings, course, "spread");

        if (!(own ? &own->values : &settings->values)->spread)
                return;
        if (!hosts_configured(settings))
                diagnostics_error(check->diagnostics, check->path, line,
                        "spread = yes needs the other servers: set members in [hosts]");
        else if (settings->network6_auto && !(own && address6_is_set(&own->subnet6)))
                diagnostics_error(check->diagnostics, check->path, line,
                        "spread = yes needs the same IPv6 network on all servers, and network6 = auto is "
                        "another "
                        "one on each: set network6 to a network of yours, or to off");
}

/* Whether two courses, one of which may have its VNI by plan, are one network. */
static void check_vni(
        const struct check *check, const struct course_settings *course, uint32_t *vnis, size_t i) {
        const struct settings *settings = check->settings;

        vnis[i] = settings_course_vni(settings, course->course);
        if (vnis[i] > VNI_MAX)
                diagnostics_error(check->diagnostics, check->path, settings_line(settings, NULL, "vni-base"),
                        "vni-base = %u gives course %s the number %u, and the highest is %u: set a lower "
                        "vni-base",
                        settings->hosts.vni_base, course->course, vnis[i], VNI_MAX);
        for (size_t j = 0; j < i && vnis[i] > 0; j++)
                if (vnis[j] == vnis[i])
                        diagnostics_error(check->diagnostics, check->path, course->line,
                                "courses %s and %s have the same VNI, %u: change one's vni",
                                settings->courses[j].course, course->course, vnis[i]);
}

/* The highest number that a course without a section can have: all nines. */
static void check_vni_base(const struct check *check) {
        const struct settings *settings = check->settings;
        uint32_t highest = 1;

        for (unsigned i = 0; i < settings->course_digits; i++)
                highest *= 10;
        if (settings->values.spread && settings->hosts.vni_base + highest - 1 > VNI_MAX)
                diagnostics_error(check->diagnostics, check->path, settings_line(settings, NULL, "vni-base"),
                        "vni-base = %u leaves no room for courses of %u digits below %u: set a lower "
                        "vni-base",
                        settings->hosts.vni_base, settings->course_digits, VNI_MAX);
}

static int check_hosts(const struct check *check) {
        const struct settings *settings = check->settings;
        _cleanup_free_ uint32_t *vnis = calloc(settings->n_courses + 1, sizeof(*vnis));

        if (!vnis) {
                diagnostics_error(check->diagnostics, check->path, 0, "out of memory");
                return -ENOMEM;
        }
        if (hosts_configured(settings))
                check_members(check);
        check_spread(check, NULL);
        check_vni_base(check);
        for (size_t i = 0; i < settings->n_courses; i++) {
                /* What a course inherits is reported once, for the site. */
                if (!settings->values.spread)
                        check_spread(check, settings->courses[i].course);
                check_vni(check, &settings->courses[i], vnis, i);
        }
        return 0;
}

int settings_check(const struct settings *settings, const char *path, struct diagnostics *diagnostics) {
        const struct check check = {.settings = settings, .path = path, .diagnostics = diagnostics};
        size_t n_errors = diagnostics->n_errors;
        int r = 0;

        check_jitters(&check);
        if (check_site(&check))
                r = check_courses(&check);
        if (r >= 0)
                r = check_hosts(&check);
        return r < 0 ? r : diagnostics->n_errors > n_errors ? -EINVAL : 0;
}

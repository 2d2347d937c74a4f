/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loads settings, rosters and overrides, and compares courses and seats with each other. A course or a seat
 * with a mistake is reported and left out; the others are loaded. The activator calls this at a reload, the
 * netsetup programs for what concerns all courses, coursenetctl to check and to show.
 */

#include <dirent.h>

#include "number.h"
#include "site.h"

void site_course_done(struct site_course *course) {
        roster_done(&course->roster);
        free(course->seats);
        free(course->students);
        *course = (struct site_course){0};
}

void site_done(struct site *site) {
        for (size_t i = 0; i < site->n_courses; i++)
                site_course_done(&site->courses[i]);
        free(site->courses);
        settings_done(&site->settings);
        *site = (struct site){0};
}

static int load_seats(const char *etc, const struct settings *settings, struct site_course *course,
        struct diagnostics *diagnostics) {
        course->seats = calloc(course->roster.n_lines + 1, sizeof(*course->seats));
        course->students = calloc(course->roster.n_lines + 1, sizeof(*course->students));
        if (!course->seats || !course->students) {
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return -ENOMEM;
        }

        for (size_t i = 0; i < course->roster.n_lines; i++) {
                const struct roster_line *line = &course->roster.lines[i];
                struct seat_id id = {.number = line->seat};

                if (line->student[0] == '\0' || line->removed)
                        continue;
                (void)string_copy(id.course, sizeof(id.course), course->roster.course);
                if (seat_plan_load(etc, settings, &id, &course->seats[course->n_seats], diagnostics) < 0)
                        continue;
                course->students[course->n_seats++] = line->student;
        }
        return 0;
}

static int load_course(const char *etc, const struct settings *settings, const char *name,
        struct site_course *course, struct diagnostics *diagnostics) {
        int r;

        r = bridge_plan_load(etc, settings, name, &course->bridge, diagnostics);
        if (r < 0)
                return r;
        r = roster_load(etc, settings, name, &course->roster, diagnostics);
        if (r < 0)
                return r;
        return load_seats(etc, settings, course, diagnostics);
}

/* A course that fails to load is left out; its errors are in diagnostics. */
static int append_course(
        const char *etc, struct site *site, const char *name, struct diagnostics *diagnostics) {
        struct site_course *courses, course = {0};

        if (load_course(etc, &site->settings, name, &course, diagnostics) < 0) {
                site_course_done(&course);
                return 0;
        }

        courses = reallocarray(site->courses, site->n_courses + 1, sizeof(*courses));
        if (!courses) {
                site_course_done(&course);
                return -ENOMEM;
        }
        site->courses = courses;
        courses[site->n_courses++] = course;
        return 0;
}

static int is_no_dot_file(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

static void free_entries(struct dirent **entries, int n) {
        for (int i = 0; i < n; i++)
                free(entries[i]);
        free(entries);
}

static int load_courses(const char *etc, struct site *site, struct diagnostics *diagnostics) {
        _cleanup_free_ char *directory = NULL;
        struct dirent **entries;
        int n, r = 0;

        if (asprintf(&directory, "%s/" ROSTER_DIRECTORY, etc) < 0) {
                directory = NULL;
                return -ENOMEM;
        }

        n = scandir(directory, &entries, is_no_dot_file, alphasort);
        if (n < 0) {
                if (errno != ENOENT)
                        diagnostics_error(diagnostics, directory, 0, "cannot be read: %m");
                return 0;
        }

        for (int i = 0; i < n && r >= 0; i++) {
                if (digits_only(entries[i]->d_name))
                        r = append_course(etc, site, entries[i]->d_name, diagnostics);
                else
                        diagnostics_warning(diagnostics, directory, 0,
                                "'%s' is ignored: expected the number of a course as the name of its roster",
                                entries[i]->d_name);
        }
        free_entries(entries, n);
        return r;
}

static void compare_subnets(const char *etc, const struct bridge_plan *one, const struct bridge_plan *other,
        struct diagnostics *diagnostics) {
        char a[ADDRESS_TEXT_SIZE], b[ADDRESS_TEXT_SIZE];

        if (!address_overlaps(&one->address, &other->address))
                return;
        address_format(&one->address, a);
        address_format(&other->address, b);
        diagnostics_error(diagnostics, etc, 0,
                "the subnets of courses %s (%s) and %s (%s) overlap: change subnet in [course %s], or BR_IP "
                "in " OVERRIDE_DIRECTORY "/bridge-%s.conf",
                one->course, a, other->course, b, other->course, other->course);
}

static void compare_subnets6(const char *etc, const struct bridge_plan *one, const struct bridge_plan *other,
        struct diagnostics *diagnostics) {
        struct address6 network_a = address6_network(&one->address6),
                        network_b = address6_network(&other->address6);
        char a[ADDRESS6_TEXT_SIZE], b[ADDRESS6_TEXT_SIZE];

        if (!address6_is_set(&network_a) || !address6_is_set(&network_b) ||
                !address6_overlaps(&network_a, &network_b))
                return;
        address6_format(&network_a, a);
        address6_format(&network_b, b);
        diagnostics_error(diagnostics, etc, 0,
                "the IPv6 subnets of courses %s (%s) and %s (%s) overlap: change subnet6 in [course %s] or "
                "[course %s]",
                one->course, a, other->course, b, one->course, other->course);
}

/* Two courses may not share addresses, because each bridge would answer for the other's students. */
static void compare_courses(const char *etc, const struct site *site, struct diagnostics *diagnostics) {
        for (size_t i = 0; i < site->n_courses; i++)
                for (size_t j = 0; j < i; j++) {
                        const struct bridge_plan *one = &site->courses[j].bridge,
                                                 *other = &site->courses[i].bridge;

                        compare_subnets(etc, one, other, diagnostics);
                        compare_subnets6(etc, one, other, diagnostics);
                }
}

static int compare_seat_pointers(const void *a, const void *b) {
        const struct seat_plan *one = *(const struct seat_plan *const *)a,
                               *other = *(const struct seat_plan *const *)b;

        if (one->address.ip != other->address.ip)
                return one->address.ip < other->address.ip ? -1 : 1;
        return strcmp(one->name, other->name);
}

/* All seats of the site, sorted by address. The caller frees the array. NULL: out of memory. */
static const struct seat_plan **sort_seats(const struct site *site, size_t *ret_n) {
        const struct seat_plan **seats;
        size_t n = 0;

        for (size_t i = 0; i < site->n_courses; i++)
                n += site->courses[i].n_seats;
        seats = calloc(n + 1, sizeof(*seats));
        if (!seats)
                return NULL;

        n = 0;
        for (size_t i = 0; i < site->n_courses; i++)
                for (size_t j = 0; j < site->courses[i].n_seats; j++)
                        seats[n++] = &site->courses[i].seats[j];
        qsort(seats, n, sizeof(*seats), compare_seat_pointers);

        *ret_n = n;
        return seats;
}

/* VR_IP can give two seats one address: two of a course, or with BR two of different courses. */
static int compare_seats(const char *etc, const struct site *site, struct diagnostics *diagnostics) {
        _cleanup_free_ const struct seat_plan **seats = NULL;
        char address[ADDRESS_TEXT_SIZE];
        size_t n;

        seats = sort_seats(site, &n);
        if (!seats)
                return -ENOMEM;

        for (size_t i = 1; i < n; i++) {
                if (seats[i - 1]->address.ip != seats[i]->address.ip)
                        continue;
                address_format_ip(seats[i]->address.ip, address);
                diagnostics_error(diagnostics, etc, 0,
                        "seats %s and %s both have the address %s: change VR_IP in " OVERRIDE_DIRECTORY
                        "/ns%s.conf or " OVERRIDE_DIRECTORY "/ns%s.conf",
                        seats[i - 1]->name, seats[i]->name, address, seats[i - 1]->name, seats[i]->name);
        }
        return 0;
}

int site_load(const char *etc, struct site *ret, struct diagnostics *diagnostics) {
        struct site site = {0};
        int r;

        r = settings_load(etc, &site.settings, diagnostics);
        if (r < 0)
                return r;

        r = load_courses(etc, &site, diagnostics);
        if (r >= 0)
                r = compare_seats(etc, &site, diagnostics);
        if (r < 0) {
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                site_done(&site);
                return r;
        }
        compare_courses(etc, &site, diagnostics);

        *ret = site;
        return 0;
}

const struct site_course *site_find_course(const struct site *site, const char *course) {
        for (size_t i = 0; i < site->n_courses; i++)
                if (string_equal(site->courses[i].bridge.course, course))
                        return &site->courses[i];
        return NULL;
}

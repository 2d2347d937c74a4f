/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kernel's limits, and how much of each a seat needs.
 *
 * inotify instances are counted for each user, and the units of a seat run as its student (the wiring sets
 * User=), so their need does not grow with the number of seats. The name services of all courses run as one
 * user, and each needs one.
 */

#include <inttypes.h>

#include "limits.h"

static const char *const names[_LIMIT_MAX] = {
        [LIMIT_NEIGH4_THRESH1] = "net.ipv4.neigh.default.gc_thresh1",
        [LIMIT_NEIGH4_THRESH2] = "net.ipv4.neigh.default.gc_thresh2",
        [LIMIT_NEIGH4_THRESH3] = "net.ipv4.neigh.default.gc_thresh3",
        [LIMIT_NEIGH6_THRESH1] = "net.ipv6.neigh.default.gc_thresh1",
        [LIMIT_NEIGH6_THRESH2] = "net.ipv6.neigh.default.gc_thresh2",
        [LIMIT_NEIGH6_THRESH3] = "net.ipv6.neigh.default.gc_thresh3",
        [LIMIT_NET_NAMESPACES] = "user.max_net_namespaces",
        [LIMIT_CONNTRACK] = "net.netfilter.nf_conntrack_max",
        [LIMIT_INOTIFY_INSTANCES] = "fs.inotify.max_user_instances",
};

/*
 * All network namespaces share one neighbour table for IPv4 and one for IPv6. A seat has an entry for its
 * gateway, the host has one for the seat (in IPv6 perhaps one for its link-local address too), and the seat
 * has some for others of its course. The multicast groups that both ends of its cable report are entries as
 * well, but the kernel drops those first when the table is full.
 */
#define NEIGH4_PER_SEAT 4U
#define NEIGH6_PER_SEAT 6U

/* A guess: half of what a busy browser uses. */
#define CONNECTIONS_PER_SEAT 128U

/*
 * For services with PrivateNetwork=. Another quarter of the limit is for namespaces that outlive their seats,
 * because something still runs in them: see netns-record.h.
 */
#define NAMESPACES_MARGIN 128U

/* The default of Linux: an editor and a notebook server together need a dozen. */
#define INOTIFY_INSTANCES_MIN 128U

/* BR_MAX_PORTS of Linux is 1024, and port number 0 is not used. */
#define BRIDGE_PORTS_MAX 1023U

const char *limit_name(enum limit limit) {
        return names[limit];
}

static uint64_t read_number(const char *path) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        uint64_t value;

        return file && fscanf(file, "%" SCNu64, &value) == 1 ? value : 0;
}

void limits_read(const char *proc, struct limits *ret) {
        for (size_t i = 0; i < _LIMIT_MAX; i++) {
                char path[256];
                size_t head = strlen(proc) + 1;

                (void)snprintf(path, sizeof(path), "%s/%s", proc, names[i]);
                for (char *p = path + head; *p; p++)
                        if (*p == '.')
                                *p = '/';
                ret->values[i] = read_number(path);
        }
}

static int compare_bridges(const void *a, const void *b) {
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Seats of several courses may share a bridge (BR=). */
static int find_fullest_bridge(const struct site *site, struct limits_need *need) {
        _cleanup_free_ const char **bridges = calloc(need->n_seats + 1, sizeof(*bridges));
        size_t n = 0;

        if (!bridges)
                return -ENOMEM;
        for (size_t i = 0; i < site->n_courses; i++)
                for (size_t j = 0; j < site->courses[i].n_seats; j++)
                        bridges[n++] = site->courses[i].seats[j].bridge;
        qsort(bridges, n, sizeof(*bridges), compare_bridges);

        for (size_t start = 0, i = 0; i < n; i++) {
                if (!string_equal(bridges[start], bridges[i]))
                        start = i;
                if (i - start + 1 <= need->n_ports)
                        continue;
                need->n_ports = i - start + 1;
                (void)string_copy(need->bridge, sizeof(need->bridge), bridges[i]);
        }
        return 0;
}

int limits_count(const struct site *site, struct limits_need *ret) {
        struct limits_need need = {0};
        int r;

        for (size_t i = 0; i < site->n_courses; i++) {
                const struct site_course *course = &site->courses[i];
                const struct traffic_settings *traffic = &course->bridge.traffic;
                const struct course_values *values =
                        settings_for_course(&site->settings, course->bridge.course);

                need.has_units = need.has_units || (course->n_seats > 0 && values->services.n_units > 0);
                need.n_seats += course->n_seats;
                if (address6_is_set(&course->bridge.address6))
                        need.n_seats6 += course->n_seats;
                if (traffic->nat || traffic->nat6 == CHOICE_YES)
                        need.n_nat += course->n_seats;
        }
        need.n_name_servers = site->settings.dns.source == DNS_OFF ? 0 : site->n_courses;
        r = find_fullest_bridge(site, &need);
        if (r < 0)
                return r;

        *ret = need;
        return 0;
}

static uint64_t round_up(uint64_t value) {
        uint64_t power = 1;

        while (power < value)
                power *= 2;
        return power;
}

/* What the checks share. *wanted gets the needed values, rounded up to powers of two. */
struct checking {
        const struct limits *limits;
        struct limits *wanted;
        struct diagnostics *diagnostics;
};

static void _printf_(4, 5)
        check(struct checking *checking, enum limit limit, uint64_t needed, const char *format, ...) {
        uint64_t value = checking->limits->values[limit];
        va_list arguments;
        char text[256];

        if (value == 0 || value >= needed)
                return;
        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);

        checking->wanted->values[limit] = round_up(needed);
        diagnostics_warning(
                checking->diagnostics, names[limit], 0, "%" PRIu64 " is too small: %s", value, text);
        diagnostics_advise(checking->diagnostics, "set %s = %" PRIu64 " (in " LIMITS_FILE ")", names[limit],
                checking->wanted->values[limit]);
}

/* Above the second threshold, the kernel keeps searching for entries to drop; above the third, new entries
 * fail.
 */
static void check_neighbours(struct checking *checking, enum limit thresh1, size_t n_seats, unsigned per_seat,
        const char *family) {
        enum limit thresh2 = thresh1 + 1, thresh3 = thresh1 + 2;
        uint64_t *wanted = checking->wanted->values;

        check(checking, thresh3, n_seats * per_seat,
                "all namespaces share the table of %s neighbours, %zu seats need about %zu entries, and "
                "connections fail when it is full",
                family, n_seats, n_seats * per_seat);
        if (wanted[thresh3] == 0)
                return;
        wanted[thresh2] = wanted[thresh3] / 2;
        wanted[thresh1] = wanted[thresh3] / 4;
}

static void check_bridge(const struct limits_need *need, struct diagnostics *diagnostics) {
        if (need->n_ports > BRIDGE_PORTS_MAX)
                diagnostics_warning(diagnostics, need->bridge, 0,
                        "has %zu seats on the roster, but a Linux bridge has %u ports, so no more seats than "
                        "that can be up at the same time",
                        need->n_ports, BRIDGE_PORTS_MAX);
}

void limits_check(const struct limits *limits, const struct limits_need *need, struct limits *ret_wanted,
        struct diagnostics *diagnostics) {
        struct checking checking = {.limits = limits, .wanted = ret_wanted, .diagnostics = diagnostics};

        *ret_wanted = (struct limits){0};
        check_bridge(need, diagnostics);
        check_neighbours(&checking, LIMIT_NEIGH4_THRESH1, need->n_seats, NEIGH4_PER_SEAT, "IPv4");
        check_neighbours(&checking, LIMIT_NEIGH6_THRESH1, need->n_seats6, NEIGH6_PER_SEAT, "IPv6");
        if (need->n_seats > 0)
                check(&checking, LIMIT_NET_NAMESPACES, (need->n_seats + NAMESPACES_MARGIN) * 4U / 3U,
                        "each of %zu seat%s is a network namespace", need->n_seats,
                        need->n_seats == 1 ? "" : "s");
        check(&checking, LIMIT_CONNTRACK, need->n_nat * CONNECTIONS_PER_SEAT,
                "%zu seat%s this many connections with address translation", need->n_nat,
                need->n_nat == 1 ? " needs" : "s share");
        check(&checking, LIMIT_INOTIFY_INSTANCES, need->n_name_servers,
                "the name service of each of %zu courses needs one", need->n_name_servers);
        if (need->has_units && ret_wanted->values[LIMIT_INOTIFY_INSTANCES] == 0)
                check(&checking, LIMIT_INOTIFY_INSTANCES, INOTIFY_INSTANCES_MIN,
                        "the containers, editors and notebooks of a student share it");
}

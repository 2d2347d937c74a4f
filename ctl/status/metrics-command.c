/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Prints Prometheus' text format. If the activator cannot be reached, the seats are not known: then
 * coursenet_activator_up is 0 and their metrics are missing, so that they do not look like zeros.
 */

#include <inttypes.h>

#include "base/complain.h"
#include "base/traffic.h"
#include "base/unit-property.h"
#include "login-count.h"
#include "metrics-command.h"
#include "status-view.h"

const struct syntax metrics_syntax = {
        .usage = "Usage: coursenetctl metrics\n"
                 "\n"
                 "Prints numbers for Prometheus: seats and leases of each course, logins, traffic of each "
                 "seat.\n"
                 "coursenet-metrics.timer writes them to a file for node_exporter. For root only.\n",
};

static const char *const states[] = {"starting", "up", "stopping", "failed"};

static void print_head(const char *name, const char *type, const char *help) {
        (void)printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and newline are escaped. */
static void print_label(const char *name, const char *value, const char *end) {
        (void)printf("%s=\"", name);
        for (; *value; value++)
                if (*value == '\n')
                        (void)fputs("\\n", stdout);
                else
                        (void)printf("%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
        (void)printf("\"%s", end);
}

static void print_sample(
        const char *metric, const char *course, const char *label, const char *value, uint64_t number) {
        (void)printf("%s{", metric);
        print_label("course", course, ",");
        print_label(label, value, "}");
        (void)printf(" %" PRIu64 "\n", number);
}

/* --- seats ----------------------------------------------------------------------------------- */

static size_t count_seats(const struct snapshot *snapshot, const char *course, const char *state) {
        size_t n = 0;

        for (size_t i = 0; i < snapshot->n_seats; i++)
                n += string_equal(snapshot->seats[i].course, course) &&
                     string_equal(snapshot->seats[i].state, state);
        return n;
}

/* All courses that have a roster, so that a course without seats is zero and not missing. */
static void print_seats(const struct status_view *view) {
        print_head("coursenet_seats", "gauge", "Seats that are not down.");
        for (size_t i = 0; i < view->site.n_courses; i++)
                for (size_t j = 0; j < ELEMENTSOF(states); j++)
                        print_sample("coursenet_seats", view->site.courses[i].bridge.course, "state",
                                states[j],
                                count_seats(&view->snapshot, view->site.courses[i].bridge.course, states[j]));
}

static bool is_same(const struct reply *a, const struct reply *b) {
        return string_equal(a->course, b->course) && string_equal(a->service, b->service);
}

/* The list is short, and each course has few services. */
static void print_leases(const struct lease_list *list) {
        print_head("coursenet_leases", "gauge", "Logins and holds that use a seat.");
        for (size_t i = 0; i < list->n_leases; i++) {
                const struct reply *lease = &list->leases[i];
                size_t n = 0;
                bool first = true;

                for (size_t j = 0; j < list->n_leases; j++)
                        if (is_same(&list->leases[j], lease)) {
                                first = first && j >= i;
                                n++;
                        }
                if (first)
                        print_sample("coursenet_leases", lease->course, "service", lease->service, n);
        }
}

/* --- traffic --------------------------------------------------------------------------------- */

static const struct {
        const char *name, *help;
        size_t offset;
} counters[] = {
        {"coursenet_seat_receive_bytes_total", "Bytes that the seat has received since it is up.",
                offsetof(struct traffic, receive_bytes)},
        {"coursenet_seat_receive_packets_total", "Packets that the seat has received since it is up.",
                offsetof(struct traffic, receive_packets)},
        {"coursenet_seat_transmit_bytes_total", "Bytes that the seat has sent since it is up.",
                offsetof(struct traffic, transmit_bytes)},
        {"coursenet_seat_transmit_packets_total", "Packets that the seat has sent since it is up.",
                offsetof(struct traffic, transmit_packets)},
};

static void print_traffic(const struct snapshot *snapshot) {
        for (size_t i = 0; i < ELEMENTSOF(counters); i++) {
                print_head(counters[i].name, "counter", counters[i].help);
                for (size_t j = 0; j < snapshot->n_seats; j++) {
                        const struct snapshot_seat *seat = &snapshot->seats[j];
                        char link[sizeof("vl-") + SEAT_ID_SIZE];
                        struct traffic traffic;

                        (void)snprintf(link, sizeof(link), "vl-%s", seat->seat);
                        if (traffic_read(NETWORK_DIRECTORY, link, &traffic) >= 0)
                                print_sample(counters[i].name, seat->course, "seat", seat->seat,
                                        *(const uint64_t *)((const char *)&traffic + counters[i].offset));
                }
        }
}

/* --- logins ---------------------------------------------------------------------------------- */

static void print_histogram(const struct login_count *count) {
        static const char name[] = "coursenet_seat_start_seconds";
        uint64_t n = 0;

        print_head(name, "histogram", "How long logins waited for a seat that was down.");
        for (size_t i = 0; i < LOGIN_BUCKETS; i++) {
                n += count->buckets[i];
                (void)printf("%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, login_count_bounds[i], n);
        }
        n += count->n_slower;
        (void)printf("%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n", name, n, name,
                count->seconds, name, n);
}

static void print_refusal(const char *reason, uint64_t n) {
        (void)printf("coursenet_refusals_total{");
        print_label("reason", reason, "}");
        (void)printf(" %" PRIu64 "\n", n);
}

/* Each reason from the beginning, so that the first refusal counts as a growth. */
static void print_refusals(const struct login_count *count) {
        print_head("coursenet_refusals_total", "counter", "Logins and holds that were refused.");
        for (unsigned i = 0; i < _REFUSAL_MAX; i++)
                print_refusal(refusal_text((enum refusal)i), count->refusals[i]);
        print_refusal("other", count->n_other_refusals);
}

static void print_logins(const struct login_count *count) {
        print_head("coursenet_logins_total", "counter", "Logins that got a seat.");
        for (size_t i = 0; i < count->n_courses; i++) {
                (void)printf("coursenet_logins_total{");
                print_label("course", count->courses[i].course, "}");
                (void)printf(" %" PRIu64 "\n", count->courses[i].n_logins);
        }
        print_histogram(count);
        print_refusals(count);
}

/* --- the servers that share courses ------------------------------------------------------------ */

static void print_members(const struct hosts_list *list) {
        size_t n_up = 0, n_down = 0, n_drained = 0;

        for (size_t i = 0; i < list->n_members; i++) {
                n_up += list->members[i].up;
                n_down += !list->members[i].up;
                n_drained += list->members[i].drained;
        }
        print_head("coursenet_hosts_members", "gauge",
                "Servers that share courses; those that are drained count as up or down, too.");
        (void)printf("coursenet_hosts_members{state=\"up\"} %zu\ncoursenet_hosts_members{state=\"down\"} "
                     "%zu\ncoursenet_hosts_members{state=\"drained\"} %zu\n",
                n_up, n_down, n_drained);
        print_head("coursenet_hosts_claims", "gauge", "Seats of shared courses that are live on the server.");
        for (size_t i = 0; i < list->n_members; i++) {
                (void)printf("coursenet_hosts_claims{");
                print_label("host", list->members[i].host, "}");
                (void)printf(" %zu\n", list->members[i].n_claims);
        }
}

/* Nothing on a server that is alone. Without coursenet-hosts, only that it is not up. */
static void print_hosts(const struct paths *paths) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_hosts_list_ struct hosts_list list = {0};
        bool up;

        if (settings_load(paths->etc, &settings, &ignored) < 0 || !hosts_configured(&settings))
                return;
        up = hosts_list_load(paths->hosts_socket, &settings, &list) == EXIT_DONE;
        print_head("coursenet_hosts_up", "gauge", "Whether coursenet-hosts answers.");
        (void)printf("coursenet_hosts_up %d\n", up);
        if (!up)
                return;
        print_head("coursenet_hosts_cut_off", "gauge",
                "Whether this server has lost the store, so that its seats of shared courses are off the "
                "network.");
        (void)printf("coursenet_hosts_cut_off %d\n", list.cut_off);
        print_head("coursenet_hosts_deadline_seconds", "gauge",
                "Seconds until this server is cut off unless it reaches the store.");
        (void)printf("coursenet_hosts_deadline_seconds %.3f\n", (double)list.left_ms / 1000);
        print_members(&list);
}

/* --- the activator --------------------------------------------------------------------------- */

/* False: it does not run. */
static bool find_resident_bytes(const char *proc, uint64_t *ret) {
        _cleanup_unit_bus_ sd_bus *bus = NULL;
        _cleanup_fclose_ FILE *file = NULL;
        unsigned long long pages;
        char path[256];
        pid_t pid;

        if (sd_bus_open_system(&bus) < 0)
                return false;
        pid = unit_get_main_pid(bus, "coursenet-activator.service");
        (void)snprintf(path, sizeof(path), "%s/%ld/statm", proc, (long)pid);
        file = pid > 0 ? fopen(path, "re") : NULL;
        if (!file || fscanf(file, "%*u %llu", &pages) != 1)
                return false;
        *ret = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
        return true;
}

static void print_activator(const char *proc, bool up) {
        uint64_t bytes;

        print_head("coursenet_activator_up", "gauge", "Whether the activator answers.");
        (void)printf("coursenet_activator_up %d\n", up);
        if (!find_resident_bytes(proc, &bytes))
                return;
        print_head("coursenet_activator_resident_bytes", "gauge", "Resident memory of the activator.");
        (void)printf("coursenet_activator_resident_bytes %" PRIu64 "\n", bytes);
}

/* --------------------------------------------------------------------------------------------- */

int metrics_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_status_view_ struct status_view view = {0};
        _cleanup_login_count_ struct login_count count = {0};
        struct arguments arguments;
        int r;

        r = arguments_parse(argc, argv, &metrics_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        if (geteuid() != 0) {
                complain("Only root can run metrics, because only root can see all seats.");
                return EXIT_NO;
        }

        r = status_view_load(paths, NULL, &view);
        if (r == EXIT_DONE) {
                print_seats(&view);
                print_leases(&view.leases);
                print_traffic(&view.snapshot);
        }
        print_activator(paths->proc, r == EXIT_DONE);
        print_hosts(paths);
        r = login_count_update(paths->state, &count);
        if (r < 0) {
                complain("The logins cannot be counted: %s", strerror(-r));
                return EXIT_NO;
        }
        print_logins(&count);
        return EXIT_DONE;
}

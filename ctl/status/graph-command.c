/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Prints Graphviz' language: the server on the left, then its uplink, the bridge of each course, and the
 * seats with the users who are in them. dot(1) makes a picture of it.
 */

#include <inttypes.h>

#include "base/byte-count.h"
#include "base/complain.h"
#include "base/traffic.h"
#include "graph-command.h"
#include "status-view.h"

const struct syntax graph_syntax = {
        .usage = "Usage: coursenetctl graph [COURSE]\n"
                 "\n"
                 "Prints the server, the bridges and the seats that are up, for Graphviz. A picture of it:\n"
                 "    coursenetctl graph | dot -Tsvg >coursenet.svg\n"
                 "For root only.\n",
        .words_max = 1,
        .first = WORD_COURSE,
};

#define LABEL_SIZE 512U

/* In double quotes. A newline in the text becomes a new line of the label. */
static void print_quoted(const char *text) {
        (void)fputc('"', stdout);
        for (; *text; text++)
                if (*text == '\n')
                        (void)fputs("\\n", stdout);
                else
                        (void)printf("%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
        (void)fputc('"', stdout);
}

static void print_node(const char *id, const char *label, const char *attributes) {
        (void)fputs("    ", stdout);
        print_quoted(id);
        (void)fputs(" [label=", stdout);
        print_quoted(label);
        (void)printf("%s%s];\n", attributes[0] ? " " : "", attributes);
}

static void print_edge(const char *from, const char *to, const char *label) {
        (void)fputs("    ", stdout);
        print_quoted(from);
        (void)fputs(" -- ", stdout);
        print_quoted(to);
        (void)fputs(" [label=", stdout);
        print_quoted(label);
        (void)fputs("];\n", stdout);
}

/* --- the server ------------------------------------------------------------------------------ */

/* The interface of the default route for IPv4; "": there is none. */
static void find_uplink(const char *proc, char ret_name[static IFNAMSIZ]) {
        char path[256], line[256], name[IFNAMSIZ];
        _cleanup_fclose_ FILE *file = NULL;
        unsigned destination, mask;

        ret_name[0] = '\0';
        (void)snprintf(path, sizeof(path), "%s/net/route", proc);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", name, &destination, &mask) == 3 &&
                        destination == 0 && mask == 0) {
                        (void)string_copy(ret_name, IFNAMSIZ, name);
                        return;
                }
}

static void print_server(const char *proc) {
        char host[256] = "", uplink[IFNAMSIZ];

        (void)gethostname(host, sizeof(host) - 1);
        print_node("server", host, "shape=box3d fillcolor=\"#dddddd\"");
        find_uplink(proc, uplink);
        if (!uplink[0])
                return;
        print_node("outside", "other networks", "shape=ellipse fillcolor=\"#ffffff\"");
        print_edge("outside", "server", uplink);
}

/* --- courses --------------------------------------------------------------------------------- */

static void print_bridge(const struct status_view *view, const char *course) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        char label[LABEL_SIZE], gateway[ADDRESS_TEXT_SIZE] = "";
        struct bridge_plan bridge;

        if (bridge_plan_load(view->etc, &view->site.settings, course, &bridge, &ignored) >= 0)
                address_format(&bridge.address, gateway);
        else
                bridge_plan_name(course, &bridge);
        (void)snprintf(label, sizeof(label), "course %s\n%s%s%s", course, bridge.name, gateway[0] ? "\n" : "",
                gateway);
        print_node(bridge.name, label, "shape=box fillcolor=\"#cfe2f3\"");
        print_edge("server", bridge.name, "");
}

/* "in 1.5M, out 300k" */
static void format_traffic(const char *link, char *text, size_t size) {
        char in[BYTE_COUNT_SIZE], out[BYTE_COUNT_SIZE];
        struct traffic traffic;

        text[0] = '\0';
        if (traffic_read(NETWORK_DIRECTORY, link, &traffic) < 0)
                return;
        byte_count_format(traffic.receive_bytes, in);
        byte_count_format(traffic.transmit_bytes, out);
        (void)snprintf(text, size, "in %s, out %s", in, out);
}

/* Each service once, with how many leases it has if there are several. */
static void add_services(const struct snapshot_seat *seat, char *label, size_t size) {
        for (size_t i = 0; i < seat->n_leases; i++) {
                size_t n = 0, length = strlen(label);
                bool first = true;

                for (size_t j = 0; j < seat->n_leases; j++)
                        if (string_equal(seat->leases[j].service, seat->leases[i].service)) {
                                first = first && j >= i;
                                n++;
                        }
                if (first && n == 1)
                        (void)snprintf(label + length, size - length, "\n%s", seat->leases[i].service);
                else if (first)
                        (void)snprintf(
                                label + length, size - length, "\n%zu × %s", n, seat->leases[i].service);
        }
        if (seat->n_leases == 0 && seat->kept)
                (void)snprintf(
                        label + strlen(label), size - strlen(label), "\nkept by %.64s", seat->kept->text);
}

static const char *find_color(const struct snapshot_seat *seat) {
        if (string_equal(seat->state, "failed") || string_equal(seat->container, "failed"))
                return "fillcolor=\"#f4cccc\"";
        if (!string_equal(seat->state, "up"))
                return "fillcolor=\"#fff2cc\"";
        return "fillcolor=\"#d9ead3\"";
}

static void print_seat(const struct snapshot_seat *seat) {
        char label[LABEL_SIZE], address[ADDRESS_TEXT_SIZE] = "", traffic[96];
        struct seat_plan names;
        struct bridge_plan bridge;

        seat_plan_name(seat->seat, &names);
        bridge_plan_name(seat->course, &bridge);
        if (seat->has_address)
                address_format_ip(seat->address.ip, address);
        (void)snprintf(label, sizeof(label), "%s\n%s\n%s", seat->user[0] ? seat->user : seat->seat,
                seat->netns, address);
        if (!string_equal(seat->state, "up"))
                (void)snprintf(label + strlen(label), sizeof(label) - strlen(label), "\n%s", seat->state);
        add_services(seat, label, sizeof(label));
        format_traffic(names.link, traffic, sizeof(traffic));
        print_node(names.netns, label, find_color(seat));
        print_edge(bridge.name, names.netns, traffic);
}

static void print_graph(const char *proc, const struct status_view *view) {
        const char *course = "";

        (void)fputs("graph coursenet {\n"
                    "    rankdir=LR;\n"
                    "    node [shape=box style=\"filled,rounded\" fontname=\"sans-serif\" fontsize=11];\n"
                    "    edge [fontname=\"sans-serif\" fontsize=9 color=\"#666666\"];\n",
                stdout);
        print_server(proc);
        for (size_t i = 0; i < view->snapshot.n_seats; i++) {
                const struct snapshot_seat *seat = &view->snapshot.seats[i];

                if (!status_view_shows(view, seat))
                        continue;
                if (!string_equal(seat->course, course))
                        print_bridge(view, seat->course);
                course = seat->course;
                print_seat(seat);
        }
        (void)puts("}");
}

int graph_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_status_view_ struct status_view view = {0};
        struct arguments arguments;
        int r;

        r = arguments_parse(argc, argv, &graph_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        if (geteuid() != 0) {
                complain("Only root can run graph, because only root can see all seats.");
                return EXIT_NO;
        }
        r = status_view_load(paths, arguments.n_words > 0 ? arguments.words[0] : NULL, &view);
        if (r != EXIT_DONE)
                return r;
        if (view.word && !site_find_course(&view.site, view.word)) {
                complain("There is no course %s with a roster.", view.word);
                return EXIT_NO;
        }
        print_graph(paths->proc, &view);
        return EXIT_DONE;
}

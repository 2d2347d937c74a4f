/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Prints Graphviz' language, from left to right: other networks, the uplinks with what is masqueraded there,
 * the server, the bridge of each course, and the seats with the users who are in them. dot(1) makes a picture
 * of it.
 */

#include <inttypes.h>

#include "base/byte-count.h"
#include "base/complain.h"
#include "base/target.h"
#include "base/traffic.h"
#include "graph-command.h"
#include "status-view.h"
#include "uplink-list.h"

const struct syntax graph_syntax = {
        .usage = "Usage: coursenetctl graph [--hosts] [COURSE]\n"
                 "\n"
                 "Prints the uplinks, the server, the bridges and the seats that are up, for Graphviz. A "
                 "picture of it:\n"
                 "    coursenetctl graph | dot -Tsvg >coursenet.svg\n"
                 "With --hosts, also the seats that are live on the servers that share courses, in a box "
                 "for each\n"
                 "server. For root only.\n",
        .options = TAKES_HOSTS,
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

static void print_edge(const char *from, const char *to, const char *label, const char *attributes) {
        (void)fputs("    ", stdout);
        print_quoted(from);
        (void)fputs(" -- ", stdout);
        print_quoted(to);
        (void)fputs(" [label=", stdout);
        print_quoted(label);
        (void)printf("%s%s];\n", attributes[0] ? " " : "", attributes);
}

/* "in 1.5M, out 300k", as the seat sees it, or the server. */
static void format_traffic(const char *link, bool of_server, char *text, size_t size) {
        char received[BYTE_COUNT_SIZE], sent[BYTE_COUNT_SIZE];
        struct traffic traffic;

        text[0] = '\0';
        if (traffic_read(NETWORK_DIRECTORY, link, &traffic) < 0)
                return;
        byte_count_format(traffic.receive_bytes, received);
        byte_count_format(traffic.transmit_bytes, sent);
        (void)snprintf(text, size, "in %s, out %s", of_server ? sent : received, of_server ? received : sent);
}

/* --- the server ------------------------------------------------------------------------------ */

/* What of the courses goes out by the uplinks, a line for each subnet: the label of the arrow. */
struct outward {
        char text[LABEL_SIZE];
        unsigned n_more; /* that have no line */
};

#define OUTWARD_LINES 6U

static void add_outward(struct outward *outward, const char *subnet, bool masqueraded) {
        size_t length = strlen(outward->text), n_lines = 0;

        for (size_t i = 0; i < length; i++)
                n_lines += outward->text[i] == '\n';
        if (n_lines >= OUTWARD_LINES)
                outward->n_more++;
        else
                (void)snprintf(outward->text + length, sizeof(outward->text) - length, "%s%s\n", subnet,
                        masqueraded ? " masqueraded" : "");
}

static void add_subnets(struct outward *outward, const struct bridge_plan *bridge) {
        const struct address subnet = {address_network(&bridge->address), bridge->address.prefix};
        const struct address6 subnet6 = address6_network(&bridge->address6);
        char text[ADDRESS6_TEXT_SIZE];

        address_format(&subnet, text);
        add_outward(outward, text, bridge->traffic.nat);
        if (!address6_is_set(&bridge->address6))
                return;
        address6_format(&subnet6, text);
        add_outward(outward, text, bridge->traffic.nat6 == CHOICE_YES);
}

static void print_server(void) {
        char host[256] = "";

        (void)gethostname(host, sizeof(host) - 1);
        print_node("server", host, "shape=box3d fillcolor=\"#dddddd\"");
}

/* From left to right: other networks, the uplinks, the server. */
static void print_uplinks(const struct status_view *view, const char *proc, struct outward *outward) {
        struct uplink_list uplinks;
        size_t length = strlen(outward->text);

        if (outward->n_more > 0)
                (void)snprintf(outward->text + length, sizeof(outward->text) - length, "and %u more\n",
                        outward->n_more);
        uplink_list(&view->site.settings, proc, &uplinks);
        if (uplinks.n_names > 0)
                print_node("outside", "other networks", "shape=ellipse fillcolor=\"#ffffff\"");
        for (size_t i = 0; i < uplinks.n_names; i++) {
                const char *name = uplinks.names[i];
                char id[sizeof("uplink ") + IFNAMSIZ], label[LABEL_SIZE], traffic[96];

                (void)snprintf(id, sizeof(id), "uplink %s", name);
                (void)snprintf(label, sizeof(label), "%s", name);
                uplink_add_addresses(name, label, sizeof(label));
                format_traffic(name, true, traffic, sizeof(traffic));
                print_node(id, label, "shape=box fillcolor=\"#fce5cd\"");
                print_edge("outside", id, traffic, "");
                print_edge(id, "server", outward->text, "dir=back");
        }
}

/* --- courses --------------------------------------------------------------------------------- */

static void print_bridge(const struct status_view *view, const char *course, struct outward *outward) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        char label[LABEL_SIZE], gateway[ADDRESS_TEXT_SIZE] = "";
        struct bridge_plan bridge;

        if (bridge_plan_load(view->etc, &view->site.settings, course, &bridge, &ignored) >= 0) {
                address_format(&bridge.address, gateway);
                add_subnets(outward, &bridge);
        } else
                bridge_plan_name(course, &bridge);
        (void)snprintf(label, sizeof(label), "course %s\n%s%s%s", course, bridge.name, gateway[0] ? "\n" : "",
                gateway);
        print_node(bridge.name, label, "shape=box fillcolor=\"#cfe2f3\"");
        print_edge("server", bridge.name, "", "");
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
        format_traffic(names.link, false, traffic, sizeof(traffic));
        print_node(names.netns, label, find_color(seat));
        print_edge(bridge.name, names.netns, traffic, "");
}

/* The seats of each other server, in a box of its own that has the server's name. */
static void print_boxes(const struct status_view *view) {
        for (size_t i = 0; i < view->hosts.n_members; i++) {
                const char *host = view->hosts.members[i].host;
                char id[sizeof("cluster ") + HOST_MEMBER_NAME_SIZE];

                if (string_equal(host, view->hosts.own))
                        continue;
                (void)snprintf(id, sizeof(id), "cluster %s", host);
                (void)fputs("    subgraph ", stdout);
                print_quoted(id);
                (void)fputs(" {\n    label=", stdout);
                print_quoted(host);
                (void)fputs(";\n", stdout);
                for (size_t j = 0; j < view->snapshot.n_seats; j++) {
                        const struct snapshot_seat *seat = &view->snapshot.seats[j];

                        if (!seat->claim || !status_view_shows(view, seat) ||
                                !string_equal(seat->claim->host, host))
                                continue;
                        (void)fputs("    ", stdout);
                        print_quoted(seat->netns);
                        (void)fputs(";\n", stdout);
                }
                (void)fputs("    }\n", stdout);
        }
}

static void print_graph(const char *proc, const struct status_view *view) {
        struct outward outward = {0};
        const char *course = "";

        (void)fputs("graph coursenet {\n"
                    "    rankdir=LR;\n"
                    "    node [shape=box style=\"filled,rounded\" fontname=\"sans-serif\" fontsize=11];\n"
                    "    edge [fontname=\"sans-serif\" fontsize=9 color=\"#666666\"];\n",
                stdout);
        print_server();
        for (size_t i = 0; i < view->snapshot.n_seats; i++) {
                const struct snapshot_seat *seat = &view->snapshot.seats[i];

                if (!status_view_shows(view, seat))
                        continue;
                if (!string_equal(seat->course, course))
                        print_bridge(view, seat->course, &outward);
                course = seat->course;
                print_seat(seat);
        }
        print_boxes(view);
        print_uplinks(view, proc, &outward);
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
        if (r == EXIT_DONE && arguments.hosts)
                r = status_view_add_hosts(paths, &view);
        if (r != EXIT_DONE)
                return r;
        if (view.word && !site_find_course(&view.site, view.word)) {
                if (!target_explain(view.etc, &view.site.settings, view.scope, view.word))
                        complain("There is no course %s with a roster.", view.word);
                return EXIT_NO;
        }
        print_graph(paths->proc, &view);
        return EXIT_DONE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The addresses of a course that is up come from the kernel and not from the configuration. An edit of the
 * configuration takes effect at the next start, and must not give a bridge that is up a firewall for another
 * subnet.
 */

#include <arpa/inet.h>
#include <resolv.h>
#include <time.h>

#include "base/failure.h"
#include "base/runtime-file.h"
#include "course-rules.h"
#include "forwarding.h"
#include "hosts.h"
#include "kernel/link.h"
#include "kernel/qdisc.h"
#include "kernel/sysctl.h"
#include "nftables.h"
#include "number.h"
#include "setting-value.h"

#define NETWORK "the courses' network"

/* What was applied last. */
#define RULES_FILE RUN_DIRECTORY "/courses.nft"

/* There is a table of the family "bridge". Without one, the kernel need not know the family. */
#define EXAMS_FILE RUN_DIRECTORY "/exams"

static const struct forwarding_paths forwarding_paths = {
        .root = SYSCTL_ROOT,
        .state = RUN_DIRECTORY "/forwarding",
};

/* --- what is up ---------------------------------------------------------------------------------------- */

struct live {
        struct bridge_plan *courses;
        int *indices; /* of their bridges */
        size_t n_courses;
        struct link_names bridged; /* others' bridges */
        struct exams exams;
        struct ruleset_exam *examined; /* the courses above that are in an exam */
        size_t n_examined;
        bool any_spread;
        bool flowtable; /* if a course wants it */
        uint32_t members[HOSTS_MAX];
        size_t n_members;
};

static void live_done(struct live *live) {
        for (size_t i = 0; i < live->n_examined; i++)
                free(live->examined[i].allow);
        free(live->examined);
        exams_done(&live->exams);
        free(live->courses);
        free(live->indices);
        *live = (struct live){0};
}

#define _cleanup_live_ _cleanup_(live_done)

static void find_address(const struct link_networks *networks, int index, struct address *ret) {
        for (size_t i = 0; i < networks->n_items; i++)
                if (networks->items[i].index == index) {
                        *ret = networks->items[i].address;
                        return;
                }
}

static void find_address6(const struct link_networks6 *networks, int index, struct address6 *ret) {
        for (size_t i = 0; i < networks->n_items; i++)
                if (networks->items[i].index == index) {
                        *ret = networks->items[i].address;
                        return;
                }
}

/* As the addresses, this comes from the kernel. */
static uint32_t find_vni(const struct links *stretches, const struct link *bridge) {
        for (size_t i = 0; i < stretches->n_items; i++)
                if (stretches->items[i].master == bridge->index)
                        return stretches->items[i].vxlan.vni;
        return 0;
}

static void list_members(const struct settings *settings, struct live *live) {
        for (size_t i = 0; i < settings->hosts.n_members; i++)
                live->members[live->n_members++] = hosts_member(settings, i).address;
}

/*
 * A bridge without an address is listed too, because it still has seats, and the rules must filter their
 * packets.
 */
static int list_courses(struct link_socket *socket, const struct links *bridges,
        const struct settings *settings, struct live *ret) {
        _cleanup_link_networks_ struct link_networks networks = {0};
        _cleanup_link_networks6_ struct link_networks6 networks6 = {0};
        _cleanup_links_ struct links stretches = {0};
        _cleanup_live_ struct live live = {0};
        int r;

        r = link_list_addresses(socket, &networks);
        if (r >= 0)
                r = link_list_addresses6(socket, &networks6);
        if (r >= 0 && hosts_configured(settings))
                r = link_list_ours(socket, "vxlan", &stretches);
        if (r < 0)
                return r;
        list_members(settings, &live);

        live.courses = calloc(bridges->n_items + 1, sizeof(*live.courses));
        live.indices = calloc(bridges->n_items + 1, sizeof(*live.indices));
        if (!live.courses || !live.indices)
                return -ENOMEM;
        for (size_t i = 0; i < bridges->n_items; i++) {
                const char *course = bridge_course(bridges->items[i].name);
                struct bridge_plan *plan = &live.courses[live.n_courses];

                if (bridges->items[i].group != COURSENET_LINK_GROUP) {
                        if (uplink_valid(bridges->items[i].name))
                                link_names_add(&live.bridged, bridges->items[i].name);
                        continue;
                }
                if (!course)
                        continue;
                bridge_plan_name(course, plan);
                find_address(&networks, bridges->items[i].index, &plan->address);
                find_address6(&networks6, bridges->items[i].index, &plan->address6);
                plan->mac = bridges->items[i].mac;
                plan->vni = find_vni(&stretches, &bridges->items[i]);
                live.any_spread |= plan->vni > 0;
                live.indices[live.n_courses] = bridges->items[i].index;
                bridge_plan_set_traffic(settings, plan);
                live.n_courses++;
        }

        *ret = live;
        live = (struct live){0};
        return 0;
}

/* --- exams --------------------------------------------------------------------------------------------- */

static bool has_name(const struct exam *exam, const char *name) {
        for (size_t i = 0; i < exam->n_names; i++)
                if (string_equal(exam->names[i], name))
                        return true;
        return false;
}

static int add_allow(struct ruleset_exam *exam, const struct exam_allow *allow) {
        struct exam_allow *all = reallocarray(exam->allow, exam->n_allow + 1, sizeof(*all));

        if (!all)
                return -ENOMEM;
        exam->allow = all;
        all[exam->n_allow++] = *allow;
        return 0;
}

/* The addresses of allowed names are in the file that the name service answers from, as in hosts(5). */
static int add_named(struct ruleset_exam *exam) {
        char path[sizeof(EXAM_HOSTS_DIRECTORY "/") + COURSE_SIZE];
        _cleanup_free_ char *text = NULL;
        struct exam_allow allow;
        int r = 0;

        (void)snprintf(path, sizeof(path), EXAM_HOSTS_DIRECTORY "/%s", exam->exam->course);
        if (exam->exam->n_names == 0 || runtime_file_read(path, &text) < 0)
                return 0;
        for (char *rest = text, *line; r >= 0 && (line = strsep(&rest, "\n"));) {
                char *name = strchr(line, ' ');

                if (!name)
                        continue;
                *name++ = '\0';
                if (has_name(exam->exam, name) && exam_allow_parse(line, &allow) >= 0)
                        r = add_allow(exam, &allow);
        }
        return r;
}

static int add_exam(const struct exam *exam, const char *bridge, struct live *live) {
        struct ruleset_exam *added = &live->examined[live->n_examined++];
        int r = 0;

        *added = (struct ruleset_exam){.bridge = bridge, .exam = exam};
        for (size_t i = 0; r >= 0 && i < exam->n_allow; i++)
                r = add_allow(added, &exam->allow[i]);
        return r < 0 ? r : add_named(added);
}

static int list_exams(struct live *live, struct diagnostics *diagnostics) {
        int r;

        if (live->n_courses == 0)
                return 0;
        r = exams_load(STATE_DIRECTORY, (uint64_t)time(NULL), &live->exams, diagnostics);
        if (r < 0)
                return failure(diagnostics, STATE_DIRECTORY "/" EXAM_DIRECTORY, r, "cannot be read");
        live->examined = calloc(live->n_courses + 1, sizeof(*live->examined));
        if (!live->examined)
                return failure(diagnostics, NETWORK, -ENOMEM, "cannot be set up");
        for (size_t i = 0; r >= 0 && i < live->n_courses; i++) {
                const struct exam *exam = exams_find(&live->exams, live->courses[i].course);

                if (exam)
                        r = add_exam(exam, live->courses[i].name, live);
        }
        return r < 0 ? failure(diagnostics, NETWORK, r, "cannot be set up") : 0;
}

static int list_uplinks(struct link_socket *socket, const struct settings *settings, struct link_names *ret) {
        _cleanup_links_ struct links links = {0};
        int r;

        for (size_t i = 0; i < settings->n_uplinks; i++)
                link_names_add(ret, settings->uplinks[i]);
        if (settings->n_uplinks > 0)
                return 0;

        r = link_list_default_interfaces(socket, &links);
        for (size_t i = 0; r >= 0 && i < links.n_items; i++)
                /* A name in quotes is a pattern in nft if it ends with an asterisk. */
                if (links.items[i].group != COURSENET_LINK_GROUP && uplink_valid(links.items[i].name))
                        link_names_add(ret, links.items[i].name);
        return r;
}

/* --- the host's resolvers ------------------------------------------------------------------------------ */

/*
 * Resolvers on the loopback need no rule of their own. A link-local resolver is unusable without its
 * interface.
 */
static void add_resolver(struct ruleset_courses *courses, int family, const void *address) {
        char text[INET6_ADDRSTRLEN];

        if (courses->n_resolvers == RULESET_RESOLVERS_MAX ||
                !inet_ntop(family, address, text, sizeof(text)) || string_starts_with(text, "127.") ||
                string_equal(text, "::1") || string_starts_with(text, "fe80:") || !server_valid(text))
                return;
        for (size_t i = 0; i < courses->n_resolvers; i++)
                if (string_equal(courses->resolvers[i], text))
                        return;
        (void)string_copy(courses->resolvers[courses->n_resolvers++], INET6_ADDRSTRLEN, text);
}

/* As glibc reads /etc/resolv.conf; IPv6 servers are in an extension of its state. */
static void list_resolvers(struct ruleset_courses *courses) {
        struct __res_state state;

        memset(&state, 0, sizeof(state));
        if (res_ninit(&state) != 0)
                return;
        for (int i = 0; i < state.nscount && i < MAXNS; i++) {
                const struct sockaddr_in6 *six = state._u._ext.nsaddrs[i];

                if (state.nsaddr_list[i].sin_family == AF_INET)
                        add_resolver(courses, AF_INET, &state.nsaddr_list[i].sin_addr);
                else if (six && six->sin6_family == AF_INET6)
                        add_resolver(courses, AF_INET6, &six->sin6_addr);
        }
        res_nclose(&state);
}

/* --- applying ------------------------------------------------------------------------------------------ */

/* A device that does not exist would make the whole transaction fail. */
static void find_flow_uplinks(const struct link_names *uplinks, struct link_names *ret) {
        for (size_t i = 0; i < uplinks->n_items; i++)
                if (if_nametoindex(uplinks->items[i]) != 0)
                        link_names_add(ret, uplinks->items[i]);
}

static bool needs_bridge_table(const struct live *live) {
        return live->n_examined > 0 || live->any_spread;
}

/* NULL: out of memory. */
static char *format_rules(const struct live *live, const struct settings *settings,
        const struct forwarding *forwarding, char *(*format)(const struct ruleset_courses *courses)) {
        struct ruleset_courses courses = {
                .courses = live->courses,
                .n_courses = live->n_courses,
                .uplinks = forwarding->uplinks,
                .opened4 = forwarding->opened4,
                .opened6 = forwarding->opened6,
                .opened6_all = forwarding->opened6_all,
                .bridged = live->bridged,
                .dns = settings->dns.source != DNS_OFF,
                .exams = live->examined,
                .n_exams = live->n_examined,
                .members = live->members,
                .n_members = live->n_members,
        };

        if (live->flowtable)
                find_flow_uplinks(&forwarding->uplinks, &courses.flow_uplinks);
        if (courses.dns)
                list_resolvers(&courses);
        return format(&courses);
}

/*
 * Both tables, which are applied in one transaction. The table of exams is left out if there is none and
 * shall be none.
 */
static char *format_tables(const struct live *live, const struct settings *settings,
        const struct forwarding *forwarding, char *(*format)(const struct ruleset_courses *courses)) {
        _cleanup_free_ char *courses = format_rules(live, settings, forwarding, format), *exams = NULL;
        char *tables;

        if (needs_bridge_table(live) || access(EXAMS_FILE, F_OK) >= 0)
                exams = format_rules(live, settings, forwarding, ruleset_format_exams);
        else
                exams = strdup("");
        return courses && exams && asprintf(&tables, "%s%s", courses, exams) >= 0 ? tables : NULL;
}

/* False if there is a table already. See ruleset_format_first_course(). */
static bool apply_first_course(
        const struct live *live, const struct settings *settings, const struct forwarding *forwarding) {
        _cleanup_diagnostics_ struct diagnostics said = {0};
        _cleanup_free_ char *commands = NULL;

        if (live->n_courses != 1)
                return false;
        commands = format_tables(live, settings, forwarding, ruleset_format_first_course);
        return commands && nftables_apply(commands, NETWORK, &said) >= 0;
}

/* For restore_rules(). A flowtable is left out, because one of its devices may be gone by then. */
static void save_rules(
        const struct live *live, const struct settings *settings, const struct forwarding *forwarding) {
        _cleanup_free_ char *commands = format_tables(live, settings, forwarding, ruleset_format_courses);

        if (commands)
                (void)runtime_file_write(RULES_FILE, commands, 0600);
}

static int apply_tables(const struct live *live, const struct settings *settings,
        const struct forwarding *forwarding, struct diagnostics *diagnostics) {
        _cleanup_free_ char *commands = NULL;
        int r;

        commands = format_tables(live, settings, forwarding, ruleset_format_courses);
        if (!commands)
                return failure(diagnostics, NETWORK, -ENOMEM, "cannot be set up");
        if (!apply_first_course(live, settings, forwarding)) {
                r = nftables_apply(commands, NETWORK, diagnostics);
                if (r < 0)
                        return r;
        }
        if (!live->flowtable)
                (void)runtime_file_write(RULES_FILE, commands, 0600);
        return 0;
}

/*
 * Not every kernel has flowtables, and one of the devices may go just now. A new link or route makes the
 * watch compute the rules again.
 */
static int apply_with_flowtable(struct live *live, const struct settings *settings,
        const struct forwarding *forwarding, struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics said = {0};
        int r;

        live->flowtable = true;
        r = apply_tables(live, settings, forwarding, &said);
        live->flowtable = false;
        if (r >= 0) {
                save_rules(live, settings, forwarding);
                return 0;
        }
        r = apply_tables(live, settings, forwarding, diagnostics);
        if (r >= 0 && said.n_items > 0)
                diagnostics_warning(diagnostics, "flowtable", 0,
                        "is left out, so connections of the seats take the usual way: %s",
                        said.items[0].text);
        return r;
}

static bool wants_flowtable(const struct live *live) {
        for (size_t i = 0; i < live->n_courses; i++)
                if (live->courses[i].traffic.flowtable)
                        return true;
        return false;
}

static int apply_rules(struct live *live, const struct settings *settings,
        const struct forwarding *forwarding, struct diagnostics *diagnostics) {
        int r;

        if (needs_bridge_table(live))
                (void)runtime_file_write(EXAMS_FILE, "", 0600);
        r = wants_flowtable(live) ? apply_with_flowtable(live, settings, forwarding, diagnostics)
                                  : apply_tables(live, settings, forwarding, diagnostics);
        if (r >= 0 && !needs_bridge_table(live))
                runtime_file_remove(EXAMS_FILE);
        return r;
}

/* If the settings have a mistake, the last rules are applied again, in case somebody has flushed them. */
static void restore_rules(struct diagnostics *diagnostics) {
        _cleanup_free_ char *commands = NULL;

        if (runtime_file_read(RULES_FILE, &commands) >= 0)
                (void)nftables_apply(commands, NETWORK, diagnostics);
}

static uint64_t find_rate(const struct qdisc_rates *rates, int index) {
        for (size_t i = 0; i < rates->n_items; i++)
                if (rates->items[i].index == index)
                        return rates->items[i].bits;
        return 0;
}

/* The limit of each course in the direction of its seats; see put_limits() in ruleset-courses.c for the
 * other. */
static int apply_rates(struct link_socket *socket, const struct live *live) {
        _cleanup_qdisc_rates_ struct qdisc_rates rates = {0};
        int r;

        r = qdisc_list_rates(socket, &rates);
        for (size_t i = 0; r >= 0 && i < live->n_courses; i++) {
                uint64_t bits = live->courses[i].traffic.course_rate.bits;

                if (find_rate(&rates, live->indices[i]) / 8 != bits / 8)
                        r = qdisc_set_rate(socket, live->indices[i], bits);
        }
        return r;
}

/*
 * Rules are added before forwarding is switched on and removed after it is switched off, so no packet is
 * forwarded without them.
 */
static int apply(struct live *live, const struct settings *settings, struct forwarding *forwarding,
        struct diagnostics *diagnostics) {
        int r;

        forwarding->courses = live->courses;
        forwarding->n_courses = live->n_courses;
        r = forwarding_plan(&forwarding_paths, forwarding, diagnostics);
        if (r >= 0)
                r = forwarding_close(&forwarding_paths, forwarding, diagnostics);
        if (r >= 0)
                r = apply_rules(live, settings, forwarding, diagnostics);
        return r < 0 ? r : forwarding_open(&forwarding_paths, forwarding, diagnostics);
}

static bool any_ours(const struct links *links) {
        for (size_t i = 0; i < links->n_items; i++)
                if (links->items[i].group == COURSENET_LINK_GROUP)
                        return true;
        return false;
}

/* Without a course no configuration is needed, so a stop works without it. */
static int load_courses(struct link_socket *socket, const char *etc, struct settings *settings,
        struct live *ret, struct diagnostics *diagnostics) {
        _cleanup_links_ struct links bridges = {0};
        int r;

        r = link_list_kind(socket, "bridge", &bridges);
        if (r < 0)
                return failure(diagnostics, NETWORK, r, "the host's bridges cannot be listed");
        if (!any_ours(&bridges))
                return 0;
        r = settings_load(etc, settings, diagnostics);
        if (r < 0)
                return r;
        r = list_courses(socket, &bridges, settings, ret);
        return r < 0 ? failure(diagnostics, NETWORK, r, "the host's addresses cannot be listed") : 0;
}

static int refresh(struct link_socket *socket, const char *etc, struct diagnostics *diagnostics) {
        _cleanup_settings_ struct settings settings = {0};
        struct forwarding forwarding = {0};
        _cleanup_live_ struct live live = {0};
        int r;

        r = load_courses(socket, etc, &settings, &live, diagnostics);
        if (r >= 0)
                r = list_exams(&live, diagnostics);
        if (r < 0) {
                restore_rules(diagnostics);
                return r;
        }
        if (live.n_courses > 0)
                r = list_uplinks(socket, &settings, &forwarding.uplinks);
        if (r < 0)
                return failure(diagnostics, NETWORK, r, "the host's default routes cannot be listed");
        r = apply_rates(socket, &live);
        if (r < 0)
                return failure(diagnostics, NETWORK, r, "course-rate cannot be set");
        return apply(&live, &settings, &forwarding, diagnostics);
}

int course_rules_refresh(const char *etc, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_close_ int lock = -1;
        int r;

        r = runtime_lock_take(RUN_DIRECTORY "/network.lock", &lock);
        if (r < 0)
                return failure(diagnostics, RUN_DIRECTORY "/network.lock", r, "cannot be locked");
        r = link_open(&socket);
        if (r < 0)
                return failure(
                        diagnostics, NETWORK, r, "the kernel's network configuration cannot be reached");
        return refresh(&socket, etc, diagnostics);
}

/* Whether there is one, which depends on the kernel, too. An administrator is told if it is missing. */
static void find_flowtable(struct live *live, struct diagnostics *diagnostics) {
        _cleanup_free_ char *listing = NULL;

        if (!wants_flowtable(live))
                return;
        live->flowtable = nftables_list_table(RULESET_COURSES, &listing) >= 0 &&
                          strstr(listing, "\tflowtable " RULESET_FLOWTABLE " {");
        if (!live->flowtable)
                diagnostics_warning(diagnostics, "flowtable", 0,
                        "is set, but the firewall has none, so connections of the seats take the usual way: "
                        "there is no uplink now, each such course has a course-rate, or the kernel has "
                        "refused it (journalctl -b -g flowtable)");
}

int course_rules_format(const char *etc, char **ret, char **ret_exams, struct link_names *ret_uplinks,
        struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct forwarding forwarding = {0};
        _cleanup_live_ struct live live = {0};
        char *commands, *exams = NULL;
        int r;

        r = link_open(&socket);
        if (r < 0)
                return failure(
                        diagnostics, NETWORK, r, "the kernel's network configuration cannot be reached");
        r = load_courses(&socket, etc, &settings, &live, diagnostics);
        if (r < 0)
                return r;
        /* coursenetctl reports mistakes in the files. */
        r = list_exams(&live, &ignored);
        if (r < 0)
                return failure(diagnostics, STATE_DIRECTORY "/" EXAM_DIRECTORY, r, "cannot be read");
        r = list_uplinks(&socket, &settings, &forwarding.uplinks);
        if (r < 0)
                return failure(diagnostics, NETWORK, r, "the host's default routes cannot be listed");

        forwarding.courses = live.courses;
        forwarding.n_courses = live.n_courses;
        r = forwarding_plan(&forwarding_paths, &forwarding, diagnostics);
        if (r < 0)
                return r;
        find_flowtable(&live, diagnostics);
        commands = format_rules(&live, &settings, &forwarding, ruleset_format_courses);
        if (commands && needs_bridge_table(&live))
                exams = format_rules(&live, &settings, &forwarding, ruleset_format_exams);
        if (!commands || (needs_bridge_table(&live) && !exams)) {
                free(commands);
                return failure(diagnostics, NETWORK, -ENOMEM, "cannot be computed");
        }

        *ret = commands;
        *ret_exams = exams;
        *ret_uplinks = forwarding.uplinks;
        return 0;
}

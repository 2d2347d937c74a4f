/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The record always has at least the switches that coursenet has turned on: an entry is written before its
 * switch is turned on, and removed after it is turned off. If this program is killed in between, the record
 * has an entry too many, which the next run removes.
 */

#include <dirent.h>

#include "base/failure.h"
#include "base/runtime-file.h"
#include "forwarding.h"
#include "kernel/sysctl.h"

#define PATH_SIZE 96U

enum family {
        IPV4,
        IPV6,
};

static void format_switch(enum family family, const char *link, char ret_path[static PATH_SIZE]) {
        if (family == IPV4)
                (void)snprintf(ret_path, PATH_SIZE, "net/ipv4/conf/%s/forwarding", link);
        else
                (void)snprintf(ret_path, PATH_SIZE, "net/ipv6/conf/%s/force_forwarding", link);
}

/*
 * The switches below root, and the first error other than that there is no such switch. A plan with an error
 * is not used: what cannot be read is neither on nor off.
 */
struct switches {
        const char *root;
        int error;
};

static bool take(struct switches *switches, int r) {
        /* The link has gone, or the kernel does not have the switch. */
        if (r < 0 && r != -ENOENT && switches->error == 0)
                switches->error = r;
        return r >= 0;
}

static bool reads(struct switches *switches, const char *path, const char *value) {
        char text[16];

        return take(switches, sysctl_read(switches->root, path, text, sizeof(text))) &&
               string_equal(text, value);
}

/* --- the record ---------------------------------------------------------------------------------------- */

/*
 * Lines "ipv4 up0 2", "ipv6 up0 2", "accept_ra up0 2" and "ipv6 all 0". The number is the link's index, by
 * which one is found again that has been renamed: its switches stay as they are.
 */
static void parse_line(const char *line, struct forwarding *ret) {
        char kind[16], name[IFNAMSIZ], renamed[IFNAMSIZ];
        unsigned index = 0;

        if (sscanf(line, "%15s %15s %u", kind, name, &index) < 2)
                return;
        if (index > 0 && if_nametoindex(name) == 0 && if_indextoname(index, renamed))
                (void)string_copy(name, sizeof(name), renamed);

        if (string_equal(kind, "ipv4"))
                link_names_add(&ret->opened4, name);
        else if (string_equal(kind, "accept_ra"))
                link_names_add(&ret->accept_ra, name);
        else if (string_equal(kind, "ipv6") && string_equal(name, "all"))
                ret->opened6_all = true;
        else if (string_equal(kind, "ipv6"))
                link_names_add(&ret->opened6, name);
}

/*
 * No record is an empty one. One that cannot be read is an error, because it would be written without its
 * switches.
 */
static int read_record(const char *path, struct forwarding *ret) {
        _cleanup_free_ char *text = NULL;
        char *rest;
        int r;

        *ret = (struct forwarding){0};
        r = runtime_file_read(path, &text);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        rest = text;
        for (char *line; (line = strsep(&rest, "\n"));)
                parse_line(line, ret);
        return 0;
}

/*
 * "all" and "default" are no links. The kernel would run modprobe(8) to find a driver for a link that does
 * not exist (dev_load() in net/core/dev_ioctl.c), and the caller would wait for it.
 */
static unsigned index_of(const char *name) {
        return string_equal(name, "all") || string_equal(name, "default") ? 0 : if_nametoindex(name);
}

static void print_names(FILE *stream, const char *kind, const struct link_names *names) {
        for (size_t i = 0; i < names->n_items; i++)
                (void)fprintf(stream, "%s %s %u\n", kind, names->items[i], index_of(names->items[i]));
}

static int write_record(const char *path, const struct forwarding *forwarding) {
        _cleanup_free_ char *text = NULL;
        FILE *stream;
        size_t size;
        int r;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        print_names(stream, "ipv4", &forwarding->opened4);
        print_names(stream, "ipv6", &forwarding->opened6);
        print_names(stream, "accept_ra", &forwarding->accept_ra);
        if (forwarding->opened6_all)
                (void)fputs("ipv6 all 0\n", stream);
        if (fclose(stream) != 0)
                return -ENOMEM;
        r = runtime_file_write(path, text, 0600);
        return r < 0 ? r : 0;
}

static void add_names(struct link_names *names, const struct link_names *more) {
        for (size_t i = 0; i < more->n_items; i++)
                link_names_add(names, more->items[i]);
}

/* before gets the entries of both. */
static void join(struct forwarding *before, const struct forwarding *now) {
        add_names(&before->opened4, &now->opened4);
        add_names(&before->opened6, &now->opened6);
        add_names(&before->accept_ra, &now->accept_ra);
        before->opened6_all |= now->opened6_all;
}

/* --- the plan ------------------------------------------------------------------------------------------ */

/*
 * Links that coursenet has switched on stay in the record. Others are switched on if they do not forward yet.
 */
static void plan_links(struct switches *switches, enum family family, const struct link_names *uplinks,
        const struct link_names *before, struct link_names *ret) {
        char path[PATH_SIZE];

        for (size_t i = 0; i < uplinks->n_items; i++) {
                format_switch(family, uplinks->items[i], path);
                if (link_names_have(before, uplinks->items[i]) || reads(switches, path, "0"))
                        link_names_add(ret, uplinks->items[i]);
        }
}

static void add_accept_ra(struct switches *switches, const char *link, struct link_names *ret) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "net/ipv6/conf/%.15s/accept_ra", link);
        if (reads(switches, path, "1"))
                link_names_add(ret, link);
}

/*
 * Every link of the host that takes router advertisements, and would no more once the host forwards. The
 * uplinks come first, and seats' links, which are many and take none, are left out.
 */
static void plan_accept_ra(
        struct switches *switches, const struct forwarding *before, struct forwarding *forwarding) {
        struct link_names *names = &forwarding->accept_ra;
        char folder[128];
        DIR *directory;

        *names = before->accept_ra;
        for (size_t i = 0; i < forwarding->uplinks.n_items; i++)
                add_accept_ra(switches, forwarding->uplinks.items[i], names);
        (void)snprintf(folder, sizeof(folder), "%s/net/ipv6/conf", switches->root);
        directory = opendir(folder);
        if (!take(switches, directory ? 0 : -errno))
                return;
        for (struct dirent *entry; (entry = readdir(directory));)
                if (entry->d_name[0] != '.' && strlen(entry->d_name) < IFNAMSIZ &&
                        !string_equal(entry->d_name, "all") && !string_starts_with(entry->d_name, "vl-"))
                        add_accept_ra(switches, entry->d_name, names);
        (void)closedir(directory);
}

static void plan4(struct switches *switches, const struct forwarding *before, struct forwarding *forwarding) {
        /*
         * The administrator has made the host a router, so no switch is ours any more, even if coursenet was
         * first.
         */
        if (forwarding->n_courses == 0 || reads(switches, "net/ipv4/conf/all/forwarding", "1"))
                return;
        plan_links(switches, IPV4, &forwarding->uplinks, &before->opened4, &forwarding->opened4);
}

static bool wants6(const struct forwarding *forwarding) {
        for (size_t i = 0; i < forwarding->n_courses; i++)
                if (address6_is_set(&forwarding->courses[i].address6))
                        return true;
        return false;
}

static bool has_force_forwarding(struct switches *switches) {
        static const char path[] = "net/ipv6/conf/default/force_forwarding";
        char text[16];

        return take(switches, sysctl_read(switches->root, path, text, sizeof(text)));
}

static void plan6(struct switches *switches, const struct forwarding *before, struct forwarding *forwarding) {
        if (!wants6(forwarding))
                return;
        if (reads(switches, "net/ipv6/conf/all/forwarding", "1") && !before->opened6_all)
                return;
        if (has_force_forwarding(switches)) {
                plan_links(switches, IPV6, &forwarding->uplinks, &before->opened6, &forwarding->opened6);
                return;
        }
        forwarding->opened6_all = true;
        plan_accept_ra(switches, before, forwarding);
}

int forwarding_plan(const struct forwarding_paths *paths, struct forwarding *forwarding,
        struct diagnostics *diagnostics) {
        struct switches switches = {.root = paths->root};
        struct forwarding before;
        int r;

        r = read_record(paths->state, &before);
        if (r < 0)
                return failure(diagnostics, paths->state, r, "cannot be read");
        plan4(&switches, &before, forwarding);
        plan6(&switches, &before, forwarding);
        return switches.error < 0 ? failure(diagnostics, "forwarding", switches.error, "cannot be read") : 0;
}

/* --- turning switches ---------------------------------------------------------------------------------- */

/* A switch that has the value already is not written, because the kernel reports each write to everybody. */
static int turn(const char *root, const char *path, const char *value) {
        struct switches switches = {.root = root};
        int r;

        if (reads(&switches, path, value))
                return 0;
        r = sysctl_write(root, path, value);
        return r == -ENOENT ? 0 : r; /* the link has gone, or the kernel has no IPv6 */
}

static int turn_link(const char *root, enum family family, const char *link, const char *value) {
        char path[PATH_SIZE];

        format_switch(family, link, path);
        return turn(root, path, value);
}

static int turn_links(const char *root, enum family family, const struct link_names *links) {
        int r = 0;

        for (size_t i = 0; i < links->n_items && r >= 0; i++)
                r = turn_link(root, family, links->items[i], "1");
        return r;
}

static int turn_accept_ra(const char *root, const char *link, const char *value) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "net/ipv6/conf/%s/accept_ra", link);
        return turn(root, path, value);
}

static int close_links(
        const char *root, enum family family, const struct link_names *before, const struct link_names *now) {
        int r = 0;

        for (size_t i = 0; i < before->n_items && r >= 0; i++)
                if (!link_names_have(now, before->items[i]))
                        r = turn_link(root, family, before->items[i], "0");
        return r;
}

/* IPv6 forwarding of the whole host, on kernels without a switch for each link. */
static int close_all6(const char *root, const struct forwarding *before) {
        int r;

        r = turn(root, "net/ipv6/conf/all/forwarding", "0");
        for (size_t i = 0; i < before->accept_ra.n_items && r >= 0; i++)
                r = turn_accept_ra(root, before->accept_ra.items[i], "1");
        return r;
}

/* If another program has made the host a router since, it stays one. */
static int close_before(const char *root, const struct forwarding *before, const struct forwarding *now) {
        struct switches switches = {.root = root};
        int r = 0;

        if (!reads(&switches, "net/ipv4/conf/all/forwarding", "1"))
                r = switches.error < 0 ? switches.error
                                       : close_links(root, IPV4, &before->opened4, &now->opened4);
        if (r >= 0)
                r = close_links(root, IPV6, &before->opened6, &now->opened6);
        if (r >= 0 && before->opened6_all && !now->opened6_all)
                r = close_all6(root, before);
        return r;
}

static int open_bridges(const char *root, const struct forwarding *now) {
        int r = 0;

        for (size_t i = 0; i < now->n_courses && r >= 0; i++) {
                const struct bridge_plan *course = &now->courses[i];

                r = turn_link(root, IPV4, course->name, "1");
                if (r >= 0 && address6_is_set(&course->address6))
                        r = turn_link(root, IPV6, course->name, "1");
        }
        return r;
}

static int open_now(const char *root, const struct forwarding *now) {
        int r;

        r = open_bridges(root, now);
        if (r >= 0)
                r = turn_links(root, IPV4, &now->opened4);
        if (r >= 0)
                r = turn_links(root, IPV6, &now->opened6);
        for (size_t i = 0; i < now->accept_ra.n_items && r >= 0; i++)
                r = turn_accept_ra(root, now->accept_ra.items[i], "2");
        if (r >= 0 && now->opened6_all)
                r = turn(root, "net/ipv6/conf/all/forwarding", "1");
        return r;
}

int forwarding_close(const struct forwarding_paths *paths, const struct forwarding *forwarding,
        struct diagnostics *diagnostics) {
        struct forwarding before;
        int r;

        r = read_record(paths->state, &before);
        if (r >= 0)
                r = close_before(paths->root, &before, forwarding);
        return r < 0 ? failure(diagnostics, "forwarding", r, "cannot be switched off") : 0;
}

int forwarding_open(const struct forwarding_paths *paths, const struct forwarding *forwarding,
        struct diagnostics *diagnostics) {
        struct forwarding both;
        int r;

        r = read_record(paths->state, &both);
        if (r < 0)
                return failure(diagnostics, paths->state, r, "cannot be read");
        join(&both, forwarding);
        r = write_record(paths->state, &both);
        if (r < 0)
                return failure(diagnostics, paths->state, r, "cannot be written");
        r = open_now(paths->root, forwarding);
        if (r < 0)
                return failure(diagnostics, "forwarding", r, "cannot be switched on");
        r = write_record(paths->state, forwarding);
        return r < 0 ? failure(diagnostics, paths->state, r, "cannot be written") : 0;
}

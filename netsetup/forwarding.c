/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The record is written before the first switch is turned: being killed in between costs at most a record of
 * something that was not done, and the next run puts it right.
 */

#include <dirent.h>
#include <fcntl.h>

#include "failure.h"
#include "forwarding.h"
#include "sysctl.h"

#define PATH_SIZE 96U
#define RECORD_SIZE 4096U

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

static bool reads(const char *root, const char *path, const char *value) {
        char text[16];

        return sysctl_read(root, path, text, sizeof(text)) >= 0 && string_equal(text, value);
}

/* --- the record ---------------------------------------------------------------------------------------- */

/* Lines "ipv4 up0", "ipv6 up0", "accept_ra up0" and "ipv6 all". "all" is no name of a link's folder there. */
static void parse_record(char *text, struct forwarding *ret) {
        for (char *line; (line = strsep(&text, "\n"));) {
                char *name = strchr(line, ' ');

                if (!name)
                        continue;
                *name++ = '\0';
                if (string_equal(line, "ipv4"))
                        link_names_add(&ret->opened4, name);
                else if (string_equal(line, "accept_ra"))
                        link_names_add(&ret->accept_ra, name);
                else if (string_equal(line, "ipv6") && string_equal(name, "all"))
                        ret->opened6_all = true;
                else if (string_equal(line, "ipv6"))
                        link_names_add(&ret->opened6, name);
        }
}

/* No record is an empty one. */
static void read_record(const char *path, struct forwarding *ret) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        char text[RECORD_SIZE];
        ssize_t n;

        *ret = (struct forwarding){0};
        n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
        if (n <= 0)
                return;
        text[n] = '\0';
        parse_record(text, ret);
}

static void print_names(FILE *file, const char *kind, const struct link_names *names) {
        for (size_t i = 0; i < names->n_items; i++)
                (void)fprintf(file, "%s %s\n", kind, names->items[i]);
}

static int write_record(const char *path, const struct forwarding *forwarding) {
        _cleanup_fclose_ FILE *file = NULL;
        _cleanup_free_ char *new_path = NULL;

        if (asprintf(&new_path, "%s.new", path) < 0) {
                new_path = NULL;
                return -ENOMEM;
        }
        file = fopen(new_path, "we");
        if (!file)
                return -errno;
        print_names(file, "ipv4", &forwarding->opened4);
        print_names(file, "ipv6", &forwarding->opened6);
        print_names(file, "accept_ra", &forwarding->accept_ra);
        if (forwarding->opened6_all)
                (void)fputs("ipv6 all\n", file);
        if (fflush(file) != 0 || rename(new_path, path) < 0)
                return -errno;
        return 0;
}

/* --- the plan ------------------------------------------------------------------------------------------ */

/* Links that we had opened stay ours to close; others are opened if they do not forward yet. */
static void plan_links(const char *root, enum family family, const struct link_names *uplinks,
        const struct link_names *before, struct link_names *ret) {
        char path[PATH_SIZE];

        for (size_t i = 0; i < uplinks->n_items; i++) {
                format_switch(family, uplinks->items[i], path);
                if (link_names_have(before, uplinks->items[i]) || reads(root, path, "0"))
                        link_names_add(ret, uplinks->items[i]);
        }
}

/* Every link of the host that takes router advertisements, and would no more once the host forwards. */
static void plan_accept_ra(const char *root, const struct link_names *before, struct link_names *ret) {
        char folder[128], path[PATH_SIZE];
        DIR *directory;

        *ret = *before;
        (void)snprintf(folder, sizeof(folder), "%s/net/ipv6/conf", root);
        directory = opendir(folder);
        if (!directory)
                return;
        for (struct dirent *entry; (entry = readdir(directory));) {
                if (entry->d_name[0] == '.' || string_equal(entry->d_name, "all") ||
                        strlen(entry->d_name) >= IFNAMSIZ)
                        continue;
                (void)snprintf(path, sizeof(path), "net/ipv6/conf/%.15s/accept_ra", entry->d_name);
                if (reads(root, path, "1"))
                        link_names_add(ret, entry->d_name);
        }
        (void)closedir(directory);
}

static void plan4(const char *root, const struct forwarding *before, struct forwarding *forwarding) {
        /* Somebody made the host a router: nothing of it is ours, even if we were first. */
        if (forwarding->n_courses == 0 || reads(root, "net/ipv4/conf/all/forwarding", "1"))
                return;
        plan_links(root, IPV4, &forwarding->uplinks, &before->opened4, &forwarding->opened4);
}

static bool wants6(const struct forwarding *forwarding) {
        for (size_t i = 0; i < forwarding->n_courses; i++)
                if (address6_is_set(&forwarding->courses[i].address6))
                        return true;
        return false;
}

static bool has_force_forwarding(const char *root) {
        char text[16];

        return sysctl_read(root, "net/ipv6/conf/default/force_forwarding", text, sizeof(text)) >= 0;
}

static void plan6(const char *root, const struct forwarding *before, struct forwarding *forwarding) {
        if (!wants6(forwarding))
                return;
        if (reads(root, "net/ipv6/conf/all/forwarding", "1") && !before->opened6_all)
                return;
        if (has_force_forwarding(root)) {
                plan_links(root, IPV6, &forwarding->uplinks, &before->opened6, &forwarding->opened6);
                return;
        }
        forwarding->opened6_all = true;
        plan_accept_ra(root, &before->accept_ra, &forwarding->accept_ra);
}

void forwarding_plan(const struct forwarding_paths *paths, struct forwarding *forwarding) {
        struct forwarding before;

        read_record(paths->state, &before);
        plan4(paths->root, &before, forwarding);
        plan6(paths->root, &before, forwarding);
}

/* --- turning switches ---------------------------------------------------------------------------------- */

/* A switch that stands right is not touched: each write makes the kernel tell everybody. */
static int turn(const char *root, const char *path, const char *value) {
        int r;

        if (reads(root, path, value))
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

static void close_links(
        const char *root, enum family family, const struct link_names *before, const struct link_names *now) {
        for (size_t i = 0; i < before->n_items; i++)
                if (!link_names_have(now, before->items[i]))
                        (void)turn_link(root, family, before->items[i], "0");
}

/* A host that others have made a router meanwhile stays one. */
static void close_before(const char *root, const struct forwarding *before, const struct forwarding *now) {
        if (!reads(root, "net/ipv4/conf/all/forwarding", "1"))
                close_links(root, IPV4, &before->opened4, &now->opened4);
        close_links(root, IPV6, &before->opened6, &now->opened6);
        if (!before->opened6_all || now->opened6_all)
                return;
        (void)turn(root, "net/ipv6/conf/all/forwarding", "0");
        for (size_t i = 0; i < before->accept_ra.n_items; i++)
                (void)turn_accept_ra(root, before->accept_ra.items[i], "1");
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

int forwarding_apply(const struct forwarding_paths *paths, const struct forwarding *forwarding,
        struct diagnostics *diagnostics) {
        struct forwarding before;
        int r;

        read_record(paths->state, &before);
        r = write_record(paths->state, forwarding);
        if (r < 0)
                return failure(diagnostics, paths->state, r, "cannot be written");
        close_before(paths->root, &before, forwarding);
        r = open_now(paths->root, forwarding);
        return r < 0 ? failure(diagnostics, "forwarding", r,
                               "cannot be switched on (sysctl -a | grep forwarding)")
                     : 0;
}

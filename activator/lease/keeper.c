/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Looks through a student's control groups for a process that keeps the seat. It only reads, and how much it
 * reads has a limit, because the student can make as many control groups and processes as they like. linger.c
 * calls it.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <systemd/sd-login.h>

#include "keeper.h"
#include "number.h"
#include "protocol.h"

/*
 * How much one look reads at most, which takes some milliseconds. The processes that do not count are a few
 * agents; a student who has more of them than this may lose the seat.
 */
#define GROUPS_MAX 512U
#define PROCESSES_MAX 128U
#define DEPTH_MAX 16U

/* The kernel's files that are read here are shorter, or what matters is at their beginning. */
#define TEXT_SIZE 16384U

/* systemd.unit(5), "System unit search path" of user managers, without the user's own. */
static const char *const unit_directories[] = {
        "/etc/systemd/user",
        "/run/systemd/user",
        "/usr/local/lib/systemd/user",
        "/usr/lib/systemd/user",
        "/lib/systemd/user",
        "/usr/local/share/systemd/user",
        "/usr/share/systemd/user",
        NULL,
};

const struct keeper_roots keeper_roots = {"/sys/fs/cgroup", "/proc", unit_directories, sd_session_get_uid};

/* Names as the kernel has them, 15 characters at most. A login starts these programs and leaves them idle. */
static const char *const agents[] = {
        "dbus-broker",
        "dbus-broker-lau",
        "dbus-daemon",
        "dirmngr",
        "gnome-keyring-d",
        "gpg-agent",
        "keyboxd",
        "scdaemon",
        "ssh-agent",
};

struct search {
        const struct keeper_roots *roots;
        uid_t uid;
        const char *link;
        const char *unit; /* whose control groups are being looked through */
        unsigned n_groups, n_processes, depth;
        struct keeper *ret;
};

/* The text of a file, cut to its array. */
static int read_text(const char *path, char text[static TEXT_SIZE]) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        size_t size = 0;
        ssize_t n = 1;

        if (fd < 0)
                return -errno;
        while (n > 0 && size < TEXT_SIZE - 1) {
                n = read(fd, text + size, TEXT_SIZE - 1 - size);
                if (n < 0)
                        return -errno;
                size += (size_t)n;
        }
        text[size] = '\0';
        return 0;
}

/* --- a process ------------------------------------------------------------------------------- */

/* What follows "KEY:" and white space at a line's beginning. NULL: there is no such line. */
static const char *find_field(const char *text, const char *key) {
        size_t length = strlen(key);

        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, key, length) == 0 && line[length] == ':')
                        return line + length + 1 + strspn(line + length + 1, " \t");
        }
        return NULL;
}

static int read_process(
        const struct search *search, pid_t pid, const char *file, char text[static TEXT_SIZE]) {
        char path[KEEPER_EVENTS_SIZE];

        (void)snprintf(path, sizeof(path), "%s/%ld/%s", search->roots->proc, (long)pid, file);
        return read_text(path, text);
}

static bool is_agent(const char *command) {
        for (size_t i = 0; i < ELEMENTSOF(agents); i++)
                if (string_equal(command, agents[i]))
                        return true;
        return false;
}

/* The interfaces of a process' namespace, as /proc/PID/net/dev has them, can be read without a capability. */
static bool is_in_seat(const struct search *search, pid_t pid) {
        char text[TEXT_SIZE];
        size_t length = strlen(search->link);

        if (read_process(search, pid, "net/dev", text) < 0)
                return false;
        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                line += strspn(line, " ");
                if (strncmp(line, search->link, length) == 0 && line[length] == ':')
                        return true;
        }
        return false;
}

/* A process that /proc hides (hidepid=) counts, because its control group is a login's. */
static bool is_hidden(pid_t pid) {
        return kill(pid, 0) >= 0 || errno == EPERM;
}

static bool process_counts(
        const struct search *search, pid_t pid, char ret_command[static KEEPER_COMMAND_SIZE]) {
        char text[TEXT_SIZE], command[KEEPER_COMMAND_SIZE] = "";
        const char *uid, *name, *state;

        if (read_process(search, pid, "status", text) < 0) {
                protocol_copy_text(ret_command, KEEPER_COMMAND_SIZE, "?");
                return is_hidden(pid);
        }
        uid = find_field(text, "Uid");
        name = find_field(text, "Name");
        state = find_field(text, "State");
        if (!uid || !name || !state || *state == 'Z' || strtoul(uid, NULL, 10) != search->uid)
                return false;
        (void)snprintf(command, sizeof(command), "%.*s", (int)strcspn(name, "\n"), name);
        if (is_agent(command) || !is_in_seat(search, pid))
                return false;
        protocol_copy_text(ret_command, KEEPER_COMMAND_SIZE, command);
        return true;
}

/* --- control groups -------------------------------------------------------------------------- */

/* The processes of one control group, without those below it. */
static bool search_processes(struct search *search, const char *group) {
        char path[KEEPER_EVENTS_SIZE], text[TEXT_SIZE], command[KEEPER_COMMAND_SIZE];
        struct keeper *ret = search->ret;
        char *end;

        if ((size_t)snprintf(path, sizeof(path), "%s/cgroup.procs", group) >= sizeof(path) ||
                read_text(path, text) < 0)
                return false;
        for (const char *line = text; search->n_processes < PROCESSES_MAX; line = end + 1) {
                long pid = strtol(line, &end, 10);

                if (end == line || *end != '\n')
                        return false;
                search->n_processes++;
                if (pid <= 0 || !process_counts(search, (pid_t)pid, command))
                        continue;
                ret->pid = (pid_t)pid;
                protocol_copy_text(ret->unit, sizeof(ret->unit), search->unit);
                (void)string_copy(ret->command, sizeof(ret->command), command);
                (void)snprintf(ret->events, sizeof(ret->events), "%.480s/cgroup.events", group);
                return true;
        }
        return false;
}

static bool is_populated(const char *group) {
        char path[KEEPER_EVENTS_SIZE], text[TEXT_SIZE];
        const char *populated;

        if ((size_t)snprintf(path, sizeof(path), "%s/cgroup.events", group) >= sizeof(path) ||
                read_text(path, text) < 0)
                return false;
        populated = strstr(text, "populated ");
        return populated && populated[strlen("populated ")] == '1';
}

static bool has_ending(const char *name, const char *ending) {
        size_t length = strlen(name), n = strlen(ending);

        return length > n && string_equal(name + length - n, ending);
}

/* "app-foo@3.service" has its file as "app-foo@.service". */
static void template_of(const char *unit, char *ret, size_t size) {
        const char *at = strchr(unit, '@'), *dot = strrchr(unit, '.');

        if (at && dot && dot > at)
                (void)snprintf(ret, size, "%.*s%s", (int)(at - unit + 1), unit, dot);
        else
                (void)snprintf(ret, size, "%s", unit);
}

/* A service of the distribution's or the administrator's, or what D-Bus starts on demand (dbus-broker). */
static bool is_foreign_service(const struct search *search, const char *unit) {
        char file[256], path[KEEPER_EVENTS_SIZE];

        if (!has_ending(unit, ".service"))
                return false;
        if (string_starts_with(unit, "dbus-:"))
                return true;
        template_of(unit, file, sizeof(file));
        for (const char *const *directory = search->roots->units; *directory; directory++) {
                (void)snprintf(path, sizeof(path), "%s/%s", *directory, file);
                if (access(path, F_OK) >= 0)
                        return true;
        }
        return false;
}

typedef bool (*visit_t)(struct search *search, const char *group, const char *name);

/* Calls visit for the control groups below one that have processes, until it is true. */
static bool visit_below(struct search *search, const char *group, visit_t visit) {
        DIR *directory = search->depth < DEPTH_MAX ? opendir(group) : NULL;
        char below[KEEPER_EVENTS_SIZE];
        bool found = false;

        if (!directory)
                return false;
        search->depth++;
        for (struct dirent *entry; !found && search->n_groups < GROUPS_MAX && (entry = readdir(directory));) {
                if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
                        (size_t)snprintf(below, sizeof(below), "%s/%s", group, entry->d_name) >=
                                sizeof(below))
                        continue;
                search->n_groups++;
                found = is_populated(below) && visit(search, below, entry->d_name);
        }
        search->depth--;
        (void)closedir(directory);
        return found;
}

/* For example, a container runtime makes control groups below its unit. */
static bool visit_subgroup(struct search *search, const char *group, const char *name) {
        (void)name;
        return search_processes(search, group) || visit_below(search, group, visit_subgroup);
}

static bool visit_unit(struct search *search, const char *group, const char *unit) {
        search->unit = unit;
        return visit_subgroup(search, group, unit);
}

static bool visit_manager_group(struct search *search, const char *group, const char *name) {
        if (has_ending(name, ".slice"))
                return visit_below(search, group, visit_manager_group);
        if (string_equal(name, "init.scope") || is_foreign_service(search, name))
                return false;
        return visit_unit(search, group, name);
}

#define SESSION_HEAD "session-"
#define SESSION_TAIL ".scope"

static bool is_session(const char *unit) {
        return string_starts_with(unit, SESSION_HEAD) && has_ending(unit, SESSION_TAIL);
}

static bool visit_session(struct search *search, const char *group, const char *name) {
        return is_session(name) && visit_unit(search, group, name);
}

static bool visit_any_session(struct search *search, const char *group, const char *name) {
        (void)search;
        (void)group;
        return is_session(name);
}

static bool visit_forgotten_session(struct search *search, const char *group, const char *name) {
        char id[KEEPER_UNIT_SIZE];
        uid_t uid;

        (void)group;
        if (!is_session(name))
                return false;
        (void)snprintf(id, sizeof(id), "%.*s", (int)(strlen(name) - strlen(SESSION_HEAD SESSION_TAIL)),
                name + strlen(SESSION_HEAD));
        return search->roots->session_uid(id, &uid) == -ENXIO;
}

static void format_slice(const struct keeper_roots *roots, uid_t uid, char ret[static KEEPER_EVENTS_SIZE]) {
        (void)snprintf(ret, KEEPER_EVENTS_SIZE, "%s/user.slice/user-%u.slice", roots->cgroup, (unsigned)uid);
}

bool keeper_has_forgotten_session(const struct keeper_roots *roots, uid_t uid) {
        struct search search = {.roots = roots};
        char slice[KEEPER_EVENTS_SIZE];

        format_slice(roots, uid, slice);
        return visit_below(&search, slice, visit_forgotten_session);
}

bool keeper_may_have_session(const struct keeper_roots *roots, uid_t uid) {
        struct search search = {.roots = roots};
        char path[KEEPER_EVENTS_SIZE];

        (void)snprintf(path, sizeof(path), "%s/cgroup.controllers", roots->cgroup);
        if (access(path, F_OK) < 0)
                return true;
        format_slice(roots, uid, path);
        return visit_below(&search, path, visit_any_session);
}

bool keeper_find(const struct keeper_roots *roots, uid_t uid, const char *link, struct keeper *ret) {
        struct search search = {.roots = roots, .uid = uid, .link = link, .ret = ret};
        char slice[KEEPER_EVENTS_SIZE], manager[KEEPER_EVENTS_SIZE];

        *ret = (struct keeper){0};
        format_slice(roots, uid, slice);
        (void)snprintf(manager, sizeof(manager), "%.400s/user@%u.service", slice, (unsigned)uid);
        if (!is_populated(slice))
                return false;
        return visit_below(&search, slice, visit_session) ||
               visit_below(&search, manager, visit_manager_group);
}

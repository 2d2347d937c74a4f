/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A file is watched through its directory, or, if the directory does not exist, through the nearest parent
 * that exists, where it would appear. When a directory appears or disappears the whole list is built again,
 * which is cheap and rare.
 */

#include <stddef.h>
#include <sys/inotify.h>

#include "exam.h"
#include "fence/fence.h"
#include "roster.h"
#include "settings.h"
#include "watch-file.h"

#define RESOLVERS "/etc/resolv.conf"
#define LINKS_MAX 8U

/* The directory itself. */
#define GONE (IN_DELETE_SELF | IN_MOVE_SELF)

/* IN_CREATE: a symbolic link is complete when it is created, and so is the empty file that a login leaves. */
#define EVENTS                                                                                               \
        (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_ATTRIB | IN_ONLYDIR |     \
                IN_EXCL_UNLINK | GONE)

/*
 * Of a parent, in which a directory may appear. /run/coursenet is one on a host without [hosts]: there each
 * login closes locks, and a wake-up for each would be a waste. IN_MASK_ADD: it may be watched for files, too.
 */
#define PARENT_EVENTS (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | GONE)

typedef char watch_path_t[PATH_MAX];

/* name: up to the next slash. */
static void append(struct watch_files *watch, int descriptor, const char *name, size_t change) {
        struct watch_file *item = &watch->items[watch->n_items];
        size_t length = strcspn(name, "/");

        if (watch->n_items == WATCH_FILES_MAX || length >= sizeof(item->name))
                return;
        item->descriptor = descriptor;
        item->change = change;
        memcpy(item->name, name, length);
        item->name[length] = '\0';
        watch->n_items++;
}

/* path is "DIRECTORY/NAME", or "DIRECTORY/" for all files in the directory. */
static void add(struct watch_files *watch, const char *path, size_t change) {
        watch_path_t directory;
        uint32_t events = EVENTS;
        char *slash;
        int descriptor;

        if (string_copy(directory, sizeof(directory), path) < 0)
                return;
        slash = strrchr(directory, '/');
        if (!slash)
                return;
        for (;;) {
                *slash = '\0';
                descriptor = inotify_add_watch(
                        watch->fd, slash == directory ? "/" : directory, events | IN_MASK_ADD);
                if (descriptor >= 0 || slash == directory || (errno != ENOENT && errno != ENOTDIR))
                        break;
                slash = strrchr(directory, '/');
                events = PARENT_EVENTS;
        }
        /* For a parent directory, the name to wait for is that of the next directory in the path. */
        if (descriptor >= 0)
                append(watch, descriptor, path + (slash - directory) + 1, change);
}

/* Reads the target of the symbolic link at path; false if it is not a link. */
static bool follow(watch_path_t path) {
        watch_path_t target, next;
        ssize_t length = readlink(path, target, sizeof(target) - 1);
        int n;

        if (length <= 0)
                return false;
        target[length] = '\0';
        if (target[0] == '/')
                n = snprintf(next, sizeof(next), "%s", target);
        else
                n = snprintf(next, sizeof(next), "%.*s/%s", (int)(strrchr(path, '/') - path), path, target);
        return n > 0 && (size_t)n < sizeof(next) && string_copy(path, sizeof(next), next) >= 0;
}

static void add_resolvers(struct watch_files *watch) {
        watch_path_t path = RESOLVERS;
        unsigned n = 0;

        do
                add(watch, path, offsetof(struct watch_file_changes, resolvers));
        while (n++ < LINKS_MAX && follow(path));
}

static void add_all(struct watch_files *watch) {
        watch_path_t path;

        watch->n_items = 0;
        add(watch, "/etc/passwd", offsetof(struct watch_file_changes, passwd));
        add(watch, "/etc/subuid", offsetof(struct watch_file_changes, passwd));
        (void)snprintf(path, sizeof(path), "%s/" SETTINGS_FILE, watch->etc);
        add(watch, path, offsetof(struct watch_file_changes, settings));
        (void)snprintf(path, sizeof(path), "%s/" ROSTER_DIRECTORY "/", watch->etc);
        add(watch, path, offsetof(struct watch_file_changes, rosters));
        (void)snprintf(path, sizeof(path), "%s/" TIMETABLE_DIRECTORY "/", watch->etc);
        add(watch, path, offsetof(struct watch_file_changes, timetables));
        add(watch, STATE_DIRECTORY "/" EXAM_DIRECTORY "/", offsetof(struct watch_file_changes, exams));
        add(watch, COURSE_LOGIN_DIRECTORY "/", offsetof(struct watch_file_changes, logins));
        add(watch, HOSTS_CLAIM_DIRECTORY "/", offsetof(struct watch_file_changes, claims));
        add(watch, HOSTS_DEADLINE_FILE, offsetof(struct watch_file_changes, deadline));
        add_resolvers(watch);
}

int watch_files_open(struct watch_files *watch, const char *etc) {
        *watch = (struct watch_files){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .etc = etc};
        if (watch->fd < 0)
                return -errno;
        add_all(watch);
        return 0;
}

void watch_files_close(struct watch_files *watch) {
        close_pointer(&watch->fd);
}

static void set_flag(struct watch_file_changes *changes, size_t change) {
        *(bool *)((char *)changes + change) = true;
}

/* A name that begins with a dot is a file that is being written. */
static bool concerns(const struct watch_file *item, const struct inotify_event *event) {
        const char *name = event->len > 0 ? event->name : "";

        if (event->mask & IN_Q_OVERFLOW)
                return true;
        if (item->descriptor != event->wd)
                return false;
        if (event->mask & GONE)
                return true;
        return name[0] != '\0' && name[0] != '.' && (item->name[0] == '\0' || string_equal(item->name, name));
}

/* Of a note of a login, or of all: after an overflow, and when the directory has come or gone. */
static bool is_unfenced(const struct inotify_event *event) {
        return event->len == 0 || (event->mask & (IN_DELETE | IN_MOVED_FROM | IN_ISDIR)) ||
               !fence_has_login(event->name);
}

/* True if the list of directories has to be built again. */
static bool handle_event(const struct watch_files *watch, const struct inotify_event *event,
        struct watch_file_changes *changes) {
        bool moved = event->mask & (IN_ISDIR | IN_IGNORED | GONE | IN_Q_OVERFLOW);

        for (size_t i = 0; i < watch->n_items; i++) {
                const struct watch_file *item = &watch->items[i];

                if (!concerns(item, event))
                        continue;
                set_flag(changes, item->change);
                if (item->change == offsetof(struct watch_file_changes, logins) && !changes->unfenced)
                        changes->unfenced = is_unfenced(event);
                /* The file may be a symbolic link with another target now. */
                moved |= item->change == offsetof(struct watch_file_changes, resolvers);
        }
        return moved;
}

int watch_files_read(struct watch_files *watch, struct watch_file_changes *ret) {
        union {
                struct inotify_event event;
                char bytes[4096];
        } buffer;
        struct watch_file_changes changes = {0};
        bool moved = false;
        ssize_t n;

        while ((n = read(watch->fd, &buffer, sizeof(buffer))) > 0)
                for (ssize_t at = 0; at < n;) {
                        const struct inotify_event *event =
                                (const struct inotify_event *)(const void *)(buffer.bytes + at);

                        moved |= handle_event(watch, event, &changes);
                        at += (ssize_t)(sizeof(*event) + event->len);
                }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
                return -errno;
        if (moved)
                add_all(watch);
        *ret = changes;
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * netns@: what `ip netns add` does, with three differences. The namespace is finished (marked, lo up, ping
 * allowed) before its name appears. It costs one line of mountinfo, not two: /run/netns does not become a
 * mount of its own. And only namespaces that we made are ever unmounted.
 *
 * Every change is made under a lock of our own, on a file that only root can open: anybody who can read
 * /run/netns can hold the lock that ip-netns takes on it, for as long as they like. That one is asked for,
 * but not waited for: all it guards is that ip makes a mount of /run/netns the first time it is used.
 */

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/failure.h"
#include "base/lock.h"
#include "kernel/link.h"
#include "leftover.h"
#include "netns-record.h"
#include "netns.h"
#include "number.h"
#include "seat.h"

#define OWN_NETNS "/proc/self/ns/net"
#define PING_GROUP_RANGE "/proc/sys/net/ipv4/ping_group_range"

#define NETNS_PATH_SIZE (sizeof(NETNS_DIRECTORY "/ns") + SEAT_ID_SIZE)

static void format_path(const char *name, char ret_path[static NETNS_PATH_SIZE]) {
        (void)snprintf(ret_path, NETNS_PATH_SIZE, NETNS_DIRECTORY "/%s", name);
}

/* Whether the namespace is a network namespace with our mark on its lo. */
static int classify_namespace(int fd) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct link lo;
        int r;

        /* Older kernels and other kinds of namespaces alike: not one that we know. */
        if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
                return NETNS_FOREIGN;

        r = link_open_in(fd, &socket);
        if (r < 0)
                return r;
        r = link_find(&socket, "lo", NULL, &lo);
        if (r < 0)
                return r;
        return r == LINK_OURS ? NETNS_OURS : NETNS_FOREIGN;
}

/* A file that is no namespace: a mode of 000 and an empty file are what ip-netns leaves after a crash. */
static int classify_file(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        return S_ISREG(st.st_mode) && st.st_uid == 0 ? NETNS_STALE : NETNS_FOREIGN;
}

int netns_find(const char *name, int *ret_fd) {
        _cleanup_close_ int path_fd = -1, fd = -1;
        char path[NETNS_PATH_SIZE];
        struct statfs fs;
        int r;

        format_path(name, path);

        /* O_PATH: whatever it is, it is looked at before it is opened. */
        path_fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (path_fd < 0)
                return errno == ENOENT ? NETNS_ABSENT : -errno;
        if (fstatfs(path_fd, &fs) < 0)
                return -errno;
        if (fs.f_type != NSFS_MAGIC)
                return classify_file(path_fd);

        fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = classify_namespace(fd);
        if (r == NETNS_OURS) {
                *ret_fd = fd;
                fd = -1;
        }
        return r;
}

/* How long ip-netns may take to make its mount: it is over in far less. */
#define COURTESY_MS 20U

struct lock {
        int own_fd, ip_fd;
};

#define LOCK_NONE ((struct lock){-1, -1})

/* The locks end with the descriptors. */
static void lock_done(struct lock *lock) {
        close_pointer(&lock->own_fd);
        close_pointer(&lock->ip_fd);
}

#define _cleanup_lock_ _cleanup_(lock_done)

/* -ENOENT: there is no /run/netns. */
static int lock_directory(struct lock *ret) {
        _cleanup_lock_ struct lock lock = LOCK_NONE;
        int r;

        lock.ip_fd = open(NETNS_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (lock.ip_fd < 0)
                return -errno;
        r = lock_take(RUN_DIRECTORY "/netns.lock", &lock.own_fd);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < COURTESY_MS && flock(lock.ip_fd, LOCK_EX | LOCK_NB) < 0; i++)
                (void)usleep(1000);

        *ret = lock;
        lock = LOCK_NONE;
        return 0;
}

/* Marks lo as ours and sets it up; without it a seat could not even reach itself. */
static int set_up_lo(struct link_socket *socket) {
        struct link lo;
        int r;

        r = link_find(socket, "lo", NULL, &lo);
        if (r < 0)
                return r;
        if (r == LINK_ABSENT)
                return -ENODEV;
        return link_bring_up(socket, &lo, NULL);
}

/* A fresh namespace lets nobody but root ping. */
static int allow_ping(void) {
        static const char range[] = "0 2147483647";
        _cleanup_close_ int fd = -1;

        fd = open(PING_GROUP_RANGE, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, range, strlen(range)) < 0)
                return -errno;
        return 0;
}

/* Runs inside the new namespace. Its mount comes last: what can be seen under the name is complete. */
static int furnish(const char *path, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        int r;

        r = link_open(&socket);
        if (r >= 0)
                r = set_up_lo(&socket);
        if (r < 0)
                return failure(diagnostics, path, r, "lo of the new namespace cannot be set up");

        r = allow_ping();
        if (r < 0)
                diagnostics_warning(diagnostics, path, 0,
                        "%s cannot be set (%s): ping will need root in this seat", PING_GROUP_RANGE,
                        strerror(-r));

        if (mount(OWN_NETNS, path, NULL, MS_BIND, NULL) < 0)
                return failure(diagnostics, path, -errno, "the new namespace cannot be mounted there");
        return 0;
}

static int create_namespace(const char *path, struct diagnostics *diagnostics) {
        _cleanup_close_ int own_fd = -1;
        int r;

        own_fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
        if (own_fd < 0 || unshare(CLONE_NEWNET) < 0)
                return failure(diagnostics, path, -errno, "no new namespace can be made");

        r = furnish(path, diagnostics);
        if (setns(own_fd, CLONE_NEWNET) < 0) {
                int error = -errno;

                if (r >= 0)
                        (void)umount2(path, UMOUNT_NOFOLLOW);
                return failure(diagnostics, path, error, "there is no way back from the new namespace");
        }
        return r;
}

/* stale: there is a file to mount on already. */
static int create(const char *path, bool stale, struct diagnostics *diagnostics) {
        _cleanup_close_ int fd = -1;
        int r;

        if (!stale) {
                fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
                if (fd < 0)
                        return failure(diagnostics, path, -errno, "cannot be created");
        }

        r = create_namespace(path, diagnostics);
        if (r < 0)
                (void)unlink(path);
        return r;
}

static int keep(const char *path, int netns_fd, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        int r;

        r = link_open_in(netns_fd, &socket);
        if (r >= 0)
                r = set_up_lo(&socket);
        return r < 0 ? failure(diagnostics, path, r, "the namespace that is there cannot be set right") : 0;
}

/* What is counted, and with what; the empty value is all zero. */
struct counting {
        struct link_socket socket;
        struct netns_record record;
};

static void counting_done(struct counting *counting) {
        link_close(&counting->socket);
        netns_record_done(&counting->record);
}

#define _cleanup_counting_ _cleanup_(counting_done)

static int begin_counting(struct counting *counting) {
        int r;

        r = link_open(&counting->socket);
        return r < 0 ? r : netns_record_load(NETNS_RECORD_FILE, &counting->record);
}

/* The seat comes up all the same. */
static void warn_uncounted(int error, const char *path, struct diagnostics *diagnostics) {
        if (error < 0)
                diagnostics_warning(diagnostics, path, 0,
                        "cannot be written down in " NETNS_RECORD_FILE
                        " (%s): the number of this seat's namespaces that somebody keeps alive is unknown",
                        strerror(-error));
}

/* The seat has a namespace now, a new one or that of before. */
static void note_start(const struct seat_plan *plan, const char *path, struct diagnostics *diagnostics) {
        _cleanup_counting_ struct counting counting = {0};
        _cleanup_close_ int netns_fd = -1;
        int r;

        netns_fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        r = netns_fd < 0 ? -errno : begin_counting(&counting);
        if (r >= 0) {
                netns_record_prune(&counting.record, &counting.socket, plan->name);
                r = netns_record_note(&counting.record, &counting.socket, plan->name, netns_fd, NETNS_USE_UP);
        }
        if (r >= 0)
                r = netns_record_save(NETNS_RECORD_FILE, &counting.record);
        warn_uncounted(r, path, diagnostics);
}

static int apply(const struct seat_plan *plan, struct diagnostics *diagnostics) {
        _cleanup_lock_ struct lock lock = LOCK_NONE;
        _cleanup_close_ int netns_fd = -1;
        char path[NETNS_PATH_SIZE];
        int r;

        if (mkdir(NETNS_DIRECTORY, 0755) < 0 && errno != EEXIST)
                return failure(diagnostics, NETNS_DIRECTORY, -errno, "cannot be created");
        r = lock_directory(&lock);
        if (r < 0)
                return failure(diagnostics, NETNS_DIRECTORY, r, "cannot be locked");

        format_path(plan->netns, path);
        r = netns_find(plan->netns, &netns_fd);
        if (r < 0)
                return failure(diagnostics, path, r, "cannot be looked at");
        if (r == NETNS_FOREIGN) {
                diagnostics_error(diagnostics, path, 0,
                        "exists already and was not made by coursenet: remove it (ip netns delete %s), then "
                        "start netns@%s.service",
                        plan->netns, plan->name);
                return -EEXIST;
        }
        r = r == NETNS_OURS ? keep(path, netns_fd, diagnostics) : create(path, r == NETNS_STALE, diagnostics);
        if (r >= 0)
                note_start(plan, path, diagnostics);
        return r;
}

int netns_start(const char *etc, const char *seat, struct diagnostics *diagnostics) {
        _cleanup_settings_ struct settings settings = {0};
        struct seat_plan plan;
        struct seat_id id;
        int r;

        r = settings_load(etc, &settings, diagnostics);
        if (r < 0)
                return r;
        r = seat_parse_id(&settings, seat, &id, diagnostics);
        if (r < 0)
                return r;
        seat_plan_name(seat, &plan);
        return apply(&plan, diagnostics);
}

/*
 * Unmounted before it is unlinked: a name that vanishes with its mount still there could not be taken again.
 * Only if a process holds the mount itself open it is detached instead, and ends when that process lets go.
 */
static int unmount(const char *path) {
        if (umount2(path, UMOUNT_NOFOLLOW) >= 0)
                return 0;
        if (errno == EBUSY && umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) >= 0)
                return 0;
        return -errno;
}

/*
 * What the settings say is to become of them. Settings that cannot be read end nobody. Not under the lock: a
 * process that does not want to end must hold up nobody else's seat.
 */
static void end_leftovers(
        const char *etc, const char *seat, const char *name, struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_close_ int netns_fd = -1;
        struct seat_id id;
        int r;

        if (settings_load(etc, &settings, &ignored) < 0 ||
                seat_id_parse(seat, settings.course_digits, &id) < 0 ||
                settings_for_course(&settings, id.course)->leftover != LEFTOVER_KILL ||
                netns_find(name, &netns_fd) != NETNS_OURS)
                return;
        r = leftover_kill(netns_fd);
        if (r < 0)
                diagnostics_warning(diagnostics, seat, 0, "what still runs in the seat cannot be ended: %s",
                        strerror(-r));
}

/* Mounts can lie upon each other, after a crash or by an admin's hand; each is looked at before it goes. */
static int remove_all(const char *name, const char *path, struct diagnostics *diagnostics) {
        int r;

        for (;;) {
                _cleanup_close_ int netns_fd = -1;

                r = netns_find(name, &netns_fd);
                if (r != NETNS_OURS)
                        break;

                /* An open namespace file would keep its own mount busy. */
                close_pointer(&netns_fd);
                r = unmount(path);
                if (r < 0)
                        return failure(diagnostics, path, r, "cannot be unmounted");
        }
        if (r < 0)
                return failure(diagnostics, path, r, "cannot be looked at");
        if (r == NETNS_FOREIGN) {
                diagnostics_error(diagnostics, path, 0, "was not made by coursenet and is left as it is");
                return -EEXIST;
        }
        if (r == NETNS_STALE && unlink(path) < 0 && errno != ENOENT)
                return failure(diagnostics, path, -errno, "cannot be removed");
        return 0;
}

/* Of all seats: those that have ended are only looked for when there seem to be too many. */
static bool are_too_many(struct counting *counting) {
        size_t limit = netns_former_limit();

        if (netns_record_count_former(&counting->record, NULL) < limit)
                return false;
        netns_record_prune(&counting->record, &counting->socket, NULL);
        return netns_record_count_former(&counting->record, NULL) >= limit;
}

static bool are_too_many_of_seat(struct counting *counting, const char *seat) {
        netns_record_prune(&counting->record, &counting->socket, seat);
        return netns_record_count_former(&counting->record, seat) >= NETNS_FORMER_MAX;
}

/* Removes namespaces that are kept and need not be any more. Called at the stop of any seat. */
static void release_kept(struct counting *counting, struct diagnostics *diagnostics) {
        char path[NETNS_PATH_SIZE];
        struct seat_plan plan;

        /* An entry that is removed moves later ones down, so go from the end: none is skipped. */
        for (size_t i = counting->record.n_entries; i-- > 0;) {
                struct netns_entry entry;

                if (i >= counting->record.n_entries || counting->record.entries[i].use != NETNS_USE_KEPT)
                        continue;
                entry = counting->record.entries[i];
                if (are_too_many(counting))
                        return;
                seat_plan_name(entry.seat, &plan);
                /* A seat with a cable is up, even if its start could not be noted. */
                if (if_nametoindex(plan.link) != 0 || are_too_many_of_seat(counting, plan.name))
                        continue;
                format_path(plan.netns, path);
                if (remove_all(plan.netns, path, diagnostics) >= 0)
                        netns_record_retire(&counting->record, entry.id);
        }
}

/* Takes the name of the seat's own namespace away, or notes that it is kept. */
static int give_up(struct counting *counting, const struct seat_plan *plan, const char *path,
        struct diagnostics *diagnostics) {
        _cleanup_close_ int netns_fd = -1;
        bool kept;
        int r;

        r = netns_find(plan->netns, &netns_fd);
        if (r != NETNS_OURS)
                return remove_all(plan->netns, path, diagnostics);
        kept = are_too_many_of_seat(counting, plan->name) || are_too_many(counting);
        r = netns_record_note(&counting->record, &counting->socket, plan->name, netns_fd,
                kept ? NETNS_USE_KEPT : NETNS_USE_FORMER);
        warn_uncounted(r, path, diagnostics);
        if (kept && r >= 0) {
                diagnostics_warning(diagnostics, plan->name, 0,
                        "processes and open files keep too many namespaces of former logins alive: this one "
                        "stays too, without a network, and the next login uses it again");
                return 0;
        }
        /* An open namespace file would keep its own mount busy. */
        close_pointer(&netns_fd);
        return remove_all(plan->netns, path, diagnostics);
}

static int count_and_give_up(
        const struct seat_plan *plan, const char *path, struct diagnostics *diagnostics) {
        _cleanup_counting_ struct counting counting = {0};
        int r;

        r = begin_counting(&counting);
        if (r < 0) {
                warn_uncounted(r, path, diagnostics);
                return remove_all(plan->netns, path, diagnostics);
        }
        r = give_up(&counting, plan, path, diagnostics);
        release_kept(&counting, diagnostics);
        netns_record_prune(&counting.record, &counting.socket, plan->name);
        warn_uncounted(netns_record_save(NETNS_RECORD_FILE, &counting.record), path, diagnostics);
        return r;
}

int netns_stop(const char *etc, const char *seat, struct diagnostics *diagnostics) {
        _cleanup_lock_ struct lock lock = LOCK_NONE;
        char path[NETNS_PATH_SIZE];
        struct seat_plan plan;
        int r;

        r = seat_plan_for_stop(seat, &plan, diagnostics);
        if (r < 0)
                return r;
        format_path(plan.netns, path);
        end_leftovers(etc, seat, plan.netns, diagnostics);

        r = lock_directory(&lock);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return failure(diagnostics, NETNS_DIRECTORY, r, "cannot be locked");
        return count_and_give_up(&plan, path, diagnostics);
}

int netns_remove(const char *seat, struct diagnostics *diagnostics) {
        _cleanup_lock_ struct lock lock = LOCK_NONE;
        _cleanup_close_ int netns_fd = -1;
        char path[NETNS_PATH_SIZE];
        struct seat_plan plan;
        int r, found;

        seat_plan_name(seat, &plan);
        format_path(plan.netns, path);
        r = lock_directory(&lock);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return failure(diagnostics, NETNS_DIRECTORY, r, "cannot be locked");
        found = netns_find(plan.netns, &netns_fd);
        close_pointer(&netns_fd);
        if (found == NETNS_FOREIGN || found == NETNS_ABSENT)
                return 0;
        r = remove_all(plan.netns, path, diagnostics);
        return r < 0 ? r : 1;
}

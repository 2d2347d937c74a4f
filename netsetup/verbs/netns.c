/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * netns@: does what `ip netns add` does, with three differences. The namespace is complete (marked, lo up,
 * ping allowed) before its name appears. A seat adds one line to mountinfo and not two, because /run/netns is
 * a mount with a peer group of its own (netns-mount.h). Only namespaces that coursenet has made are
 * unmounted.
 *
 * Every change of the names and of the record is made under the lock of netns-mount.h. Each start and stop
 * also holds the lock of its own seat's name (receipt.h).
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
#include "kernel/link.h"
#include "kernel/netns-mount.h"
#include "kernel/procfs.h"
#include "leftover.h"
#include "netns-record.h"
#include "netns.h"
#include "receipt.h"
#include "seat-argument.h"

#define OWN_NETNS "/proc/self/ns/net"
#define PING_GROUP_RANGE "sys/net/ipv4/ping_group_range"

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

/* In a fresh namespace only root may ping. */
static int allow_ping(void) {
        static const char range[] = "0 2147483647";
        _cleanup_close_ int fd = -1;

        fd = procfs_open(PING_GROUP_RANGE, O_WRONLY);
        if (fd < 0)
                return fd;
        return write(fd, range, strlen(range)) < 0 ? -errno : 0;
}

/* Runs inside the new namespace, which *ret_fd keeps. */
static int furnish(const char *path, int *ret_fd, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        int fd, r;

        r = link_open(&socket);
        if (r >= 0)
                r = set_up_lo(&socket);
        if (r < 0)
                return failure(diagnostics, path, r, "lo of the new namespace cannot be set up");

        r = allow_ping();
        if (r < 0)
                diagnostics_warning(diagnostics, path, 0,
                        "/proc/" PING_GROUP_RANGE " cannot be set (%s): ping will need root in this seat",
                        strerror(-r));

        fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return failure(diagnostics, path, -errno, "the new namespace cannot be opened");
        *ret_fd = fd;
        return 0;
}

/* Makes a namespace that has no name, and ends with *ret_fd, which the caller closes. */
static int create(const char *path, int *ret_fd, struct diagnostics *diagnostics) {
        _cleanup_close_ int own_fd = -1;
        int r;

        own_fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
        if (own_fd < 0 || unshare(CLONE_NEWNET) < 0)
                return failure(diagnostics, path, -errno, "no new namespace can be made");

        r = furnish(path, ret_fd, diagnostics);
        if (setns(own_fd, CLONE_NEWNET) < 0)
                return failure(diagnostics, path, -errno, "the process cannot return from the new namespace");
        return r;
}

/* A namespace gets its name when it is complete. stale: the file to mount on exists already. */
static int give_name(const char *path, bool stale, int netns_fd, struct diagnostics *diagnostics) {
        _cleanup_close_ int fd = -1;
        char source[sizeof("/proc/self/fd/") + 11]; /* the longest int */
        int r = 0;

        if (!stale) {
                fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
                if (fd < 0)
                        return failure(diagnostics, path, -errno, "cannot be created");
        }
        (void)snprintf(source, sizeof(source), "/proc/self/fd/%d", netns_fd);
        if (mount(source, path, NULL, MS_BIND, NULL) < 0) {
                r = failure(diagnostics, path, -errno, "the new namespace cannot be mounted there");
                (void)unlink(path);
        }
        return r;
}

static int keep(const char *path, int netns_fd, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        int r;

        r = link_open_in(netns_fd, &socket);
        if (r >= 0)
                r = set_up_lo(&socket);
        return r < 0 ? failure(diagnostics, path, r, "the existing namespace cannot be corrected") : 0;
}

/* The record and what is needed to count by it; the empty value is all zero. */
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

/* The seat starts anyway. */
static void warn_uncounted(int error, const char *path, struct diagnostics *diagnostics) {
        if (error < 0)
                diagnostics_warning(diagnostics, path, 0,
                        "cannot be recorded in " NETNS_RECORD_FILE
                        " (%s): how many former namespaces of this seat are still in use is unknown",
                        strerror(-error));
}

/* Records that the seat has a namespace now, a new one or the former one. */
static void note_start(
        const struct seat_plan *plan, const char *path, int netns_fd, struct diagnostics *diagnostics) {
        _cleanup_counting_ struct counting counting = {0};
        int r;

        r = begin_counting(&counting);
        if (r >= 0) {
                netns_record_prune(&counting.record, &counting.socket, plan->name);
                r = netns_record_note(&counting.record, &counting.socket, plan->name, netns_fd, NETNS_USE_UP);
        }
        if (r >= 0)
                r = netns_record_save(NETNS_RECORD_FILE, &counting.record);
        warn_uncounted(r, path, diagnostics);
}

/* --- what the worker has made --------------------------------------------------------------------------- */

/* An empty text, which no receipt has, if the namespace cannot be examined. */
static void describe(const char *path, int netns_fd, receipt_text_t ret_text) {
        struct stat st;

        ret_text[0] = '\0';
        if (fstat(netns_fd, &st) >= 0)
                (void)snprintf(ret_text, sizeof(receipt_text_t), "%s, inode %ju on %ju\n", path,
                        (uintmax_t)st.st_ino, (uintmax_t)st.st_dev);
}

/* A namespace with a name is complete. In any case it is the unit's from here on. */
static bool adopt(const struct seat_plan *plan, const char *path, int netns_fd) {
        receipt_text_t text;
        bool same = false;

        if (netns_fd >= 0) {
                describe(path, netns_fd, text);
                same = receipt_says(RECEIPT_NETNS, plan->name, text);
        }
        receipt_remove(RECEIPT_NETNS, plan->name);
        return same;
}

static bool is_kept(const struct seat_plan *plan) {
        _cleanup_netns_record_ struct netns_record record = {0};

        return netns_record_load(NETNS_RECORD_FILE, &record) >= 0 &&
               netns_record_has_kept(&record, plan->name);
}

/*
 * Returns 1 if the worker has nothing to make: the namespace is a unit's, or has been prepared already. A
 * namespace that was kept when the seat stopped is used again, and belongs to the worker until a unit adopts
 * it.
 */
static int claim(
        const struct seat_plan *plan, const char *path, int netns_fd, struct diagnostics *diagnostics) {
        receipt_text_t text;
        int r;

        if (netns_fd >= 0) {
                describe(path, netns_fd, text);
                if (receipt_says(RECEIPT_NETNS, plan->name, text) ||
                        (!receipt_exists(RECEIPT_NETNS, plan->name) && !is_kept(plan)))
                        return 1;
        }
        r = receipt_begin(RECEIPT_NETNS, plan->name);
        return r < 0 ? failure(diagnostics, path, r, "cannot be recorded in " PREPARED_DIRECTORY) : 0;
}

static int write_receipt(const struct seat_plan *plan, int netns_fd, struct diagnostics *diagnostics) {
        receipt_text_t text;
        netns_path_t path;
        int r;

        netns_mount_format_path(plan->netns, path);
        describe(path, netns_fd, text);
        r = receipt_complete(RECEIPT_NETNS, plan->name, text);
        return r < 0 ? failure(diagnostics, path, r, "cannot be recorded in " PREPARED_DIRECTORY) : 0;
}

/* --- start and stop ------------------------------------------------------------------------------------ */

/*
 * The lock of one seat's name, which the worker holds until it has made the cable, too. It is taken before
 * the lock of all names, which no program holds for long.
 */
static int take_seat_lock(const char *seat, int *ret_fd, struct diagnostics *diagnostics) {
        int r = receipt_lock(RECEIPT_NETNS, seat, true, ret_fd);

        return r < 0 ? failure(diagnostics, seat, r, "its namespace cannot be locked") : 0;
}

static int take_lock(struct netns_lock *ret, struct diagnostics *diagnostics) {
        int r;

        if (mkdir(NETNS_DIRECTORY, 0755) < 0 && errno != EEXIST)
                return failure(diagnostics, NETNS_DIRECTORY, -errno, "cannot be created");
        r = netns_lock_take(ret);
        if (r < 0)
                return failure(diagnostics, NETNS_DIRECTORY, r, "cannot be locked");
        (void)netns_mount_make_folder(ret);
        return 0;
}

/* Returns an enum netns_state, but not NETNS_FOREIGN, or negative errno. For NETNS_OURS the caller closes
 * *ret_fd. */
static int find(
        const struct seat_plan *plan, const char *path, int *ret_fd, struct diagnostics *diagnostics) {
        int r = netns_mount_find(plan->netns, ret_fd);

        if (r < 0)
                return failure(diagnostics, path, r, "cannot be examined");
        if (r != NETNS_FOREIGN)
                return r;
        diagnostics_error(diagnostics, path, 0,
                "exists already and was not made by coursenet: remove it (ip netns delete %s), then "
                "start netns@%s.service",
                plan->netns, plan->name);
        return -EEXIST;
}

/* state: as find() has returned it. *netns_fd becomes that of a new namespace. */
static int make(const struct seat_plan *plan, const char *path, int state, int *netns_fd,
        struct diagnostics *diagnostics) {
        int r = state == NETNS_OURS ? keep(path, *netns_fd, diagnostics)
                                    : create(path, netns_fd, diagnostics);

        if (r >= 0 && state != NETNS_OURS)
                r = give_name(path, state == NETNS_STALE, *netns_fd, diagnostics);
        if (r >= 0)
                note_start(plan, path, *netns_fd, diagnostics);
        return r;
}

int netns_start(const char *etc, const char *seat, struct diagnostics *diagnostics) {
        _cleanup_netns_lock_ struct netns_lock lock = NETNS_LOCK_NONE;
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_close_ int netns_fd = -1, seat_lock = -1;
        struct seat_plan plan;
        netns_path_t path;
        struct seat_id id;
        int r, state;

        r = settings_load(etc, &settings, diagnostics);
        if (r >= 0)
                r = seat_argument_parse(&settings, seat, &id, diagnostics);
        if (r >= 0)
                r = take_seat_lock(seat, &seat_lock, diagnostics);
        if (r >= 0)
                r = take_lock(&lock, diagnostics);
        if (r < 0)
                return r;

        seat_plan_name(seat, &plan);
        netns_mount_format_path(plan.netns, path);
        state = find(&plan, path, &netns_fd, diagnostics);
        if (state < 0)
                return state;
        return adopt(&plan, path, netns_fd) ? 0 : make(&plan, path, state, &netns_fd, diagnostics);
}

void netns_preparation_done(struct netns_preparation *preparation) {
        close_pointer(&preparation->netns_fd);
        close_pointer(&preparation->lock);
}

/* What could not be finished has no namespace. The receipt stays if the name could not be removed. */
static void forget_prepared(const struct seat_plan *plan, const char *path) {
        _cleanup_counting_ struct counting counting = {0};

        if (begin_counting(&counting) >= 0) {
                netns_record_retire_seat(&counting.record, plan->name);
                (void)netns_record_save(NETNS_RECORD_FILE, &counting.record);
        }
        if (access(path, F_OK) < 0 && errno == ENOENT)
                receipt_remove(RECEIPT_NETNS, plan->name);
}

/*
 * The note gives the namespace its number. It comes before the cable, for which the kernel would take the
 * first number that is free.
 */
static int make_prepared(const struct seat_plan *plan, const char *path, int state, int *netns_fd,
        struct diagnostics *diagnostics) {
        int r = state == NETNS_OURS ? keep(path, *netns_fd, diagnostics)
                                    : create(path, netns_fd, diagnostics);

        if (r >= 0) {
                note_start(plan, path, *netns_fd, diagnostics);
                return 0;
        }
        if (state == NETNS_STALE)
                (void)unlink(path);
        forget_prepared(plan, path);
        return r;
}

int netns_prepare(
        const struct seat_plan *plan, struct netns_preparation *ret, struct diagnostics *diagnostics) {
        _cleanup_netns_lock_ struct netns_lock lock = NETNS_LOCK_NONE;
        netns_path_t path;
        int r, state;

        r = take_seat_lock(plan->name, &ret->lock, diagnostics);
        if (r >= 0)
                r = take_lock(&lock, diagnostics);
        if (r < 0)
                return r;
        netns_mount_format_path(plan->netns, path);
        state = find(plan, path, &ret->netns_fd, diagnostics);
        if (state < 0)
                return state;
        r = claim(plan, path, ret->netns_fd, diagnostics);
        if (r != 0)
                return r < 0 ? r : 0;
        ret->claimed = true;
        ret->unnamed = state != NETNS_OURS;
        return make_prepared(plan, path, state, &ret->netns_fd, diagnostics);
}

static int name_prepared(
        const struct seat_plan *plan, const char *path, int netns_fd, struct diagnostics *diagnostics) {
        _cleanup_close_ int other_fd = -1;
        int r, state;

        state = find(plan, path, &other_fd, diagnostics);
        if (state == NETNS_OURS) {
                /* Not a program of ours, which would have waited for the lock of the seat. */
                diagnostics_error(diagnostics, path, 0, "somebody has made a namespace there meanwhile");
                return -EEXIST;
        }
        if (state < 0)
                return state;
        r = write_receipt(plan, netns_fd, diagnostics);
        if (r >= 0)
                r = give_name(path, state == NETNS_STALE, netns_fd, diagnostics);
        if (r < 0 && state == NETNS_STALE)
                (void)unlink(path);
        return r;
}

int netns_prepare_finish(const struct seat_plan *plan, const struct netns_preparation *preparation,
        struct diagnostics *diagnostics) {
        _cleanup_netns_lock_ struct netns_lock lock = NETNS_LOCK_NONE;
        netns_path_t path;
        int r;

        if (!preparation->claimed)
                return 0;
        if (!preparation->unnamed)
                return write_receipt(plan, preparation->netns_fd, diagnostics);
        r = take_lock(&lock, diagnostics);
        if (r < 0)
                return r;
        netns_mount_format_path(plan->netns, path);
        r = name_prepared(plan, path, preparation->netns_fd, diagnostics);
        if (r < 0)
                forget_prepared(plan, path);
        return r;
}

/*
 * Kills leftover processes if the settings say so. If the settings cannot be read, nothing is killed. The
 * lock is not held, because a process that ends slowly must not delay other seats.
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
                netns_mount_find(name, &netns_fd) != NETNS_OURS)
                return;
        r = leftover_kill(netns_fd);
        if (r < 0)
                diagnostics_warning(diagnostics, seat, 0,
                        "processes that still run in the seat cannot be killed: %s", strerror(-r));
}

/* For all seats. Whether former namespaces still exist is only checked if there seem to be too many. */
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

/* Removes kept namespaces that need not be kept any more. The stop of any seat calls this. */
static void release_kept(struct counting *counting, struct diagnostics *diagnostics) {
        netns_path_t path;
        struct seat_plan plan;

        /* Removing an entry moves the later ones down, so the loop begins at the end. */
        for (size_t i = counting->record.n_entries; i-- > 0;) {
                struct netns_entry entry;

                if (i >= counting->record.n_entries || counting->record.entries[i].use != NETNS_USE_KEPT)
                        continue;
                entry = counting->record.entries[i];
                if (are_too_many(counting))
                        return;
                seat_plan_name(entry.seat, &plan);
                /* A seat with a cable is up, even if its start could not be recorded. */
                if (if_nametoindex(plan.link) != 0 || are_too_many_of_seat(counting, plan.name))
                        continue;
                netns_mount_format_path(plan.netns, path);
                if (netns_mount_remove(plan.netns, diagnostics) >= 0)
                        netns_record_retire(&counting->record, entry.id);
        }
}

/* Removes the name of the seat's namespace, or records that it is kept. */
static int give_up(struct counting *counting, const struct seat_plan *plan, const char *path,
        struct diagnostics *diagnostics) {
        _cleanup_close_ int netns_fd = -1;
        bool kept;
        int r;

        r = netns_mount_find(plan->netns, &netns_fd);
        if (r != NETNS_OURS) {
                netns_record_retire_seat(&counting->record, plan->name);
                return netns_mount_remove(plan->netns, diagnostics);
        }
        kept = are_too_many_of_seat(counting, plan->name) || are_too_many(counting);
        r = netns_record_note(&counting->record, &counting->socket, plan->name, netns_fd,
                kept ? NETNS_USE_KEPT : NETNS_USE_FORMER);
        warn_uncounted(r, path, diagnostics);
        if (kept && r >= 0) {
                diagnostics_warning(diagnostics, plan->name, 0,
                        "processes and open files keep too many namespaces of former logins alive, so this "
                        "one is kept as well, without a network, and the next login reuses it");
                return 0;
        }
        /* An open namespace file would keep its own mount busy. */
        close_pointer(&netns_fd);
        return netns_mount_remove(plan->netns, diagnostics);
}

static int count_and_give_up(
        const struct seat_plan *plan, const char *path, struct diagnostics *diagnostics) {
        _cleanup_counting_ struct counting counting = {0};
        int r;

        r = begin_counting(&counting);
        if (r < 0) {
                warn_uncounted(r, path, diagnostics);
                return netns_mount_remove(plan->netns, diagnostics);
        }
        r = give_up(&counting, plan, path, diagnostics);
        release_kept(&counting, diagnostics);
        netns_record_prune(&counting.record, &counting.socket, plan->name);
        warn_uncounted(netns_record_save(NETNS_RECORD_FILE, &counting.record), path, diagnostics);
        return r;
}

/* The caller has the lock. */
static int remove_namespace(const struct seat_plan *plan, struct diagnostics *diagnostics) {
        netns_path_t path;
        int r;

        netns_mount_format_path(plan->netns, path);
        r = count_and_give_up(plan, path, diagnostics);
        if (r >= 0)
                receipt_remove(RECEIPT_NETNS, plan->name);
        return r;
}

/* Returns 1, or 0 if there is no /run/netns. */
static int take_lock_if_any(struct netns_lock *ret, struct diagnostics *diagnostics) {
        int r = netns_lock_take(ret);

        if (r == -ENOENT)
                return 0;
        return r < 0 ? failure(diagnostics, NETNS_DIRECTORY, r, "cannot be locked") : 1;
}

int netns_stop(const char *etc, const char *seat, struct diagnostics *diagnostics) {
        _cleanup_netns_lock_ struct netns_lock lock = NETNS_LOCK_NONE;
        _cleanup_close_ int seat_lock = -1;
        struct seat_plan plan;
        int r;

        r = seat_argument_name(seat, &plan, diagnostics);
        if (r < 0)
                return r;
        end_leftovers(etc, seat, plan.netns, diagnostics);
        r = take_seat_lock(seat, &seat_lock, diagnostics);
        if (r >= 0)
                r = take_lock_if_any(&lock, diagnostics);
        return r <= 0 ? r : remove_namespace(&plan, diagnostics);
}

int netns_discard(const char *etc, const char *seat, struct diagnostics *diagnostics) {
        _cleanup_netns_lock_ struct netns_lock lock = NETNS_LOCK_NONE;
        _cleanup_close_ int seat_lock = -1;
        struct seat_plan plan;
        int r;

        r = seat_argument_name(seat, &plan, diagnostics);
        /* Examined again with the lock. A unit's namespace, whose processes are not killed here, has none. */
        if (r < 0 || !receipt_exists(RECEIPT_NETNS, seat))
                return r < 0 ? r : 0;
        end_leftovers(etc, seat, plan.netns, diagnostics);
        r = take_seat_lock(seat, &seat_lock, diagnostics);
        if (r >= 0)
                r = take_lock_if_any(&lock, diagnostics);
        if (r <= 0 || !receipt_exists(RECEIPT_NETNS, seat))
                return r < 0 ? r : 0;
        return remove_namespace(&plan, diagnostics);
}

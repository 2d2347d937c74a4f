/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The name of a seat's network namespace: one mount at /run/netns/nsSEAT, where ip-netns(8) and
 * NetworkNamespacePath= of units find it.
 */

#include "diagnostics.h"
#include "plan.h"

typedef char netns_path_t[sizeof(NETNS_DIRECTORY "/ns") + SEAT_ID_SIZE];

enum netns_state {
        NETNS_ABSENT,
        NETNS_STALE,   /* an empty file of root's: where a namespace was, or was about to be */
        NETNS_OURS,    /* a network namespace whose lo has COURSENET_LINK_GROUP */
        NETNS_FOREIGN, /* anything else */
};

/* The path of a name ("ns12310"). */
void netns_mount_format_path(const char *name, netns_path_t ret_path);

/*
 * Looks at the name of a namespace. Returns an enum netns_state or negative errno; for NETNS_OURS *ret_fd is
 * the namespace, which the caller closes, and otherwise untouched.
 */
int netns_mount_find(const char *name, int *ret_fd);

/*
 * Removes the mount and its file, if the namespace is ours. The namespace itself ends with the last process
 * in it. The caller has the lock, and no descriptor of the namespace, which would keep the mount busy. A name
 * that does not exist is success. -EEXIST for a namespace that is not ours, which stays. Errors are in
 * diagnostics.
 */
int netns_mount_remove(const char *name, struct diagnostics *diagnostics);

/* Held while a name is made or removed. */
struct netns_lock {
        int own_fd, ip_fd;
};

#define NETNS_LOCK_NONE ((struct netns_lock){-1, -1})

/* Waits for it. -ENOENT: there is no /run/netns. */
int netns_lock_take(struct netns_lock *ret);
void netns_lock_done(struct netns_lock *lock);

/*
 * Makes /run/netns a mount of its own, before there is anything in it. ip-netns(8) and pam_usernet(8) do the
 * same when they are first used, and then the namespaces that are there exist twice (ip-netns), with
 * each later one, or can no longer be seen (pam_usernet). Both leave a mount that they find. This one has
 * a peer group of its own, so that no namespace is also mounted below it. The caller has the lock. Negative
 * errno: without the mount everything works as well.
 */
int netns_mount_make_folder(const struct netns_lock *lock);

/* Unmounts it if nothing is left in it, also if ip-netns has mounted it. Negative errno. */
int netns_mount_remove_folder(const struct netns_lock *lock);

#define _cleanup_netns_lock_ _cleanup_(netns_lock_done)

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every change is made under a lock of our own, on a file that only root can open: anybody who can read
 * /run/netns can hold the lock that ip-netns takes on it, for as long as they like. The lock of ip-netns is
 * tried too, but not waited for: it only guards that ip makes a mount of /run/netns the first time it is
 * used.
 */

#include <dirent.h>
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
#include "base/runtime-file.h"
#include "link.h"
#include "netns-mount.h"

void netns_mount_format_path(const char *name, netns_path_t ret_path) {
        (void)snprintf(ret_path, sizeof(netns_path_t), NETNS_DIRECTORY "/%s", name);
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

/* A file that is no namespace. Who made it to mount on it, coursenet or ip-netns, wrote nothing to it. */
static int classify_file(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        return S_ISREG(st.st_mode) && st.st_uid == 0 && st.st_size == 0 ? NETNS_STALE : NETNS_FOREIGN;
}

int netns_mount_find(const char *name, int *ret_fd) {
        _cleanup_close_ int path_fd = -1, fd = -1;
        netns_path_t path;
        struct statfs fs;
        int r;

        netns_mount_format_path(name, path);

        /* O_PATH: the file is checked before it is opened for use. */
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

/*
 * The file is unmounted before it is unlinked, because a file with a mount on it could not be created again.
 * If a process holds the mount itself open, the mount is only detached, and ends when that process closes it.
 */
static int unmount(const char *path) {
        if (umount2(path, UMOUNT_NOFOLLOW) >= 0)
                return 0;
        if (errno == EBUSY && umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) >= 0)
                return 0;
        return -errno;
}

/* Mounts can be stacked, after a crash or by an administrator; each is examined before it is removed. */
int netns_mount_remove(const char *name, struct diagnostics *diagnostics) {
        netns_path_t path;
        int r;

        netns_mount_format_path(name, path);
        for (;;) {
                _cleanup_close_ int netns_fd = -1;

                r = netns_mount_find(name, &netns_fd);
                if (r != NETNS_OURS)
                        break;

                /* An open namespace file would keep its own mount busy. */
                close_pointer(&netns_fd);
                r = unmount(path);
                if (r < 0)
                        return failure(diagnostics, path, r, "cannot be unmounted");
        }
        if (r < 0)
                return failure(diagnostics, path, r, "cannot be examined");
        if (r == NETNS_FOREIGN) {
                diagnostics_error(diagnostics, path, 0, "was not made by coursenet and is left as it is");
                return -EEXIST;
        }
        if (r == NETNS_STALE && unlink(path) < 0 && errno != ENOENT)
                return failure(diagnostics, path, -errno, "cannot be removed");
        return 0;
}

/* --- the folder -------------------------------------------------------------------------------- */

static bool is_mount_point(int fd) {
        struct statx status;

        return statx(fd, "", AT_EMPTY_PATH, 0, &status) >= 0 &&
               (status.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static bool is_empty(int fd) {
        /* The position of a directory's descriptor is not used elsewhere. */
        _cleanup_close_ int own_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = own_fd < 0 ? NULL : fdopendir(own_fd);
        size_t n = 0;

        if (!directory)
                return false;
        own_fd = -1;
        for (struct dirent *entry; (entry = readdir(directory));)
                n += !string_equal(entry->d_name, ".") && !string_equal(entry->d_name, "..");
        (void)closedir(directory);
        return n == 0;
}

/* open_tree(2): the copy belongs to the peer group of the mount that it is from, so it leaves that first. */
static int mount_on_itself(void) {
        static const uint64_t steps[] = {MS_PRIVATE, MS_SHARED};
        _cleanup_close_ int tree_fd =
                open_tree(AT_FDCWD, NETNS_DIRECTORY, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

        if (tree_fd < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                struct mount_attr attributes = {.propagation = steps[i]};

                if (mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
                        return -errno;
        }
        return move_mount(tree_fd, "", AT_FDCWD, NETNS_DIRECTORY, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

int netns_mount_make_folder(const struct netns_lock *lock) {
        if (is_mount_point(lock->ip_fd) || !is_empty(lock->ip_fd))
                return 0;
        return mount_on_itself();
}

int netns_mount_remove_folder(const struct netns_lock *lock) {
        if (!is_mount_point(lock->ip_fd) || !is_empty(lock->ip_fd))
                return 0;
        /* The lock holds a descriptor of the mount. */
        return umount2(NETNS_DIRECTORY, UMOUNT_NOFOLLOW | MNT_DETACH) < 0 ? -errno : 0;
}

/* --- the lock ---------------------------------------------------------------------------------- */

/* How long to wait for ip-netns, which makes its mount in far less time. */
#define IP_LOCK_TIMEOUT_MS 20U

/* The locks end with the descriptors. */
void netns_lock_done(struct netns_lock *lock) {
        close_pointer(&lock->own_fd);
        close_pointer(&lock->ip_fd);
}

int netns_lock_take(struct netns_lock *ret) {
        _cleanup_netns_lock_ struct netns_lock lock = NETNS_LOCK_NONE;
        int r;

        lock.ip_fd = open(NETNS_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (lock.ip_fd < 0)
                return -errno;
        r = runtime_lock_take(RUN_DIRECTORY "/netns.lock", &lock.own_fd);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < IP_LOCK_TIMEOUT_MS && flock(lock.ip_fd, LOCK_EX | LOCK_NB) < 0; i++)
                (void)usleep(1000);

        *ret = lock;
        lock = NETNS_LOCK_NONE;
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A link is made by one system call, so there is no half of it. */

#include "seat-owner.h"
#include "name-rule.h"
#include "namespace-id.h"
#include "seat-id.h"
#include "util.h"

#define LINK_SIZE 128U

static void format_link(const char *directory, const char *seat, char ret_path[static LINK_SIZE]) {
        (void)snprintf(ret_path, LINK_SIZE, "%s/%s", directory, seat);
}

/* Whether there is such a link. */
static bool read_owner(const char *path, char ret_user[static USER_NAME_SIZE]) {
        ssize_t n = readlink(path, ret_user, USER_NAME_SIZE - 1);

        ret_user[n < 0 ? 0 : n] = '\0';
        return n >= 0;
}

int seat_owner_note(const char *directory, const char *seat, const char *user) {
        char path[LINK_SIZE], owner[USER_NAME_SIZE];

        format_link(directory, seat, path);
        if (read_owner(path, owner) && string_equal(owner, user))
                return 0;
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        return symlink(user, path) < 0 ? -errno : 0;
}

bool seat_owner_is_other(const char *directory, const char *seat, const char *user) {
        char path[LINK_SIZE], owner[USER_NAME_SIZE];

        format_link(directory, seat, path);
        return read_owner(path, owner) && !string_equal(owner, user) && namespace_id_find(seat).inode != 0;
}

void seat_owner_forget(const char *directory, const char *seat) {
        char path[LINK_SIZE];

        format_link(directory, seat, path);
        if (namespace_id_find(seat).inode == 0)
                (void)unlink(path);
}

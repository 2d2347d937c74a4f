/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which network namespace a seat has, so that one can tell later whether it still has the same. */

#include <sys/types.h>

/* The inode of the namespace; inode 0: the seat has none. */
struct namespace_id {
        dev_t device;
        ino_t inode;
};

/* That of the seat now; seat: digits only. */
struct namespace_id namespace_id_find(const char *seat);

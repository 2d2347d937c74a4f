/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A folder of journals, which systemd-journal-remote(8) writes for other machines. */

#include <limits.h>
#include <systemd/sd-journal.h>

#include "util.h"

/* Linux's names have up to 64 characters. */
#define MACHINE_NAME_SIZE 65U

/*
 * A machine of which there are entries. Its name tells it from others, and not its machine id, which copies
 * of one virtual machine share.
 */
struct machine {
        char name[MACHINE_NAME_SIZE]; /* up to its first dot */
        sd_id128_t last_boot;
        uint64_t begins_usec, ends_usec; /* its first and its last entry */
};

/* The empty value is all zero. */
struct collected {
        struct machine *machines;
        size_t n_machines;
        size_t n_files, n_bad;
        char bad[PATH_MAX]; /* one of the files that cannot be read */
        int bad_error;      /* negative errno */
};

void collected_done(struct collected *collected);

/*
 * Tries each file of the folder, and of the folders in it, by itself: sd-journal skips those that it
 * cannot read, and says nothing. A file that is empty, or that is gone by then, is none. Negative errno.
 */
int collected_find_files(const char *directory, struct collected *collected);

/* Finds the machines in these journals, whose matches are then empty. Negative errno. */
int collected_find_machines(sd_journal *journal, struct collected *collected);

/* NULL: there is none. */
const struct machine *collected_find(const struct collected *collected, const char *name);

/* The current entry's name of the machine, up to its first dot. Empty if it has none. */
void collected_read_name(sd_journal *journal, char ret[static MACHINE_NAME_SIZE]);

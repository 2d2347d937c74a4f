/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Digests of what must be the same on all members of a spread course: of its settings, and of its roster.
 * Each member publishes them, so that everybody can see that a file was not copied. They are SHA-256 of
 * libmd, which the settings need anyway.
 */

#include <sha2.h>
#include <stdint.h>

#include "seat-id.h"
#include "util.h"

struct course_digest {
        char course[COURSE_SIZE];
        uint32_t vni;
        char settings[SHA256_DIGEST_STRING_LENGTH], roster[SHA256_DIGEST_STRING_LENGTH];
        uint64_t settings_usec, roster_usec; /* when the files were changed; CLOCK_REALTIME, 0: no file */
};

/* The empty value, with etc, is good for course_digests_refresh(). */
struct course_digests {
        const char *etc; /* borrowed */
        struct course_digest *items;
        size_t n_items;
        uint8_t files[SHA256_DIGEST_LENGTH]; /* of the names and times of all files */
        bool settled;                        /* they were not changed just before they were read */
};

/*
 * Computes them again if a file has changed. Returns 1 if it did, 0, or negative errno: the settings cannot
 * be used, and the digests are as before.
 */
int course_digests_refresh(struct course_digests *digests);
void course_digests_done(struct course_digests *digests);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a path can be a container's image, for whoever asks: with the rights of the calling process. */

#include "util.h"

/* Room for the longest reason beside the path. */
#define IMAGE_REASON_SIZE 160U

enum image_verdict {
        IMAGE_GOOD,
        IMAGE_MISSING,    /* nothing of that name */
        IMAGE_UNREADABLE, /* it, or a folder on the way, is closed to the caller, or cannot be read at all */
        IMAGE_WRONG,      /* it is something else */
        _IMAGE_VERDICT_MAX,
};

/*
 * Looks at what the runtimes take: a SIF file, a squashfs or ext3 file system in a file, or a sandbox
 * folder. reason: what is wrong, to be read behind the path, "does not exist"; untouched if it is good.
 */
enum image_verdict image_examine(const char *path, char reason[static IMAGE_REASON_SIZE]);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Checks that a path can be a container's image, with the rights of the calling process. */

#include "util.h"

/* Room for the longest reason beside the path. */
#define IMAGE_REASON_SIZE 160U

enum image_verdict {
        IMAGE_GOOD,
        IMAGE_MISSING,    /* it does not exist */
        IMAGE_UNREADABLE, /* the caller may not read it or a folder in its path, or it cannot be read at all
                           */
        IMAGE_WRONG,      /* it is something else */
        _IMAGE_VERDICT_MAX,
};

/*
 * Accepts what the runtimes accept: a SIF file, a squashfs or ext3 file system in a file, or a sandbox
 * folder. reason says what is wrong, to be printed behind the path, such as "does not exist"; untouched if
 * the image is good.
 */
enum image_verdict image_examine(const char *path, char reason[static IMAGE_REASON_SIZE]);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How many containers may be starting at once: a class that logs in together would start dozens, and some of
 * those fail (apptainer#3607). A slot in use is a file in this directory, which is root's alone, named after
 * the instance of cont@ that has it. `coursenet-container queue` makes it, as root. The activator removes it
 * when the unit's job has ended. A slot that is older than SLOT_SECONDS is free, even if the start has not
 * ended: a student can stop their own start (SIGSTOP), and the activator may not be running.
 */

#include "util.h"

#define SLOT_DIRECTORY "/run/coursenet/slots"
#define SLOTS 8U

/* Ten times what a start takes where the image is read for the first time. */
#define SLOT_SECONDS 15

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All of coursenet-enter except main(), so that tests can call it. */

/* Becomes the user's command, or says on stderr why it cannot and returns an exit code (command-line.h). */
int enter(int argc, char **argv);

/*
 * Opens those of descriptors 0, 1 and 2 that are closed on /dev/null; negative errno. enter() does this
 * first, because what is opened later would get one of these numbers, and what is printed would go there. The
 * command inherits them, so they are not close-on-exec. Where the file capability is granted, libc has done
 * the same before main(), with /dev/full for the first; otherwise nobody has.
 */
int enter_open_stdio(void);

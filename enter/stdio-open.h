/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Opens those of descriptors 0, 1 and 2 that are closed on /dev/null. To be called before anything else is
 * opened: it would get one of these numbers, and what is printed would go there.
 */
int stdio_open(void);

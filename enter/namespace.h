/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The network namespace that the activator handed over. */

#include "util.h"

/*
 * 1 if this process is in the network namespace fd; 0 if it is in another one; negative errno if fd is no
 * network namespace or that cannot be told, and *ret_failed is a static clause about it.
 */
int namespace_is_current(int fd, const char **ret_failed);

/* Joins it. -EPERM without CAP_SYS_ADMIN. Only for what namespace_is_current() has checked. */
int namespace_join(int fd, const char **ret_failed);

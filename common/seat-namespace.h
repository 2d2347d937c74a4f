/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A seat's network namespace as a file. Every program that opens or receives one checks it here, because
 * setns() would not say what is wrong, and a failed start may have left a plain file of that name.
 */

#include "util.h"

#define SEAT_NAMESPACE "/run/netns/ns"

/*
 * Returns a descriptor of the namespace of the seat (digits only), which the caller closes. Negative errno,
 * and *ret_failed says what failed, as a static sentence fragment.
 */
int seat_namespace_open(const char *seat, const char **ret_failed);

/* 0 if fd is a network namespace; -EINVAL if it is something else; *ret_failed as above. */
int seat_namespace_check(int fd, const char **ret_failed);

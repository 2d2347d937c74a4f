/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An IPv6 network of this host's own, which needs no registry and no setting: a unique local /48, RFC 4193.
 * It is computed from the machine id, so that it is the same at every boot and differs from host to host. Not
 * from the id as it is, which is confidential (machine-id(5)), while addresses are seen by everybody: from
 * its SHA-256, of which 40 bits are taken, as RFC 4193 has them random.
 */

#include "address6.h"

#define MACHINE_ID_FILE "/etc/machine-id"

/* -EINVAL if text does not begin with a machine id: 32 hexadecimal digits, not all zero, and a line's end. */
int machine_prefix(const char *text, struct address6 *ret);

/* The same, of the id in a file. Negative errno if there is none: no file, an empty one, "uninitialized". */
int machine_prefix_read(const char *path, struct address6 *ret);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An IPv6 network for this host that needs no registry and no setting: a unique local /48, RFC 4193. It is
 * computed from the machine id, so that it is the same at every boot and different on every host. The machine
 * id is confidential (machine-id(5)) and addresses are public, so the network has 40 bits of its SHA-256,
 * instead of the random ones of RFC 4193.
 */

#include "address6.h"
#include "file-identity.h"

#define MACHINE_ID_FILE "/etc/machine-id"

/* -EINVAL if text does not begin with a machine id: 32 hexadecimal digits, not all zero, and a line's end. */
int machine_prefix(const char *text, struct address6 *ret);

/*
 * The same, of the id in a file. Negative errno if there is none: no file, an empty one, "uninitialized".
 * path may be a symbolic link, as it is in some images.
 */
int machine_prefix_read(const char *path, struct address6 *ret, struct file_identity *ret_file);

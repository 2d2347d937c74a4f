/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why a seat's container failed, as one line for the student and the administrator. */

#include "util.h"

#define CONTAINER_FAILURE_SIZE 200U

/*
 * From two properties of cont@: status is StatusText, which coursenet-container sets when a start fails, and
 * result is Result, as systemd.exec(5) and systemctl(1) have it. The status comes from the student's own
 * processes, so what is not printable becomes '?'. No full stop at the end. Either may be empty.
 */
void container_failure_format(
        const char *status, const char *result, char ret[static CONTAINER_FAILURE_SIZE]);

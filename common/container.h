/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A seat's container, as far as several programs deal with it: the runtime of this host, and why a start
 * failed. */

#include "util.h"

/*
 * The path of the container runtime: the first that is installed of Apptainer and SingularityCE, which take
 * the same arguments. Static; NULL: none is installed. PATH is not looked at, because the caller may have
 * more rights than the user who set PATH.
 */
const char *container_find_runtime(void);

#define CONTAINER_FAILURE_SIZE 200U

/*
 * Why a container failed, as one line without a full stop, for the student and the administrator. status and
 * result are properties of cont@: StatusText, which coursenet-container sets when a start fails, and Result,
 * see systemd.exec(5). Either may be empty. The status comes from the student's own processes, so what is not
 * printable becomes '?'.
 */
void container_format_failure(
        const char *status, const char *result, char ret[static CONTAINER_FAILURE_SIZE]);

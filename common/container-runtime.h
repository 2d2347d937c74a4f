/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The container runtime of this host: Apptainer, or SingularityCE, which take the same words. */

#include "util.h"

/*
 * The path of the first that is installed, static; NULL: none is. PATH is not asked: who looks may have
 * rights that whoever set PATH has not.
 */
const char *container_runtime_find(void);

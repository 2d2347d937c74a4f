/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a runtime leaves in a home directory. */

#include "util.h"

/*
 * Removes what an instance of that name left in the user's home directory when it was killed: with it there,
 * the next start fails with "instance already exists" (singularity#4332). Called as the user whose home it
 * is.
 */
void runtime_forget_instance(const char *home, const char *user, const char *instance);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl hosts frr` and `coursenetctl hosts apply`. Both return an exit code. */

#include "base/arguments.h"
#include "base/command.h"

#define FRR_FILE "frr.conf" /* below /var/lib/coursenet: what was loaded last */

int hosts_frr(const struct paths *paths, const struct arguments *arguments);
int hosts_apply(const struct paths *paths, const struct arguments *arguments);

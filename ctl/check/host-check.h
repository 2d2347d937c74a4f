/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether this host has what the configuration needs: programs, services, IPv6, and room in the kernel. */

#include "base/command.h"
#include "limits.h"

/* *ret_wanted: the kernel's limits to raise, as limits_check() has them. */
void host_check(const struct paths *paths, const struct site *site, struct limits *ret_wanted,
        struct diagnostics *diagnostics);

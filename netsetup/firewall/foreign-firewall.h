/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Firewalls of other programs. A packet must pass every table, so no rule of ours can admit what Docker, ufw,
 * firewalld or the administrator's own rules drop. This finds the chains that would drop packets of seats,
 * and says what to add, as a command of the program that made the chain.
 */

#include "diagnostics.h"
#include "plan.h"

/*
 * rules is what `nft -j list ruleset` prints. Adds a warning for each base chain that drops by default and
 * says nothing of the courses' links. dns: seats ask the host for names. -EINVAL if rules cannot be read.
 */
int foreign_firewall_check(const char *rules, const struct bridge_plan *courses, size_t n_courses, bool dns,
        struct diagnostics *diagnostics);

/*
 * iptables-legacy has rules of its own, which nftables does not show. names is the folder that has
 * ip_tables_names, /proc/net.
 */
void foreign_firewall_check_legacy(const char *names, struct diagnostics *diagnostics);

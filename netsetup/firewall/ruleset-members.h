/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The part of the tables that only members of [hosts] have. Without [hosts] nothing of it exists. */

#include "nft-text.h"
#include "ruleset.h"

/* Whether one of the courses is one network with other members. */
bool ruleset_any_spread(const struct ruleset_courses *courses);

/* Into the table of the family "bridge": what does not cross vx-123. */
void ruleset_put_stretches(struct nft_text *text, const struct ruleset_courses *courses);

/* Into the table of courses: who sends and gets VXLAN, and which ports of members no seat reaches. */
void ruleset_put_underlay(struct nft_text *text, const struct ruleset_courses *courses);

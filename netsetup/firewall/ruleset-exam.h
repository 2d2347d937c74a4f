/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What exams add to the table of courses. ruleset-courses.c calls these if a course that is up is in one. */

#include "nft-text.h"
#include "ruleset.h"

/* The sets and chains of exams. */
void ruleset_put_exams(struct nft_text *text, const struct ruleset_courses *courses);

/* The first rules of the hooks, which lead there. */
#define RULESET_EXAM_INPUT "\t\tiifname @exams jump exam_to_host\n"
#define RULESET_EXAM_FORWARD "\t\tiifname @exams jump exam_from_seat\n\t\toifname @exams jump exam_to_seat\n"

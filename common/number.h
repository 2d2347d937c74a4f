/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Decimal numbers as configuration files write them: digits only, no sign, no leading zero. */

#include "util.h"

/* -EINVAL if text is not such a number, -ERANGE if it is not between minimum and maximum. */
int number_parse(const char *text, unsigned minimum, unsigned maximum, unsigned *ret);

/* Digits only, at least one. */
bool digits_only(const char *text);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util.h"

/* "coursenet-enter: TEXT" and a newline, on stderr, without control characters. */
void complain(const char *format, ...) _printf_(1, 2);

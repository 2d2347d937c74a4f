/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Numbers of bytes as people read them. */

#include <stdint.h>

#define BYTE_COUNT_SIZE 32U

/* "999", "1.5k", "20.0M": in powers of 1000. */
void byte_count_format(uint64_t bytes, char ret_text[static BYTE_COUNT_SIZE]);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The user's filter, see pcap-filter(7). */

#include "capture-protocol.h"

/* Compiles the words into ret. NULL: no filter. Returns an exit code, after a message. */
int filter_compile(char *const *words, unsigned snaplen, struct capture_start *ret);

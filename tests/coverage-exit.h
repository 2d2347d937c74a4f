/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * For a build that counts which lines run: the compiler includes it first in each file. Without it a process
 * that ends with _exit() would not write its counts.
 */

#include <stdlib.h>
#include <unistd.h>

void __gcov_dump(void);

static inline _Noreturn void dump_and_exit(int status) {
        /* A process that may not write its counts does not say so to a test that reads its standard error. */
        (void)setenv("GCOV_ERROR_FILE", "/dev/null", 1);
        __gcov_dump();
        _exit(status);
}

#define _exit(status) dump_and_exit(status)

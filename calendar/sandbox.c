/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The filter of system calls is libseccomp's. What it does not list fails with EPERM. */

#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/resource.h>

#include "sandbox.h"
#include "util.h"

/* A timetable of a year takes some milliseconds. */
#define CPU_SECONDS_MAX 3U
#define MEMORY_MAX (UINT64_C(512) * 1024 * 1024)
#define OUTPUT_MAX (UINT64_C(8) * 1024 * 1024)

static const int allowed[] = {SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap),
        SCMP_SYS(madvise), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat),
        SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
        SCMP_SYS(getrandom), SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(exit), SCMP_SYS(exit_group)};

static int filter_calls(scmp_filter_ctx filter) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(allowed) && r == 0; i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
        /* Files of the tz database, and to read only. */
        if (r == 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                        SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
        return r == 0 ? seccomp_load(filter) : r;
}

static int limit(__rlimit_resource_t resource, uint64_t most) {
        /* With the same hard limit of the processor's time, it would be SIGKILL. */
        const struct rlimit limits = {most, most + 1};

        return setrlimit(resource, &limits) < 0 ? -errno : 0;
}

int sandbox_limit(void) {
        int r = limit(RLIMIT_CPU, CPU_SECONDS_MAX);

        if (r >= 0)
                r = limit(RLIMIT_FSIZE, OUTPUT_MAX);
/* AddressSanitizer reserves terabytes. */
#ifndef SANITIZED
        if (r >= 0)
                r = limit(RLIMIT_AS, MEMORY_MAX);
#endif
        return r;
}

int sandbox_close(void) {
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r;

        if (!filter)
                return -ENOMEM;
        r = filter_calls(filter);
        seccomp_release(filter);
        return r;
}

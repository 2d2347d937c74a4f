/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A PAM module that leaks memory and a descriptor at each open: what helpers/memcheck.py must find. */

#include <fcntl.h>
#include <stdlib.h>

#include <security/pam_modules.h>

static volatile void *lost;

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        (void)pamh, (void)flags, (void)argc, (void)argv;
        lost = malloc(4321);
        lost = NULL;
        return open("/etc/hostname", O_RDONLY | O_CLOEXEC) < 0 ? PAM_SYSTEM_ERR : PAM_SUCCESS;
}

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        (void)pamh, (void)flags, (void)argc, (void)argv;
        return PAM_SUCCESS;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PAM sessions, and how long it takes to open one. */

#include <security/pam_appl.h>

#include "bench.h"

static int converse(int n, const struct pam_message **messages, struct pam_response **responses, void *data) {
        (void)responses;
        (void)data;
        for (int i = 0; i < n; i++)
                (void)fprintf(stderr, "PAM says: %s\n", messages[i]->msg);
        return PAM_CONV_ERR;
}

static void check_pam(pam_handle_t *pam, int r, const char *what) {
        if (r == PAM_SUCCESS)
                return;
        (void)fprintf(stderr, "%s: %s\n", what, pam_strerror(pam, r));
        exit(EXIT_FAILURE);
}

static pam_handle_t *start_pam(const char *service, const char *user) {
        static const struct pam_conv conversation = {.conv = converse};
        pam_handle_t *pam;

        check_pam(NULL, pam_start(service, user, &conversation, &pam), "pam_start");
        return pam;
}

/* Returns how long pam_open_session() took. */
static uint64_t time_open(pam_handle_t *pam) {
        uint64_t start = now_usec();

        check_pam(pam, pam_open_session(pam, 0), "pam_open_session");
        return now_usec() - start;
}

/* The same with a handle of its own. */
static uint64_t _unused_ open_session(const char *service, const char *user, pam_handle_t **ret) {
        *ret = start_pam(service, user);
        return time_open(*ret);
}

static void close_session(pam_handle_t *pam) {
        check_pam(pam, pam_close_session(pam, 0), "pam_close_session");
        (void)pam_end(pam, PAM_SUCCESS);
}

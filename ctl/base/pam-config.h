/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of pam.d say of pam_coursenet.so. The module needs no file, so its rule stands on its PAM
 * line; that it is the rule of the settings too is for `coursenetctl check` to see.
 */

#include "diagnostics.h"
#include "settings.h"

/*
 * Looks through every file of a pam.d folder and appends what it finds. settings may be NULL, if they could
 * not be loaded: then no rule is compared.
 */
void pam_config_check(
        const char *directory, const struct settings *settings, struct diagnostics *diagnostics);

/* As above for the text of one file. Returns how many lines call the module. */
unsigned pam_config_check_text(
        const char *text, const char *path, const struct settings *settings, struct diagnostics *diagnostics);

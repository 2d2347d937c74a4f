/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The lines for pam_coursenet.so in the files of pam.d. The module reads no file, so its name rule is an
 * option on its PAM line. `coursenetctl check` compares that rule with the one in the settings.
 */

#include "diagnostics.h"
#include "settings.h"

/*
 * Checks every file of a pam.d folder and adds what is wrong to diagnostics. settings may be NULL if they
 * could not be loaded; then the rule is not compared.
 */
void pam_config_check(
        const char *directory, const struct settings *settings, struct diagnostics *diagnostics);

/* The same for the text of one file. Returns how many lines call the module. */
unsigned pam_config_check_text(
        const char *text, const char *path, const struct settings *settings, struct diagnostics *diagnostics);

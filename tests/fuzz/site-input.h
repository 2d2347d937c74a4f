/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A site as an input: coursenet.conf, the override file of the bridge of course 123, and that of its seat
 * 12310, with "%%" on a line between them. It is written to a folder of the fuzzer's own.
 */

#include "fuzz.h"
#include "plan.h"
#include "settings.h"

#define SITE_COURSE "123"

static struct { char settings[96], folder[96], bridge[128], seat[128]; } site_paths;

static void site_make_paths(const char *etc) {
        (void)snprintf(site_paths.settings, sizeof(site_paths.settings), "%s/" SETTINGS_FILE, etc);
        (void)snprintf(site_paths.folder, sizeof(site_paths.folder), "%s/" OVERRIDE_DIRECTORY, etc);
        (void)snprintf(site_paths.bridge, sizeof(site_paths.bridge), "%s/bridge-" SITE_COURSE ".conf",
                site_paths.folder);
        (void)snprintf(
                site_paths.seat, sizeof(site_paths.seat), "%s/ns" SITE_COURSE "10.conf", site_paths.folder);
        CHECK(mkdir(site_paths.folder, 0755) == 0);
}

/* Cuts the parts off the text and writes them; returns what is left. The caller removes them. */
static char _unused_ *site_write(const char *etc, char *text) {
        site_make_paths(etc);
        fuzz_write(site_paths.settings, fuzz_take_part(&text));
        fuzz_write(site_paths.bridge, fuzz_take_part(&text));
        fuzz_write(site_paths.seat, fuzz_take_part(&text));
        return text;
}

static void _unused_ site_remove(void) {
        (void)unlink(site_paths.settings);
        (void)unlink(site_paths.bridge);
        (void)unlink(site_paths.seat);
        (void)rmdir(site_paths.folder);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A site as an input: coursenet.conf, the override file of the bridge of course 123, and that of its seat
 * 12310, with "%%" on a line between them. It is written to a folder of the fuzzer's own.
 */

#include "fuzz.h"
#include "hosts.h"
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

/* The members of [hosts], as course-rules.c lists them. */
static void list_members(const struct settings *settings, uint32_t ret[static HOSTS_MAX], size_t *ret_n) {
        *ret_n = hosts_configured(settings) ? settings->hosts.n_members : 0;
        for (size_t i = 0; i < *ret_n; i++)
                ret[i] = hosts_member(settings, i).address;
}

/* Cuts the parts off the text and writes them. */
static void site_write(const char *etc, char *text) {
        site_make_paths(etc);
        fuzz_write(site_paths.settings, fuzz_take_part(&text));
        fuzz_write(site_paths.bridge, fuzz_take_part(&text));
        fuzz_write(site_paths.seat, fuzz_take_part(&text));
}

static void site_remove(void) {
        (void)unlink(site_paths.settings);
        (void)unlink(site_paths.bridge);
        (void)unlink(site_paths.seat);
        (void)rmdir(site_paths.folder);
}

typedef void (*site_check_t)(const char *etc, const struct settings *settings);

/* For LLVMFuzzerTestOneInput(): calls with the settings of the input, if they have no mistake. */
static int site_test(const uint8_t *data, size_t size, site_check_t check) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_free_ char *text = fuzz_text(data, size);
        const char *etc = fuzz_make_folder();

        if (!text)
                return 0;
        site_write(etc, text);
        if (settings_load(etc, &settings, &diagnostics) == 0)
                check(etc, &settings);
        site_remove();
        return 0;
}

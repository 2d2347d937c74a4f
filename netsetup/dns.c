/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes what dns-files.c computes. dnsmasq reads changed hosts by itself; its configuration only at a start.
 */

#include <dirent.h>

#include "dns-files.h"
#include "dns.h"
#include "failure.h"
#include "lock.h"
#include "number.h"
#include "resolved.h"
#include "runtime-file.h"

typedef char hosts_path_t[sizeof(DNS_HOSTS_DIRECTORY) + COURSE_SIZE];

/* Takes text; NULL: there was no memory for it. */
static int write_text(const char *path, char *text, struct diagnostics *diagnostics) {
        int r;

        /* dnsmasq is nobody in particular, so all may read it. */
        r = text ? runtime_file_write(path, text, 0644) : -ENOMEM;
        free(text);
        return r < 0 ? failure(diagnostics, path, r, "cannot be written") : 0;
}

static int write_hosts(const struct site *site, struct diagnostics *diagnostics) {
        hosts_path_t path;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < site->n_courses; i++) {
                (void)snprintf(path, sizeof(path), DNS_HOSTS_DIRECTORY "/%s", site->courses[i].bridge.course);
                r = write_text(path, dns_format_hosts(site, &site->courses[i], diagnostics), diagnostics);
        }
        return r;
}

/* Of courses that have no roster any more. A roster that cannot be read right now keeps its names. */
static void remove_old_hosts(const char *etc, const struct site *site) {
        DIR *directory = opendir(DNS_HOSTS_DIRECTORY);
        char roster[256];
        hosts_path_t path;

        if (!directory)
                return;
        for (struct dirent *entry; (entry = readdir(directory));) {
                if (!digits_only(entry->d_name) || strlen(entry->d_name) >= COURSE_SIZE)
                        continue;
                (void)snprintf(roster, sizeof(roster), "%s/" ROSTER_DIRECTORY "/%s", etc, entry->d_name);
                (void)snprintf(path, sizeof(path), DNS_HOSTS_DIRECTORY "/%s", entry->d_name);
                if (!site || (!site_find_course(site, entry->d_name) && access(roster, F_OK) < 0))
                        (void)unlink(path);
        }
        (void)closedir(directory);
}

static int prepare(struct diagnostics *diagnostics) {
        int r;

        r = runtime_directory_make(RUN_DIRECTORY, 0755);
        if (r >= 0)
                r = runtime_directory_make(DNS_DIRECTORY, 0755);
        if (r >= 0)
                r = runtime_directory_make(DNS_HOSTS_DIRECTORY, 0755);
        return r < 0 ? failure(diagnostics, DNS_DIRECTORY, r, "cannot be made") : 0;
}

static int write_all(const char *etc, const struct site *site, struct diagnostics *diagnostics) {
        int r;

        r = prepare(diagnostics);
        if (r >= 0)
                r = write_text(DNS_CONFIGURATION, dns_format_configuration(site), diagnostics);
        if (r >= 0)
                r = write_hosts(site, diagnostics);
        if (r < 0)
                return r;
        remove_old_hosts(etc, site);
        resolved_update(site, diagnostics);
        return DNS_READY;
}

int dns_update(const char *etc, struct diagnostics *diagnostics) {
        _cleanup_site_ struct site site = {0};
        int r;

        r = site_load(etc, &site, diagnostics);
        if (r < 0)
                return access(DNS_CONFIGURATION, F_OK) >= 0 ? DNS_READY : r;
        if (site.settings.dns.source != DNS_OFF)
                return write_all(etc, &site, diagnostics);

        (void)unlink(DNS_CONFIGURATION);
        remove_old_hosts(etc, NULL);
        return DNS_NOT_RUN;
}

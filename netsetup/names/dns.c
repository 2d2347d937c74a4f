/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Writes the files of the name service, whose texts dns-format.c computes. dnsmasq reads changed hosts by
 * itself, and its configuration only when it starts.
 *
 * Only root can open the folder of all files, because they show who is in which course. The user of dnsmasq
 * sees them through mounts, see coursenet-dns.service.
 *
 * A course that is up has names even if its roster cannot be read: seats stay up without a roster, and an
 * administrator may bring up the bridge of a course that has none.
 */

#include <dirent.h>
#include <sys/stat.h>

#include "base/failure.h"
#include "base/runtime-file.h"
#include "dns-format.h"
#include "dns.h"
#include "kernel/link.h"
#include "number.h"
#include "resolved.h"

#define LOCK_FILE RUN_DIRECTORY "/dns.lock"

typedef char hosts_path_t[sizeof(DNS_HOSTS_DIRECTORY "//" DNS_HOSTS_FILE) + COURSE_SIZE];

/* --- courses that are up without a roster -------------------------------------------------------------- */

/* A course of add_live_courses(): one with a roster has an array of seats, be it empty. */
static bool has_roster(const struct site_course *course) {
        return course->seats;
}

/*
 * Mistakes in the course's configuration were reported when its bridge started. dnsmasq can still listen on
 * the bridge, by its name.
 */
static struct bridge_plan plan_bridge(const char *etc, const struct settings *settings, const char *course) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        struct bridge_plan plan;

        if (bridge_plan_load(etc, settings, course, &plan, &ignored) < 0)
                bridge_plan_name(course, &plan);
        return plan;
}

static int add_course(const char *etc, struct site *site, const char *course) {
        struct site_course *courses = reallocarray(site->courses, site->n_courses + 1, sizeof(*courses));

        if (!courses)
                return -ENOMEM;
        site->courses = courses;
        courses[site->n_courses++] =
                (struct site_course){.bridge = plan_bridge(etc, &site->settings, course)};
        return 0;
}

static int compare_courses(const void *a, const void *b) {
        const struct site_course *one = a, *other = b;

        return strcmp(one->bridge.course, other->bridge.course);
}

/*
 * The courses stay sorted, so that the configuration stays the same, and dnsmasq is not restarted, when a
 * roster is removed.
 */
static int add_live_courses(const char *etc, struct site *site, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_links_ struct links bridges = {0};
        int r;

        r = link_open(&socket);
        if (r >= 0)
                r = link_list_ours(&socket, "bridge", &bridges);
        for (size_t i = 0; r >= 0 && i < bridges.n_items; i++) {
                const char *course = bridge_course(bridges.items[i].name);

                if (course && !site_find_course(site, course))
                        r = add_course(etc, site, course);
        }
        if (r < 0)
                return failure(diagnostics, DNS_CONFIGURATION, r, "cannot tell which courses are up");
        if (site->n_courses > 0)
                qsort(site->courses, site->n_courses, sizeof(*site->courses), compare_courses);
        return 0;
}

/* --- files --------------------------------------------------------------------------------------------- */

/* Takes text; NULL: there was no memory for it. */
static int write_text(const char *path, char *text, struct diagnostics *diagnostics) {
        int r;

        /*
         * Everybody may read the file, because dnsmasq's user has no group for it. The folders above it keep
         * other users out.
         */
        r = text ? runtime_file_write(path, text, 0644) : -ENOMEM;
        free(text);
        return r < 0 ? failure(diagnostics, path, r, "cannot be written") : 0;
}

/* The mode does not depend on the umask or on an earlier version. */
static int make_directory(const char *path, mode_t mode) {
        int r = runtime_directory_make(path, mode);

        return r < 0 ? r : chmod(path, mode) < 0 ? -errno : 0;
}

static void course_path(const char *course, const char *file, hosts_path_t ret) {
        (void)snprintf(ret, sizeof(hosts_path_t), DNS_HOSTS_DIRECTORY "/%s%s", course, file);
}

/* If the roster cannot be read, the former names stay, unless the settings say names = none. */
static bool keeps_names(const struct site *site, const struct site_course *course, const char *path) {
        return !has_roster(course) &&
               settings_for_course(&site->settings, course->bridge.course)->names == NAMES_COURSE &&
               access(path, F_OK) >= 0;
}

static int write_course(
        const struct site *site, const struct site_course *course, struct diagnostics *diagnostics) {
        hosts_path_t path;
        struct stat st;
        int r;

        course_path(course->bridge.course, "", path);
        /* An earlier version had a file of names at the place of this folder. */
        if (lstat(path, &st) >= 0 && !S_ISDIR(st.st_mode))
                (void)unlink(path);
        r = make_directory(path, 0755);
        if (r < 0)
                return failure(diagnostics, path, r, "cannot be made");
        course_path(course->bridge.course, "/" DNS_HOSTS_FILE, path);
        return keeps_names(site, course, path)
                       ? 0
                       : write_text(path, dns_format_hosts(site, course, diagnostics), diagnostics);
}

static int write_hosts(const struct site *site, struct diagnostics *diagnostics) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < site->n_courses; i++)
                r = write_course(site, &site->courses[i], diagnostics);
        return r;
}

static void remove_course(const char *course) {
        hosts_path_t path;

        course_path(course, "/" DNS_HOSTS_FILE, path);
        (void)unlink(path);
        course_path(course, "", path);
        if (rmdir(path) < 0 && errno == ENOTDIR)
                (void)unlink(path);
}

/*
 * Removes the names of courses that have no roster any more. If a roster cannot be read at the moment, its
 * names stay.
 */
static void remove_old_hosts(const char *etc, const struct site *site) {
        DIR *directory = opendir(DNS_HOSTS_DIRECTORY);
        char roster[256];

        if (!directory)
                return;
        for (struct dirent *entry; (entry = readdir(directory));) {
                if (!digits_only(entry->d_name) || strlen(entry->d_name) >= COURSE_SIZE)
                        continue;
                (void)snprintf(roster, sizeof(roster), "%s/" ROSTER_DIRECTORY "/%s", etc, entry->d_name);
                if (!site || (!site_find_course(site, entry->d_name) && access(roster, F_OK) < 0))
                        remove_course(entry->d_name);
        }
        (void)closedir(directory);
}

static int prepare(struct diagnostics *diagnostics) {
        int r;

        r = make_directory(DNS_DIRECTORY, 0700);
        if (r >= 0)
                r = make_directory(DNS_HOSTS_DIRECTORY, 0755);
        if (r >= 0)
                r = make_directory(EXAM_HOSTS_DIRECTORY, 0755);
        return r < 0 ? failure(diagnostics, DNS_DIRECTORY, r, "cannot be made") : 0;
}

static int write_all(const char *etc, struct site *site, struct diagnostics *diagnostics) {
        int r;

        r = prepare(diagnostics);
        if (r >= 0)
                r = add_live_courses(etc, site, diagnostics);
        if (r >= 0)
                r = write_hosts(site, diagnostics);
        if (r < 0)
                return r;
        remove_old_hosts(etc, site);
        /*
         * This comes last: if the configuration has changed, the service is restarted and needs the folders.
         */
        r = write_text(DNS_CONFIGURATION, dns_format_configuration(site), diagnostics);
        return r < 0 ? r : DNS_READY;
}

int dns_update(const char *etc, struct diagnostics *diagnostics) {
        _cleanup_site_ struct site site = {0};
        _cleanup_close_ int lock = -1;
        int r;

        /*
         * The watch and the start of the service may run this at the same time, with settings of different
         * age.
         */
        r = runtime_lock_take(LOCK_FILE, &lock);
        if (r < 0)
                return failure(diagnostics, LOCK_FILE, r, "cannot be locked");
        resolved_forget(diagnostics);
        r = site_load(etc, &site, diagnostics);
        if (r < 0)
                return access(DNS_CONFIGURATION, F_OK) >= 0 ? DNS_READY : r;
        if (site.settings.dns.source != DNS_OFF)
                return write_all(etc, &site, diagnostics);

        (void)unlink(DNS_CONFIGURATION);
        remove_old_hosts(etc, NULL);
        return DNS_NOT_RUN;
}

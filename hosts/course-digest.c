/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is left out may differ, because it is of the machine: uplinks, limits, images, units, name servers and
 * ports of the host, and all of [hosts]; network6 = auto is refused by `coursenetctl check`. A version that
 * adds a setting here gives other digests; the members compare them only if their versions are the same.
 */

#include <dirent.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "clock.h"
#include "course-digest.h"
#include "site.h"

/* --- which files there are ------------------------------------------------------------------- */

struct files {
        SHA2_CTX context;
        int64_t newest_nsec; /* of the last changes */
};

static int64_t to_nsec(const struct timespec *time) {
        return (int64_t)time->tv_sec * INT64_C(1000000000) + time->tv_nsec;
}

static void add_file(struct files *files, const char *path) {
        struct stat st = {0};
        char text[512];
        int n;

        if (stat(path, &st) < 0)
                st = (struct stat){0};
        n = snprintf(text, sizeof(text), "%s %ju %ju %jd %" PRId64 " %" PRId64 "\n", path,
                (uintmax_t)st.st_dev, (uintmax_t)st.st_ino, (intmax_t)st.st_size, to_nsec(&st.st_mtim),
                to_nsec(&st.st_ctim));
        if (n > 0)
                SHA256Update(&files->context, (const uint8_t *)text, strlen(text));
        if (to_nsec(&st.st_ctim) > files->newest_nsec)
                files->newest_nsec = to_nsec(&st.st_ctim);
}

static int not_hidden(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

static void add_folder(struct files *files, const char *etc, const char *name) {
        struct dirent **entries = NULL;
        char path[512];
        int n;

        (void)snprintf(path, sizeof(path), "%s/%s", etc, name);
        n = scandir(path, &entries, not_hidden, alphasort);
        for (int i = 0; i < n; i++) {
                (void)snprintf(path, sizeof(path), "%s/%s/%s", etc, name, entries[i]->d_name);
                add_file(files, path);
                free(entries[i]);
        }
        free(entries);
}

/* Returns whether a later change is certainly seen, as with a struct file_identity. */
static bool read_files(const char *etc, uint8_t ret[static SHA256_DIGEST_LENGTH]) {
        struct files files = {0};
        char path[512];

        SHA256Init(&files.context);
        (void)snprintf(path, sizeof(path), "%s/" SETTINGS_FILE, etc);
        add_file(&files, path);
        add_folder(&files, etc, ROSTER_DIRECTORY);
        add_folder(&files, etc, OVERRIDE_DIRECTORY);
        SHA256Final(ret, &files.context);
        return files.newest_nsec + FILE_IDENTITY_SETTLED_NSEC < (int64_t)now_realtime_usec() * 1000;
}

/* --- settings -------------------------------------------------------------------------------- */

static void print_address6(FILE *file, const struct address6 *address) {
        char text[ADDRESS6_TEXT_SIZE];

        address6_format(address, text);
        (void)fprintf(file, " %s", text);
}

static void print_bridge(FILE *file, const struct bridge_plan *bridge) {
        const struct traffic_settings *traffic = &bridge->traffic;
        char address[ADDRESS_TEXT_SIZE];

        address_format(&bridge->address, address);
        (void)fprintf(file, "bridge %s %" PRIu32, address, bridge->vni);
        print_address6(file, &bridge->address6);
        (void)fprintf(file, "\ntraffic %d %d %d %d %" PRIu64 " %" PRIu64 "\n", traffic->nat, traffic->nat6,
                traffic->inbound, traffic->isolation, traffic->rate.bits, traffic->course_rate.bits);
        (void)fprintf(file, "impairment %u %u %u\n", traffic->impairment.delay_usec,
                traffic->impairment.jitter_usec, traffic->impairment.loss_ppm);
}

static void print_values(FILE *file, const struct course_values *values) {
        (void)fprintf(file, "leftover %d %u\nlinger %u\nnames %d\ncapture %d\nstaff-enter %d\n",
                values->leftover, values->leftover_max_seconds, values->linger_seconds, values->names,
                values->capture, values->staff_enter);
        for (size_t i = 0; i < values->staff.n_names; i++)
                (void)fprintf(file, "staff %s\n", values->staff.names[i]);
}

static void print_course(FILE *file, const struct course_settings *course) {
        if (!course)
                return;
        (void)fprintf(file, "schedule %s\nexam %s\nexam-allow %s\n", course->schedule, course->exam,
                course->exam_allow);
        for (size_t i = 0; i < course->n_roster_groups; i++)
                (void)fprintf(file, "roster-group %s\n", course->roster_groups[i]);
}

/* A file of OVERRIDE_DIRECTORY may have moved a seat. */
static void print_seats(FILE *file, const struct site_course *course) {
        for (size_t i = 0; i < course->n_seats; i++) {
                const struct seat_plan *seat = &course->seats[i];
                char address[ADDRESS_TEXT_SIZE];
                uint32_t usual = address_network(&course->bridge.address) + seat->id.number;

                if (string_equal(seat->bridge, course->bridge.name) && seat->address.ip == usual)
                        continue;
                address_format(&seat->address, address);
                (void)fprintf(file, "seat %s %s %s\n", seat->name, seat->bridge, address);
        }
}

static void print_settings(FILE *file, const struct settings *settings, const struct site_course *course) {
        const char *name = course->bridge.course;
        const struct course_values *values = settings_for_course(settings, name);

        (void)fprintf(file, "name-rule %s\ncourse-digits %u\nfirst-seat %u\ndomain %s\n", settings->rule_text,
                settings->course_digits, settings->first_seat, settings->dns.domain);
        print_bridge(file, &course->bridge);
        print_values(file, &settings->values);
        print_values(file, values);
        print_course(file, settings_find_course(settings, name));
        print_seats(file, course);
}

/* --- the roster ------------------------------------------------------------------------------ */

static int compare_lines(const void *a, const void *b) {
        const struct roster_line *const *one = a, *const *other = b;

        return ((*one)->seat > (*other)->seat) - ((*one)->seat < (*other)->seat);
}

/* By number: neither comments nor the order of lines matter. */
static int print_roster(FILE *file, const struct roster *roster) {
        _cleanup_free_ const struct roster_line **lines = calloc(roster->n_lines + 1, sizeof(*lines));
        size_t n = 0;

        if (!lines)
                return -ENOMEM;
        for (size_t i = 0; i < roster->n_lines; i++)
                if (roster->lines[i].student[0] && !roster->lines[i].removed)
                        lines[n++] = &roster->lines[i];
        qsort(lines, n, sizeof(*lines), compare_lines);
        for (size_t i = 0; i < n; i++)
                (void)fprintf(file, "%u %s\n", lines[i]->seat, lines[i]->student);
        return 0;
}

/* --- both ------------------------------------------------------------------------------------ */

static int digest(const struct settings *settings, const struct site_course *course,
        char ret[static SHA256_DIGEST_STRING_LENGTH]) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);
        int r = 0;

        if (!file)
                return -ENOMEM;
        if (settings)
                print_settings(file, settings, course);
        else
                r = print_roster(file, &course->roster);
        if (fclose(file) != 0 || r < 0)
                return -ENOMEM;
        (void)SHA256Data((const uint8_t *)text, size, ret);
        return 0;
}

static uint64_t changed_usec(const struct file_identity *file) {
        return file->modified_nsec > 0 ? (uint64_t)file->modified_nsec / 1000U : 0;
}

static int fill(const struct site *site, const struct site_course *course, struct course_digest *ret) {
        int r;

        *ret = (struct course_digest){
                .vni = course->bridge.vni,
                .settings_usec = changed_usec(&site->settings.file),
                .roster_usec = changed_usec(&course->roster.file),
        };
        (void)string_copy(ret->course, sizeof(ret->course), course->bridge.course);
        r = digest(&site->settings, course, ret->settings);
        return r < 0 ? r : digest(NULL, course, ret->roster);
}

static int compute(const struct site *site, struct course_digests *digests) {
        struct course_digest *items = calloc(site->n_courses + 1, sizeof(*items));
        size_t n = 0;
        int r = items ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < site->n_courses; i++)
                if (site->courses[i].bridge.vni > 0)
                        r = fill(site, &site->courses[i], &items[n++]);
        if (r < 0) {
                free(items);
                return r;
        }
        free(digests->items);
        digests->items = items;
        digests->n_items = n;
        return 1;
}

int course_digests_refresh(struct course_digests *digests) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_site_ struct site site = {0};
        uint8_t files[SHA256_DIGEST_LENGTH];
        bool settled = read_files(digests->etc, files);
        int r;

        if (digests->settled && memcmp(files, digests->files, sizeof(files)) == 0)
                return 0;
        r = site_load(digests->etc, &site, &ignored);
        if (r >= 0)
                r = compute(&site, digests);
        if (r >= 0) {
                memcpy(digests->files, files, sizeof(files));
                digests->settled = settled;
        }
        return r;
}

void course_digests_done(struct course_digests *digests) {
        free(digests->items);
        digests->items = NULL;
        digests->n_items = 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Keeps what settings_load() and roster_load() gave. The activator uses it at each login. A roster is kept as
 * a sorted list of names, which takes a tenth of the memory of its lines.
 */

#include <fcntl.h>
#include <utlist.h>

#include "machine-prefix.h"
#include "roster.h"
#include "settings-cache.h"

struct cached_student {
        const char *name; /* in the memory of its roster */
        unsigned seat;
};

/* One piece of memory, with the students and their names behind it. */
struct cached_roster {
        struct cached_roster *prev, *next;
        char course[COURSE_SIZE];
        struct file_identity file;
        size_t size; /* bytes */
        size_t n_students;
        struct cached_student students[];
};

/* --- rosters --- */

static void drop_roster(struct settings_cache *cache, struct cached_roster *roster) {
        DL_DELETE(cache->rosters, roster);
        cache->rosters_size -= roster->size;
        free(roster);
}

static void drop_rosters(struct settings_cache *cache) {
        while (cache->rosters)
                drop_roster(cache, cache->rosters);
}

static struct cached_roster *find_roster(struct settings_cache *cache, const char *course) {
        struct cached_roster *roster;

        DL_FOREACH (cache->rosters, roster) {
                if (string_equal(roster->course, course))
                        return roster;
        }
        return NULL;
}

static bool has_seat(const struct roster_line *line) {
        return line->student[0] != '\0' && !line->removed;
}

static int compare_students(const void *a, const void *b) {
        const struct cached_student *one = a, *other = b;

        return strcmp(one->name, other->name);
}

/* Copies the students that have a seat. NULL: out of memory. */
static struct cached_roster *copy_roster(const struct roster *roster) {
        size_t n = 0, names_size = 0, size;
        struct cached_roster *copy;
        char *names;

        for (size_t i = 0; i < roster->n_lines; i++)
                if (has_seat(&roster->lines[i])) {
                        names_size += strlen(roster->lines[i].student) + 1;
                        n++;
                }
        size = sizeof(*copy) + n * sizeof(copy->students[0]) + names_size;
        copy = malloc(size);
        if (!copy)
                return NULL;
        *copy = (struct cached_roster){.file = roster->file, .size = size};
        (void)string_copy(copy->course, sizeof(copy->course), roster->course);

        names = (char *)&copy->students[n];
        for (size_t i = 0; i < roster->n_lines; i++) {
                const struct roster_line *line = &roster->lines[i];

                if (!has_seat(line))
                        continue;
                copy->students[copy->n_students++] = (struct cached_student){names, line->seat};
                names = stpcpy(names, line->student) + 1;
        }
        qsort(copy->students, n, sizeof(copy->students[0]), compare_students);
        return copy;
}

/* Without memory for it, the roster is read again at the next login. */
static void keep_roster(struct settings_cache *cache, const struct roster *roster) {
        struct cached_roster *copy = copy_roster(roster);

        if (!copy)
                return;
        DL_PREPEND(cache->rosters, copy);
        cache->rosters_size += copy->size;
        while (cache->rosters_size > SETTINGS_CACHE_ROSTERS_SIZE)
                drop_roster(cache, cache->rosters->prev);
}

static bool roster_is_current(const struct settings_cache *cache, const struct cached_roster *roster) {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "%s/" ROSTER_DIRECTORY "/%s", cache->etc, roster->course) < 0) {
                path = NULL;
                return false;
        }
        return file_identity_is_current(&roster->file, path, AT_SYMLINK_NOFOLLOW);
}

static int load_seat(struct settings_cache *cache, const char *course, const char *student,
        unsigned *ret_seat, struct diagnostics *diagnostics) {
        _cleanup_roster_ struct roster roster = {0};
        size_t n_findings = diagnostics->n_items;
        const struct roster_line *line;
        int r;

        r = roster_load(cache->etc, &cache->settings, course, &roster, diagnostics);
        if (r < 0)
                return r;
        /* The rosters of settings that are not kept go at the next call. */
        if (diagnostics->n_items == n_findings && diagnostics->n_errors == 0)
                keep_roster(cache, &roster);

        line = roster_find(&roster, student);
        if (!line)
                return -ENOENT;
        *ret_seat = line->seat;
        return 0;
}

int settings_cache_find_seat(struct settings_cache *cache, const char *course, const char *student,
        unsigned *ret_seat, struct diagnostics *diagnostics) {
        struct cached_roster *roster = find_roster(cache, course);
        const struct cached_student *found, wanted = {.name = student};

        if (roster && !roster_is_current(cache, roster)) {
                drop_roster(cache, roster);
                roster = NULL;
        }
        if (!roster)
                return load_seat(cache, course, student, ret_seat, diagnostics);

        DL_DELETE(cache->rosters, roster);
        DL_PREPEND(cache->rosters, roster);
        found = bsearch(
                &wanted, roster->students, roster->n_students, sizeof(roster->students[0]), compare_students);
        if (!found)
                return -ENOENT;
        *ret_seat = found->seat;
        return 0;
}

/* --- settings --- */

void settings_cache_done(struct settings_cache *cache) {
        drop_rosters(cache);
        settings_done(&cache->settings);
        cache->kept = false;
}

static bool settings_are_current(const struct settings_cache *cache) {
        _cleanup_free_ char *path = NULL;

        if (!cache->kept)
                return false;
        if (asprintf(&path, "%s/" SETTINGS_FILE, cache->etc) < 0) {
                path = NULL;
                return false;
        }
        return file_identity_is_current(&cache->settings.file, path, AT_SYMLINK_NOFOLLOW) &&
               (!cache->settings.network6_auto ||
                       file_identity_is_current(&cache->settings.machine_id, MACHINE_ID_FILE, 0));
}

int settings_cache_load(
        struct settings_cache *cache, const struct settings **ret, struct diagnostics *diagnostics) {
        size_t n_findings = diagnostics->n_items;
        int r;

        if (!settings_are_current(cache)) {
                settings_cache_done(cache);
                r = settings_load(cache->etc, &cache->settings, diagnostics);
                if (r < 0)
                        return r;
                cache->kept = diagnostics->n_items == n_findings && diagnostics->n_errors == 0 &&
                              cache->settings.n_courses <= SETTINGS_CACHE_COURSES_MAX;
        }
        *ret = &cache->settings;
        return 0;
}

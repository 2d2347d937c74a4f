/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads lines such as "class 1792393200 1792396800 Lab" of coursenet-calendar, and trusts none of them. */

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

#include "child.h"
#include "timetable-file.h"
#include "trusted-file.h"

#define SUFFIX ".ics"

/* --- files ----------------------------------------------------------------------------------- */

void timetable_file_path(const char *etc, const char *course, char ret[static TIMETABLE_PATH_SIZE]) {
        (void)snprintf(ret, TIMETABLE_PATH_SIZE, "%s/" TIMETABLE_DIRECTORY "/%s" SUFFIX, etc, course);
}

bool timetable_file_exists(const char *etc, const char *course) {
        char path[TIMETABLE_PATH_SIZE];
        struct stat st;

        timetable_file_path(etc, course, path);
        return lstat(path, &st) == 0;
}

/* "123.ics" is of course 123. */
static bool parse_name(const struct settings *settings, const char *name, char ret[static COURSE_SIZE]) {
        const char *suffix = strrchr(name, '.');
        char reason[256];

        if (!suffix || !string_equal(suffix, SUFFIX) || suffix - name >= (ptrdiff_t)COURSE_SIZE)
                return false;
        (void)snprintf(ret, COURSE_SIZE, "%.*s", (int)(suffix - name), name);
        return settings_check_course(settings, ret, reason, sizeof(reason)) >= 0;
}

static int is_no_dot_file(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

static int each_name(const char *etc, const struct settings *settings, bool courses,
        timetable_file_visit_t visit, void *userdata) {
        char directory[TIMETABLE_PATH_SIZE], course[COURSE_SIZE];
        struct dirent **entries = NULL;
        int n, r = 0;

        (void)snprintf(directory, sizeof(directory), "%s/" TIMETABLE_DIRECTORY, etc);
        n = scandir(directory, &entries, is_no_dot_file, alphasort);
        for (int i = 0; i < n; i++) {
                bool is_course = parse_name(settings, entries[i]->d_name, course);

                if (r >= 0 && is_course == courses)
                        r = visit(userdata, is_course ? course : entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        return r;
}

int timetable_file_each(
        const char *etc, const struct settings *settings, timetable_file_visit_t visit, void *userdata) {
        return each_name(etc, settings, true, visit, userdata);
}

int timetable_file_each_stranger(
        const char *etc, const struct settings *settings, timetable_file_visit_t visit, void *userdata) {
        return each_name(etc, settings, false, visit, userdata);
}

/* --- the program ----------------------------------------------------------------------------- */

/* *ret_status: as waitpid(2) has it. The caller closes *ret_output. */
static int run(const char *program, const char *text, time_t now, int *ret_status, FILE **ret_output) {
        _cleanup_fclose_ FILE *input = tmpfile();
        char from[32], until[32];
        const char *const arguments[] = {program, from, until, NULL};
        struct child_streams streams = CHILD_INHERITS;

        if (!input)
                return -errno;
        if (fputs(text, input) < 0 || fflush(input) != 0)
                return -EIO;
        rewind(input);
        streams.input = fileno(input);
        (void)snprintf(from, sizeof(from), "%lld", (long long)now);
        (void)snprintf(until, sizeof(until), "%lld", (long long)now + TIMETABLE_SECONDS);
        return child_read(arguments, &streams, ret_status, ret_output);
}

/* --- what it prints -------------------------------------------------------------------------- */

struct reading {
        const char *path;
        time_t now;
        struct class_times *times;
        struct diagnostics *diagnostics;
};

static int take_class(const struct reading *reading, char *text) {
        long long start = strtoll(text, &text, 10), end = strtoll(text, &text, 10);

        if (*text++ != ' ' || end <= reading->now || end <= start || end - start > CLASS_MAX_SECONDS)
                return -EBADMSG;
        return class_times_add(reading->times, (time_t)start, (time_t)end, text);
}

static int take_line(const struct reading *reading, char *line) {
        char *text;
        unsigned long number;

        line[strcspn(line, "\n")] = '\0';
        string_make_printable(line);
        if (string_starts_with(line, "class "))
                return take_class(reading, line + strlen("class "));
        if (!string_starts_with(line, "mistake "))
                return -EBADMSG;
        number = strtoul(line + strlen("mistake "), &text, 10);
        diagnostics_error(
                reading->diagnostics, reading->path, (unsigned)number, "%s", text + strspn(text, " "));
        return -EINVAL;
}

static int fail(const struct reading *reading, const char *problem) {
        diagnostics_error(reading->diagnostics, reading->path, 0, "%s", problem);
        return -EINVAL;
}

/* How it ended. */
static int take_status(const struct reading *reading, int status) {
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
                return fail(reading, "takes too long to read: its rules stand for too many dates");
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
                return fail(reading, "has too many classes");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return fail(reading, "coursenet-calendar, which reads it, failed");
        return 0;
}

static int read_output(const struct reading *reading, FILE *output) {
        char line[512];
        int r = 0;

        while (r >= 0 && fgets(line, sizeof(line), output))
                r = take_line(reading, line);
        return r == -EBADMSG ? fail(reading, "coursenet-calendar, which reads it, printed nonsense") : r;
}

/* --- the timetable --------------------------------------------------------------------------- */

int timetable_file_load(const struct paths *paths, const char *course, time_t now, struct class_times *times,
        struct diagnostics *diagnostics) {
        char path[TIMETABLE_PATH_SIZE];
        struct reading reading = {path, now, times, diagnostics};
        _cleanup_fclose_ FILE *output = NULL;
        _cleanup_free_ char *text = NULL;
        const char *reason;
        int r, status;

        timetable_file_path(paths->etc, course, path);
        r = trusted_file_read(path, &text, &reason);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return fail(&reading, reason);
        r = run(paths->calendar, text, now, &status, &output);
        if (r < 0) {
                diagnostics_error(diagnostics, path, 0, "%s, which reads it, cannot be run: %s",
                        paths->calendar, strerror(-r));
                return r;
        }
        r = take_status(&reading, status);
        return r >= 0 ? read_output(&reading, output) : r;
}

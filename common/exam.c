/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the files with inih, like the settings. */

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>

#include <ini.h>

#include "exam.h"
#include "number.h"
#include "setting-value.h"
#include "trusted-file.h"

#define SECTION "exam"
#define FOLDER_SIZE 256U

#define LIST_SEPARATORS ", \t"
#define LIST_NAME "name:"

void exams_done(struct exams *exams) {
        free(exams->items);
        *exams = (struct exams){0};
}

/* --- values -------------------------------------------------------------------------------------------- */

/* Splits "ADDRESS:PORT" and "[ADDRESS6]:PORT". *ret_port: NULL if there is none, or within text. */
static int split(const char *text, char ret_address[static INET6_ADDRSTRLEN], const char **ret_port) {
        const char *end = text + strlen(text), *colon = strchr(text, ':');

        *ret_port = NULL;
        if (text[0] == '[') {
                end = strchr(++text, ']');
                if (!end || end[1] != ':')
                        return -EINVAL;
                *ret_port = end + 2;
        } else if (colon && !strchr(colon + 1, ':')) {
                end = colon;
                *ret_port = colon + 1;
        }
        if ((size_t)(end - text) >= INET6_ADDRSTRLEN)
                return -EINVAL;
        memcpy(ret_address, text, (size_t)(end - text));
        ret_address[end - text] = '\0';
        return 0;
}

int exam_allow_parse(const char *text, struct exam_allow *ret) {
        struct exam_allow allow = {0};
        char address[INET6_ADDRSTRLEN];
        unsigned char bytes[16];
        struct port number;
        const char *port;

        if (split(text, address, &port) < 0 || !server_valid(address))
                return -EINVAL;
        allow.six = strchr(address, ':');
        if (text[0] == '[' && !allow.six)
                return -EINVAL;
        /* One spelling of each address. */
        if (inet_pton(allow.six ? AF_INET6 : AF_INET, address, bytes) != 1 ||
                !inet_ntop(allow.six ? AF_INET6 : AF_INET, bytes, allow.address, sizeof(allow.address)))
                return -EINVAL;
        if (port) {
                if (port_parse(port, &number) < 0 || number.any_address)
                        return -EINVAL;
                allow.port = number.number;
                allow.tcp = number.tcp;
                allow.udp = number.udp;
        }
        *ret = allow;
        return 0;
}

void exam_allow_format(const struct exam_allow *allow, char ret_text[static EXAM_ALLOW_TEXT_SIZE]) {
        const char *protocol = allow->tcp && allow->udp ? "" : allow->tcp ? "/tcp" : "/udp";

        if (allow->port == 0)
                (void)snprintf(ret_text, EXAM_ALLOW_TEXT_SIZE, "%s", allow->address);
        else
                (void)snprintf(ret_text, EXAM_ALLOW_TEXT_SIZE, allow->six ? "[%s]:%u%s" : "%s:%u%s",
                        allow->address, allow->port, protocol);
}

bool exam_name_valid(const char *text) {
        const char *label = text;

        if (strlen(text) >= EXAM_NAME_SIZE)
                return false;
        for (;;) {
                size_t length = strcspn(label, ".");

                if (!label_valid(label, length))
                        return false;
                /* A last label of digits would be an address. */
                if (label[length] == '\0')
                        return !digits_only(label);
                label += length + 1;
        }
}

static bool parse_allow(const char *text, struct exam *exam) {
        return exam->n_allow < EXAM_ALLOW_MAX && exam_allow_parse(text, &exam->allow[exam->n_allow]) >= 0 &&
               ++exam->n_allow;
}

static bool parse_name(const char *text, struct exam *exam) {
        char *name;

        if (exam->n_names == EXAM_NAMES_MAX || !exam_name_valid(text))
                return false;
        name = exam->names[exam->n_names++];
        for (size_t i = 0; text[i]; i++)
                name[i] = (char)tolower((unsigned char)text[i]);
        return true;
}

int exam_allow_list_parse(const char *text, struct exam *exam) {
        char word[sizeof(LIST_NAME) + EXAM_NAME_SIZE];

        for (;;) {
                size_t length;

                text += strspn(text, LIST_SEPARATORS);
                length = strcspn(text, LIST_SEPARATORS);
                if (length == 0)
                        return 0;
                if (length >= sizeof(word))
                        return -EINVAL;
                memcpy(word, text, length);
                word[length] = '\0';
                text += length;
                if (string_starts_with(word, LIST_NAME) ? !parse_name(word + strlen(LIST_NAME), exam)
                                                        : !parse_allow(word, exam))
                        return -EINVAL;
        }
}

bool exam_allow_list_valid(const char *text) {
        struct exam exam = {0};

        return exam_allow_list_parse(text, &exam) >= 0;
}

/* --- the file ------------------------------------------------------------------------------------------ */

struct parser {
        struct exam *exam;
        struct diagnostics *diagnostics;
        const char *path;
};

static bool parse_seconds(const char *text, uint64_t *ret) {
        char *end;

        if (!digits_only(text) || strlen(text) > 15)
                return false;
        *ret = strtoull(text, &end, 10);
        return true;
}

static bool parse_staff(const char *text, struct exam *exam) {
        uint64_t uid;

        if (exam->n_staff == EXAM_STAFF_MAX || !parse_seconds(text, &uid) || uid >= UINT32_MAX)
                return false;
        exam->staff[exam->n_staff++] = (uint32_t)uid;
        return true;
}

/* "FROM UNTIL", behind the one before. */
static bool parse_time(const char *text, struct exam *exam) {
        struct exam_time *time = &exam->times[exam->n_times];
        size_t length = strcspn(text, " ");
        char from[32];

        if (exam->n_times == EXAM_TIMES_MAX || length >= sizeof(from) || text[length] == '\0')
                return false;
        memcpy(from, text, length);
        from[length] = '\0';
        if (!parse_seconds(from, &time->from) || !parse_seconds(text + length + 1, &time->until) ||
                time->from >= time->until || (exam->n_times > 0 && time->from <= time[-1].until))
                return false;
        exam->n_times++;
        return true;
}

static bool parse_value(const char *name, const char *value, struct exam *exam) {
        if (string_equal(name, "since"))
                return parse_seconds(value, &exam->since);
        if (string_equal(name, "until"))
                return parse_seconds(value, &exam->until);
        if (string_equal(name, "by"))
                return string_copy(exam->by, sizeof(exam->by), value) >= 0;
        if (string_equal(name, "allow"))
                return parse_allow(value, exam);
        if (string_equal(name, "allow-name"))
                return parse_name(value, exam);
        if (string_equal(name, "time"))
                return parse_time(value, exam);
        return string_equal(name, "staff-uid") && parse_staff(value, exam);
}

/* inih takes 0 for a mistake. It gives no line numbers, so the message has the line's text. */
static int handle(void *user, const char *section, const char *name, const char *value) {
        struct parser *parser = user;

        if (!string_equal(section, SECTION) || !parse_value(name, value, parser->exam)) {
                diagnostics_error(parser->diagnostics, parser->path, 0, "'%s = %s' in [%s] is not understood",
                        name, value, section);
                parser->exam->broken = true;
        }
        return 1;
}

/* What is left of an exam whose file has a mistake: it is as closed as can be, and has no end. */
static void close_exam(struct exam *exam) {
        struct exam closed = {.broken = true};

        (void)string_copy(closed.course, sizeof(closed.course), exam->course);
        *exam = closed;
}

static void advise(const struct exam *exam, struct diagnostics *diagnostics) {
        diagnostics_advise(diagnostics,
                "The exam has no allow-list and no end until then: coursenetctl exam stop %s, or exam start "
                "%s with the right list",
                exam->course, exam->course);
}

void exam_parse(const char *text, const char *path, struct exam *ret, struct diagnostics *diagnostics) {
        struct exam exam = {0};
        struct parser parser = {.exam = &exam, .diagnostics = diagnostics, .path = path};
        int line = ini_parse_string(text, handle, &parser);

        (void)string_copy(exam.course, sizeof(exam.course), ret->course);
        if (line != 0)
                diagnostics_error(diagnostics, path, line > 0 ? (unsigned)line : 0,
                        "expected a line NAME = VALUE, or the line [" SECTION "]");
        else if (!exam.broken && exam.since == 0)
                diagnostics_error(diagnostics, path, 0, "has no line 'since', so it may have been cut");
        if (line != 0 || exam.broken || exam.since == 0) {
                advise(&exam, diagnostics);
                close_exam(&exam);
        }
        *ret = exam;
}

char *exam_format(const struct exam *exam) {
        char allow[EXAM_ALLOW_TEXT_SIZE], *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return NULL;
        (void)fputs("# Written by coursenetctl(8). Times are seconds since 1970.\n[" SECTION "]\n", file);
        for (size_t i = 0; i < exam->n_allow; i++) {
                exam_allow_format(&exam->allow[i], allow);
                (void)fprintf(file, "allow = %s\n", allow);
        }
        for (size_t i = 0; i < exam->n_names; i++)
                (void)fprintf(file, "allow-name = %s\n", exam->names[i]);
        for (size_t i = 0; i < exam->n_staff; i++)
                (void)fprintf(file, "staff-uid = %" PRIu32 "\n", exam->staff[i]);
        for (size_t i = 0; i < exam->n_times; i++)
                (void)fprintf(
                        file, "time = %" PRIu64 " %" PRIu64 "\n", exam->times[i].from, exam->times[i].until);
        if (exam->until > 0)
                (void)fprintf(file, "until = %" PRIu64 "\n", exam->until);
        if (exam->by[0])
                (void)fprintf(file, "by = %s\n", exam->by);
        /* Last, so that a file that was cut is noticed. */
        (void)fprintf(file, "since = %" PRIu64 "\n", exam->since);
        if (fclose(file) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

/* --- all of them --------------------------------------------------------------------------------------- */

/* suffix: as below. Returns 1; 0 if there is no such file; or negative errno. */
static int load(const char *folder, const char *course, const char *suffix, struct exam *ret,
        struct diagnostics *diagnostics) {
        _cleanup_free_ char *text = NULL;
        char path[FOLDER_SIZE + sizeof("/") + EXAM_FILE_SIZE];
        const char *reason;
        int r;

        *ret = (struct exam){0};
        (void)string_copy(ret->course, sizeof(ret->course), course);
        (void)snprintf(path, sizeof(path), "%s/%s%s", folder, course, suffix);
        r = trusted_file_read(path, &text, &reason);
        if (r == -ENOENT)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r >= 0) {
                exam_parse(text, path, ret, diagnostics);
                return 1;
        }
        diagnostics_error(diagnostics, path, 0, "%s", reason);
        advise(ret, diagnostics);
        close_exam(ret);
        return 1;
}

static int compare(const void *a, const void *b) {
        const struct exam *one = a, *other = b;
        int r = strcmp(one->course, other->course);

        return r != 0 ? r : one->scheduled - other->scheduled;
}

static int append(struct exams *exams, const struct exam *exam) {
        struct exam *items = reallocarray(exams->items, exams->n_items + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        exams->items = items;
        items[exams->n_items++] = *exam;
        return 0;
}

/* A change at that time, past or future, is the next one if no other is before it. */
static void note_change(struct exams *exams, uint64_t when) {
        if (when < exams->next_change)
                exams->next_change = when;
}

static int add_by_hand(const char *folder, const char *course, uint64_t now, struct exams *exams,
        struct diagnostics *diagnostics) {
        struct exam exam;
        int r = load(folder, course, "", &exam, diagnostics);

        if (r <= 0)
                return r;
        if (exam.until > 0)
                note_change(exams, exam.until);
        return exam.until == 0 || exam.until > now ? append(exams, &exam) : 0;
}

/* Makes the exam the one that is on. False: none is. */
static bool choose_time(struct exam *exam, uint64_t now, struct exams *exams) {
        bool found = false;

        for (size_t i = 0; i < exam->n_times; i++) {
                const struct exam_time *time = &exam->times[i];

                if (time->from > now)
                        note_change(exams, time->from);
                if (time->until > now)
                        note_change(exams, time->until);
                if (time->from > now || time->until <= now)
                        continue;
                exam->since = time->from;
                exam->until = time->until;
                found = true;
        }
        return found;
}

/* The exam that somebody has ended. A mistake in the file ends none. As load(). */
static int load_stopped(const char *folder, const char *course, struct exam *ret) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};

        return load(folder, course, EXAM_STOPPED, ret, &ignored);
}

static int load_scheduled(
        const char *folder, const char *course, struct exam *ret, struct diagnostics *diagnostics) {
        int r = load(folder, course, EXAM_SCHEDULED, ret, diagnostics);

        ret->scheduled = true;
        (void)string_copy(ret->by, sizeof(ret->by), EXAM_BY_SCHEDULE);
        return r;
}

static int add_scheduled(const char *folder, const char *course, uint64_t now, struct exams *exams,
        struct diagnostics *diagnostics) {
        struct exam exam, stopped;
        int r = load_scheduled(folder, course, &exam, diagnostics);

        if (r <= 0)
                return r;
        if (exam.broken)
                return append(exams, &exam);
        if (!choose_time(&exam, now, exams))
                return 0;
        r = load_stopped(folder, course, &stopped);
        /* The beginning may differ: of two exams that are one, the first is not known any more when it is
         * over. */
        if (r < 0 || (r > 0 && stopped.until == exam.until))
                return r;
        return append(exams, &exam);
}

bool exam_file_name_cut(const char *name, const char *suffix, char ret_course[static COURSE_SIZE]) {
        size_t length = strspn(name, "0123456789");

        if (length == 0 || length >= COURSE_SIZE || !string_equal(name + length, suffix))
                return false;
        memcpy(ret_course, name, length);
        ret_course[length] = '\0';
        return true;
}

static int add_file(const char *folder, const char *name, uint64_t now, struct exams *exams,
        struct diagnostics *diagnostics) {
        char course[COURSE_SIZE];

        if (exam_file_name_cut(name, "", course))
                return add_by_hand(folder, course, now, exams, diagnostics);
        if (now > 0 && exam_file_name_cut(name, EXAM_SCHEDULED, course))
                return add_scheduled(folder, course, now, exams, diagnostics);
        return 0;
}

/* The next time of a schedule that has not begun. */
static int add_planned(const char *folder, const char *name, uint64_t now, struct exams *exams,
        struct diagnostics *diagnostics) {
        char course[COURSE_SIZE];
        struct exam exam;
        int r;

        if (!exam_file_name_cut(name, EXAM_SCHEDULED, course))
                return 0;
        r = load_scheduled(folder, course, &exam, diagnostics);
        for (size_t i = 0; r > 0 && i < exam.n_times; i++)
                if (exam.times[i].from > now) {
                        exam.since = exam.times[i].from;
                        exam.until = exam.times[i].until;
                        return append(exams, &exam);
                }
        return r;
}

typedef int (*file_callback_t)(const char *folder, const char *name, uint64_t now, struct exams *exams,
        struct diagnostics *diagnostics);

/* Of a course's two exams, the first one counts, which is by hand. */
static void drop_replaced(struct exams *exams) {
        size_t n = 0;

        for (size_t i = 0; i < exams->n_items; i++)
                if (n == 0 || !string_equal(exams->items[n - 1].course, exams->items[i].course))
                        exams->items[n++] = exams->items[i];
        exams->n_items = n;
}

static int find_folder(const char *state, char ret[static FOLDER_SIZE]) {
        int n = snprintf(ret, FOLDER_SIZE, "%s/" EXAM_DIRECTORY, state);

        return n < 0 || (size_t)n >= FOLDER_SIZE ? -ENAMETOOLONG : 0;
}

int exam_load(const char *state, const char *course, const char *suffix, struct exam *ret,
        struct diagnostics *diagnostics) {
        char folder[FOLDER_SIZE];
        int r = find_folder(state, folder);

        return r < 0 ? r : load(folder, course, suffix, ret, diagnostics);
}

int exam_stopped_load(const char *state, const char *course, uint64_t *ret) {
        char folder[FOLDER_SIZE];
        struct exam stopped;
        int r = find_folder(state, folder);

        if (r >= 0)
                r = load_stopped(folder, course, &stopped);
        *ret = r > 0 ? stopped.until : 0;
        return r;
}

static int load_files(const char *state, uint64_t now, file_callback_t add, struct exams *ret,
        struct diagnostics *diagnostics) {
        _cleanup_exams_ struct exams exams = {.next_change = EXAMS_NO_CHANGE};
        char folder[FOLDER_SIZE];
        DIR *directory;
        int r;

        r = find_folder(state, folder);
        if (r < 0)
                return r;
        directory = opendir(folder);
        if (!directory && errno != ENOENT)
                return -errno;
        for (struct dirent *entry; r >= 0 && directory && (entry = readdir(directory));)
                r = add(folder, entry->d_name, now, &exams, diagnostics);
        if (directory)
                (void)closedir(directory);
        if (r < 0)
                return r;
        if (exams.n_items > 0)
                qsort(exams.items, exams.n_items, sizeof(*exams.items), compare);
        drop_replaced(&exams);
        *ret = exams;
        exams = (struct exams){0};
        return 0;
}

int exams_load(const char *state, uint64_t now, struct exams *ret, struct diagnostics *diagnostics) {
        return load_files(state, now, add_file, ret, diagnostics);
}

int exams_load_planned(const char *state, uint64_t now, struct exams *ret) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};

        return load_files(state, now, add_planned, ret, &ignored);
}

const struct exam *exams_find(const struct exams *exams, const char *course) {
        for (size_t i = 0; i < exams->n_items; i++)
                if (string_equal(exams->items[i].course, course))
                        return &exams->items[i];
        return NULL;
}

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
        (void)fputs("# Written by `coursenetctl exam start`. Times are seconds since 1970.\n[" SECTION "]\n",
                file);
        for (size_t i = 0; i < exam->n_allow; i++) {
                exam_allow_format(&exam->allow[i], allow);
                (void)fprintf(file, "allow = %s\n", allow);
        }
        for (size_t i = 0; i < exam->n_names; i++)
                (void)fprintf(file, "allow-name = %s\n", exam->names[i]);
        for (size_t i = 0; i < exam->n_staff; i++)
                (void)fprintf(file, "staff-uid = %" PRIu32 "\n", exam->staff[i]);
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

/* Returns 1; 0 if the file has just been removed; or negative errno. */
static int load(const char *folder, const char *course, struct exam *ret, struct diagnostics *diagnostics) {
        _cleanup_free_ char *text = NULL;
        char path[FOLDER_SIZE + sizeof("/") + COURSE_SIZE];
        const char *reason;
        int r;

        *ret = (struct exam){0};
        (void)string_copy(ret->course, sizeof(ret->course), course);
        (void)snprintf(path, sizeof(path), "%s/%s", folder, course);
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

        return strcmp(one->course, other->course);
}

static int append(struct exams *exams, const struct exam *exam) {
        struct exam *items = reallocarray(exams->items, exams->n_items + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        exams->items = items;
        items[exams->n_items++] = *exam;
        return 0;
}

int exams_load(const char *state, uint64_t now, struct exams *ret, struct diagnostics *diagnostics) {
        _cleanup_exams_ struct exams exams = {0};
        char folder[FOLDER_SIZE];
        struct exam exam;
        DIR *directory;
        int r = 0;

        if ((size_t)snprintf(folder, sizeof(folder), "%s/" EXAM_DIRECTORY, state) >= sizeof(folder))
                return -ENAMETOOLONG;
        directory = opendir(folder);
        if (!directory && errno != ENOENT)
                return -errno;
        for (struct dirent *entry; r >= 0 && directory && (entry = readdir(directory));) {
                if (!digits_only(entry->d_name) || strlen(entry->d_name) >= COURSE_SIZE)
                        continue;
                r = load(folder, entry->d_name, &exam, diagnostics);
                if (r > 0 && (exam.until == 0 || exam.until > now))
                        r = append(&exams, &exam);
        }
        if (directory)
                (void)closedir(directory);
        if (r < 0)
                return r;
        if (exams.n_items > 0)
                qsort(exams.items, exams.n_items, sizeof(*exams.items), compare);
        *ret = exams;
        exams = (struct exams){0};
        return 0;
}

const struct exam *exams_find(const struct exams *exams, const char *course) {
        for (size_t i = 0; i < exams->n_items; i++)
                if (string_equal(exams->items[i].course, course))
                        return &exams->items[i];
        return NULL;
}

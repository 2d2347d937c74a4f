/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A directory may give its names in any order and in other capitals than yesterday (SSSD: case_sensitive =
 * Preserving). So members are sorted, and one who is on the roster in other capitals keeps that line.
 */

#include "group-change.h"

#define NAMES_SHOWN 5U

void group_change_done(struct group_change *change) {
        free(change->joined);
        free(change->left);
        *change = (struct group_change){0};
}

/* A list for a sentence: the first few names, and how many there are. */
struct name_list {
        char text[NAMES_SHOWN * 64U];
        size_t n;
};

static void list_name(struct name_list *list, const char *name) {
        size_t length = strlen(list->text);

        if (list->n++ < NAMES_SHOWN)
                (void)snprintf(list->text + length, sizeof(list->text) - length, "%s%.60s",
                        length > 0 ? ", " : "", name);
        else if (list->n == NAMES_SHOWN + 1U)
                (void)snprintf(list->text + length, sizeof(list->text) - length, ", ...");
}

struct search {
        const struct settings *settings;
        const struct roster *roster;
        struct group_change *change;
        struct name_list strangers, alike;
};

/* Only a whole user name is a course user's: a campus account of the same person is another account. */
static bool find_student(
        const struct search *search, const char *member, char ret_student[static USER_NAME_SIZE]) {
        return roster_student(search->settings, search->roster->course, member, ret_student) >= 0 &&
               !string_equal(ret_student, member);
}

/* The roster's line of a student, also of one who was removed; NULL: there is none. */
static const struct roster_line *find_line(const struct roster *roster, const char *student, bool exactly) {
        for (size_t i = 0; i < roster->n_lines; i++) {
                const char *name = roster->lines[i].student;

                if (name[0] != '\0' &&
                        (exactly ? string_equal(name, student) : strcasecmp(name, student) == 0))
                        return &roster->lines[i];
        }
        return NULL;
}

static int compare_names(const void *a, const void *b) {
        int r = strcasecmp(a, b);

        return r != 0 ? r : strcmp(a, b);
}

/* The students that the members are, sorted; the caller frees them. */
static int collect_students(
        struct search *search, const struct group_members *members, char (**ret)[USER_NAME_SIZE], size_t *n) {
        char(*students)[USER_NAME_SIZE] = calloc(members->n_names + 1, sizeof(*students));

        if (!students)
                return -ENOMEM;
        *n = 0;
        for (size_t i = 0; i < members->n_names; i++)
                if (find_student(search, members->names[i], students[*n]))
                        ++*n;
                else
                        list_name(&search->strangers, members->names[i]);
        qsort(students, *n, sizeof(*students), compare_names);
        *ret = students;
        return 0;
}

/* As the roster writes the student, if it has them. */
static const char *roster_spelling(const struct roster *roster, const char *student) {
        const struct roster_line *line = find_line(roster, student, true);

        if (!line)
                line = find_line(roster, student, false);
        return line ? line->student : student;
}

/*
 * Moves the students to the front who are students of their own, in the roster's spelling. Returns how many.
 * They are sorted, so that names that differ in capitals follow each other.
 */
static size_t unify(struct search *search, char (*students)[USER_NAME_SIZE], size_t n) {
        size_t n_unified = 0;

        for (size_t i = 0; i < n; i++) {
                const char *name = roster_spelling(search->roster, students[i]),
                           *previous = n_unified > 0 ? students[n_unified - 1] : "";

                if (!string_equal(name, students[i]))
                        list_name(&search->alike, students[i]);
                if (string_equal(name, previous))
                        continue;
                if (strcasecmp(name, previous) == 0 && !find_line(search->roster, name, true)) {
                        list_name(&search->alike, name);
                        continue;
                }
                if (name != students[n_unified])
                        (void)string_copy(students[n_unified], USER_NAME_SIZE, name);
                n_unified++;
        }
        return n_unified;
}

static void add_joined(struct search *search, char (*students)[USER_NAME_SIZE], size_t n) {
        struct group_change *change = search->change;

        for (size_t i = 0; i < n; i++)
                if (!roster_find(search->roster, students[i]))
                        (void)string_copy(change->joined[change->n_joined++], USER_NAME_SIZE, students[i]);
}

static bool has_student(char (*students)[USER_NAME_SIZE], size_t n, const char *student) {
        for (size_t i = 0; i < n; i++)
                if (string_equal(students[i], student))
                        return true;
        return false;
}

static void add_left(struct search *search, char (*students)[USER_NAME_SIZE], size_t n) {
        struct group_change *change = search->change;

        for (size_t i = 0; i < search->roster->n_lines; i++) {
                const struct roster_line *line = &search->roster->lines[i];

                if (line->student[0] == '\0' || line->removed)
                        continue;
                change->n_seated++;
                if (!has_student(students, n, line->student))
                        (void)string_copy(change->left[change->n_left++], USER_NAME_SIZE, line->student);
        }
}

static void add_notes(const struct search *search, const char *path, struct diagnostics *notes) {
        if (search->strangers.n > 0)
                diagnostics_warning(notes, path, 0,
                        "%zu member%s of the groups of roster-group %s no user name of course %s (name-rule "
                        "= "
                        "%s), and no seat: %s",
                        search->strangers.n, search->strangers.n == 1 ? "" : "s",
                        search->strangers.n == 1 ? "has" : "have", search->roster->course,
                        search->settings->rule_text, search->strangers.text);
        if (search->alike.n > 0)
                diagnostics_warning(notes, path, 0,
                        "the directory has names that differ from another student's in capitals only, and "
                        "are taken for the same: %s",
                        search->alike.text);
}

int group_change_find(const struct settings *settings, const struct roster *roster,
        const struct group_members *members, const char *path, struct group_change *ret,
        struct diagnostics *notes) {
        _cleanup_group_change_ struct group_change change = {0};
        struct search search = {.settings = settings, .roster = roster, .change = &change};
        char(*students)[USER_NAME_SIZE] = NULL;
        size_t n;
        int r;

        change.joined = calloc(members->n_names + 1, sizeof(*change.joined));
        change.left = calloc(roster->n_lines + 1, sizeof(*change.left));
        if (!change.joined || !change.left)
                return -ENOMEM;
        r = collect_students(&search, members, &students, &n);
        if (r < 0)
                return r;
        n = unify(&search, students, n);
        add_joined(&search, students, n);
        add_left(&search, students, n);
        free(students);
        add_notes(&search, path, notes);

        *ret = change;
        change = (struct group_change){0};
        return 0;
}

bool group_change_suspicious(const struct group_change *change) {
        return change->n_left * 2 > change->n_seated;
}

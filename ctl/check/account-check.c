/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The module knows users by name only, because it looks nothing up for logins of other users. A login by
 * another name of a student's uid is therefore not a course user's for the module. Only the fence, which
 * knows uids, limits such a session. So the administrator gets a warning.
 */

#include <pwd.h>

#include "base/complain.h"
#include "checks.h"

#define PASSWD_FILE "/etc/passwd"
#define NAMES_SHOWN 5U

struct student {
        uid_t uid;
        char *user;
        char *other; /* the uid's name in the user database; NULL: the same */
};

struct students {
        struct student *items;
        size_t n_items;
};

static void students_done(struct students *students) {
        for (size_t i = 0; i < students->n_items; i++) {
                free(students->items[i].user);
                free(students->items[i].other);
        }
        free(students->items);
        *students = (struct students){0};
}

/* A list for a sentence: the first few items, and how many there are. */
struct list {
        char text[NAMES_SHOWN * 160U];
        size_t n;
};

static void _printf_(2, 3) list_add(struct list *list, const char *format, ...) {
        size_t length = strlen(list->text);
        va_list arguments;

        if (list->n++ >= NAMES_SHOWN)
                return;
        if (length > 0)
                length += (size_t)snprintf(list->text + length, sizeof(list->text) - length, ", ");
        if (length >= sizeof(list->text))
                return;
        va_start(arguments, format);
        (void)vsnprintf(list->text + length, sizeof(list->text) - length, format, arguments);
        va_end(arguments);
}

static int compare_students(const void *a, const void *b) {
        const struct student *one = a, *other = b;

        return one->uid < other->uid ? -1 : one->uid > other->uid;
}

/* Returns 1 if the user database does not answer, 0 otherwise, also if there is no such account. -ENOMEM. */
static int add_student(struct students *students, const char *user) {
        struct student *items, student = {0};
        const struct passwd *account;

        errno = 0;
        account = getpwnam(user);
        if (!account)
                return errno != 0 && errno != ENOENT && errno != ESRCH;
        student.uid = account->pw_uid;
        account = getpwuid(student.uid);

        items = reallocarray(students->items, students->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        students->items = items;
        student.user = strdup(user);
        if (account && !string_equal(account->pw_name, user))
                student.other = strdup(account->pw_name);
        if (!student.user)
                return -ENOMEM;
        items[students->n_items++] = student;
        return 0;
}

/* Stops at the first one that cannot be looked up, like sort_accounts() in check-command.c. */
static int find_students(const struct site *site, struct students *students) {
        char user[USER_NAME_SIZE];
        int r = 0;

        for (size_t i = 0; i < site->n_courses && r == 0; i++) {
                const struct site_course *course = &site->courses[i];

                for (size_t j = 0; j < course->n_seats && r == 0; j++)
                        if (name_rule_format(&site->settings.rule, course->bridge.course, course->students[j],
                                    user) >= 0)
                                r = add_student(students, user);
        }
        if (students->n_items > 0)
                qsort(students->items, students->n_items, sizeof(*students->items), compare_students);
        return r;
}

static const struct student *find_uid(const struct students *students, uid_t uid) {
        struct student key = {.uid = uid};

        return students->n_items > 0 ? bsearch(&key, students->items, students->n_items,
                                               sizeof(*students->items), compare_students)
                                     : NULL;
}

static bool has_name(const struct student *student, const char *name) {
        return string_equal(student->user, name) || (student->other && string_equal(student->other, name));
}

/* Adds a name that is refused, although it is not a course user's. */
static void note_alike(const struct settings *settings, const char *name, struct list *alike) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];

        if (name_rule_resembles(&settings->rule, name))
                list_add(alike, "'%s' (%s)", name, name_rule_reason(&settings->rule, name));
        else if (name_rule_match(&settings->rule, name, course, student) &&
                 strlen(course) != settings->course_digits)
                list_add(alike, "'%s' (its course, %s, is not written with %u digits)", name, course,
                        settings->course_digits);
}

static void look_at_local(const struct site *site, const struct students *students, struct list *namesakes,
        struct list *alike) {
        _cleanup_fclose_ FILE *file = fopen(PASSWD_FILE, "re");

        for (const struct passwd *entry; file && (entry = fgetpwent(file));) {
                const struct student *student = find_uid(students, entry->pw_uid);

                if (student && !has_name(student, entry->pw_name))
                        list_add(namesakes, "%s is also '%s'", student->user, entry->pw_name);
                if (entry->pw_uid >= SYSTEM_UID_END)
                        note_alike(&site->settings, entry->pw_name, alike);
        }
}

void account_check(const struct site *site, struct diagnostics *diagnostics) {
        _cleanup_(students_done) struct students students = {0};
        struct list namesakes = {0}, alike = {0};

        (void)find_students(site, &students);
        for (size_t i = 0; i < students.n_items; i++)
                if (students.items[i].other)
                        list_add(&namesakes, "%s is '%s'", students.items[i].user, students.items[i].other);
        look_at_local(site, &students, &namesakes, &alike);

        if (namesakes.n > 0)
                diagnostics_warning(diagnostics, "accounts", 0,
                        "%zu uid%s of students %s another name: %s%s. Logins by that name get no seat: give "
                        "the other account a uid of its own, or change name-rule to match the names in the "
                        "user database",
                        namesakes.n, plural(namesakes.n), namesakes.n == 1 ? "has" : "have", namesakes.text,
                        namesakes.n > NAMES_SHOWN ? ", and more" : "");
        if (alike.n > 0)
                diagnostics_warning(diagnostics, PASSWD_FILE, 0,
                        "%zu account%s %s a name that resembles a course user's without matching name-rule, "
                        "so %s refused and fenced: %s%s. Rename %s, or see NAMES in pam_coursenet(8)",
                        alike.n, plural(alike.n), alike.n == 1 ? "has" : "have",
                        alike.n == 1 ? "it is" : "they are", alike.text,
                        alike.n > NAMES_SHOWN ? ", and more" : "", alike.n == 1 ? "it" : "them");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl roster add`, `remove` and `import`, and what `sync` shares with them: each changes a roster
 * in memory, which is written only if there was no error at all.
 */

#include <fcntl.h>

#include "activator-client.h"
#include "base/admin-log.h"
#include "base/complain.h"
#include "class-parse.h"
#include "class-text.h"
#include "number.h"
#include "roster-change.h"
#include "roster-command.h"
#include "trusted-file.h"

/* The activator needs some time to write the wiring of a course with thousands of seats. */
#define RELOAD_TIMEOUT_MS 30000U

#define NAMES_SHOWN 5U

void roster_change_done(struct roster_change *change) {
        roster_edit_done(&change->edit);
        diagnostics_done(&change->diagnostics);
        table_done(&change->table);
        json_done(&change->document);
}

static const char *const headings[] = {"NAME", "SEAT", "ADDRESS", ""};

static int begin_document(const char *course, struct roster_change *change) {
        change->document = json_new_document();
        if (!change->document || json_put_text(change->document, "course", course) < 0 ||
                json_put(change->document, "dry_run", json_object_new_boolean(change->dry)) < 0)
                return -ENOMEM;
        change->rows = json_put_array(change->document, "changes");
        return change->rows ? 0 : -ENOMEM;
}

int roster_change_begin(const struct paths *paths, const char *course, const struct arguments *arguments,
        struct roster_change *change) {
        int r;

        change->dry = arguments->dry_run;
        r = table_new(headings, ELEMENTSOF(headings), &change->table);
        if (r >= 0 && arguments->json)
                r = begin_document(course, change);
        if (r < 0) {
                diagnostics_error(&change->diagnostics, paths->etc, 0, "out of memory");
                return r;
        }
        return roster_edit_begin(paths->etc, course, change->dry, &change->edit, &change->diagnostics);
}

enum what {
        WHAT_SEATED,
        WHAT_KEPT,
        WHAT_REMOVED,
};

static const struct {
        const char *word; /* for scripts */
        const char *done, *would_be;
} whats[] = {
        [WHAT_SEATED] = {"seated", "seated", "would be seated"},
        [WHAT_KEPT] = {"kept", "kept", "kept"},
        [WHAT_REMOVED] = {"removed", "removed, number kept", "would be removed"},
};

static int add_object(
        json_object *rows, const char *student, const char *seat, const char *address, const char *word) {
        json_object *object = json_append_object(rows);

        if (!object || json_put_text(object, "name", student) < 0 ||
                json_put_text(object, "seat", seat) < 0 || json_put_text(object, "address", address) < 0 ||
                json_put_text(object, "change", word) < 0)
                return -ENOMEM;
        return 0;
}

static int add_row(
        struct roster_change *change, const char *student, const struct seat_plan *plan, enum what what) {
        const char *text = change->dry ? whats[what].would_be : whats[what].done;
        char address[ADDRESS_TEXT_SIZE];
        int r;

        address_format(&plan->address, address);
        if (change->rows)
                r = add_object(change->rows, student, plan->name, address, whats[what].word);
        else
                r = table_add(change->table, (const char *const[]){student, plan->name, address, text},
                        ELEMENTSOF(headings));
        if (r < 0)
                diagnostics_error(&change->diagnostics, change->edit.path, 0, "out of memory");
        return r;
}

/*
 * The module and the next login read the roster themselves. Only the units of a new seat need wiring, which
 * the activator writes.
 */
static void reload_activator(const struct paths *paths) {
        struct request request;
        struct reply reply;
        int r;

        request_init(&request, REQUEST_RELOAD);
        r = activator_call(
                paths->activator_socket, &request, -1, deadline_after_ms(RELOAD_TIMEOUT_MS), &reply);
        if (r == -EACCES || r == -EPERM)
                complain(
                        "warning: you have no right to make the activator read the new roster (%s). It reads "
                        "it at its next start, or when root runs: systemctl restart coursenet-activator",
                        strerror(-r));
        else if (r < 0)
                complain("warning: the activator cannot be reached (%s). It reads the new roster at its next "
                         "start; to restart it: systemctl restart coursenet-activator",
                        strerror(-r));
        else if (reply.type != REPLY_DONE)
                complain("warning: the roster was written, but the activator reports: %s",
                        reply.text[0] ? reply.text
                                      : "it could not read it; see journalctl -u coursenet-activator");
}

#define CHANGES_TEXT_SIZE 96U

/* "2 seated", or "2 seated, 1 removed". */
static void format_changes(
        const struct roster_change *change, const char *done, char text[static CHANGES_TEXT_SIZE]) {
        const char *would_be = change->dry ? "would be " : "";

        if (change->n_removed > 0 && change->n_changed > change->n_removed)
                (void)snprintf(text, CHANGES_TEXT_SIZE, "%u %sseated, %u %sremoved",
                        change->n_changed - change->n_removed, would_be, change->n_removed, would_be);
        else
                (void)snprintf(text, CHANGES_TEXT_SIZE, "%u %s%s", change->n_changed, would_be,
                        change->n_removed > 0 ? "removed" : done);
}

static void print_summary(const struct roster_change *change, const char *done) {
        char changes[CHANGES_TEXT_SIZE];

        format_changes(change, done, changes);
        (void)printf("Course %s: %s", change->edit.roster.course, changes);
        if (change->n_kept > 0)
                (void)printf(", %u kept", change->n_kept);
        if (change->n_skipped > 0)
                (void)printf(", %zu skipped", change->n_skipped);
        (void)puts(change->dry ? ". Nothing was written." : ".");
}

static int print_document(struct roster_change *change, const struct diagnostics *diagnostics) {
        if (json_put(change->document, "n_kept", json_object_new_int64(change->n_kept)) < 0 ||
                json_put(change->document, "n_skipped", json_object_new_int64((int64_t)change->n_skipped)) <
                        0 ||
                json_put_findings(change->document, diagnostics) < 0)
                return -ENOMEM;
        return json_print(change->document);
}

/* Prints why nothing was changed. Returns an exit code. */
static int finish_refused(struct roster_change *change) {
        /* The changes that were possible were not made either. */
        if (change->document && !json_put_array(change->document, "changes"))
                json_done(&change->document);
        if (!change->document)
                diagnostics_print(stderr, &change->diagnostics);
        else if (print_document(change, &change->diagnostics) < 0)
                complain("%s", strerror(ENOMEM));
        complain("Nothing was changed.");
        return EXIT_NO;
}

int roster_change_finish(
        const struct paths *paths, struct roster_change *change, const char *command, const char *done) {
        bool writes = change->n_changed > 0 && !change->dry;
        char changes[CHANGES_TEXT_SIZE];

        if (change->diagnostics.n_errors == 0 && writes)
                (void)roster_edit_save(&change->edit, &change->diagnostics);

        if (change->diagnostics.n_errors > 0)
                return finish_refused(change);
        if (change->document) {
                if (print_document(change, &change->diagnostics) < 0)
                        complain("The changes could not be printed.");
        } else {
                diagnostics_print(stderr, &change->diagnostics);
                if ((change->n_changed > 0 || change->dry) && table_print(change->table) < 0)
                        complain("The table of changes could not be printed.");
                print_summary(change, done);
        }

        if (writes) {
                format_changes(change, done, changes);
                admin_log(paths, command, change->edit.roster.course, "%s", changes);
                roster_lock_done(&change->edit.lock);
                reload_activator(paths);
        }
        return EXIT_DONE;
}

static bool has_removed(const struct roster *roster) {
        for (size_t i = 0; i < roster->n_lines; i++)
                if (roster->lines[i].removed)
                        return true;
        return false;
}

static void report_full(struct roster_change *change, const char *student) {
        const struct roster *roster = &change->edit.roster;

        diagnostics_error(&change->diagnostics, change->edit.path, 0,
                "no seat is left for %s: numbers %u to %u are all in use or reserved. Give the course a "
                "larger subnet: write 'subnet = 172.16.0.0/22', or a free network of yours, into [course %s] "
                "of " SETTINGS_FILE " (prefix in [site] would move every course)%s",
                student, roster->first_seat, roster->seat_max, roster->course,
                has_removed(roster) ? ", or delete a '#removed NAME SEAT' line" : "");
}

/* Not the full plan, so that a seat with mistakes in its own files can be shown and removed as well. */
static void plan_by_number(const struct roster_change *change, unsigned seat, struct seat_plan *ret) {
        const struct roster *roster = &change->edit.roster;
        struct seat_id id = {.number = seat};
        char name[SEAT_ID_SIZE];

        (void)string_copy(id.course, sizeof(id.course), roster->course);
        seat_id_format(&id, name);
        seat_plan_name(name, ret);
        ret->address = change->edit.bridge.address;
        ret->address.ip = address_network(&ret->address) + id.number;
}

static int show_kept(struct roster_change *change, const char *student, unsigned seat) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        struct seat_plan plan;
        int r = roster_edit_plan(&change->edit, seat, &plan, &ignored);

        if (r == -ENOMEM) {
                diagnostics_error(&change->diagnostics, change->edit.path, 0, "out of memory");
                return r;
        }
        if (r < 0)
                plan_by_number(change, seat, &plan);
        return add_row(change, student, &plan, WHAT_KEPT);
}

/* Returns as roster_add(). */
static int add_student(struct roster *roster, const char *student, unsigned number, unsigned *ret_seat) {
        int r;

        if (number == 0)
                return roster_add(roster, student, ret_seat);
        r = roster_add_numbered(roster, student, number);
        *ret_seat = number;
        return r < 0 ? r : 1;
}

int roster_change_seat(struct roster_change *change, const char *student, unsigned number) {
        struct seat_plan plan;
        unsigned seat;
        int r, added;

        added = add_student(&change->edit.roster, student, number, &seat);
        if (added == 0) {
                change->n_kept++;
                return change->dry ? show_kept(change, student, seat) : 0;
        }
        if (added == -ENOSPC)
                report_full(change, student);
        else if (added < 0)
                diagnostics_error(
                        &change->diagnostics, change->edit.path, 0, "%s: %s", student, strerror(-added));
        if (added < 0)
                return added;

        change->n_changed++;
        r = roster_edit_plan(&change->edit, seat, &plan, &change->diagnostics);
        if (r < 0)
                return r;
        return add_row(change, student, &plan, WHAT_SEATED);
}

static int parse_name(
        struct roster_change *change, const char *word, char ret_student[static USER_NAME_SIZE]) {
        int r;

        r = roster_student(&change->edit.site.settings, change->edit.roster.course, word, ret_student);
        if (r < 0)
                diagnostics_error(&change->diagnostics, change->edit.path, 0, "'%s' %s", word,
                        roster_student_reason(r));
        return r;
}

/* For a course whose roster somebody edits. */
static int begin_by_hand(
        const struct paths *paths, const struct arguments *arguments, struct roster_change *change) {
        int r = roster_change_begin(paths, arguments->words[0], arguments, change);
        const struct course_settings *course;

        if (r < 0)
                return r;
        course = settings_find_course(&change->edit.site.settings, arguments->words[0]);
        if (course && course->n_roster_groups > 0)
                diagnostics_warning(&change->diagnostics, change->edit.path, 0,
                        "the students of course %s are the members of the groups of roster-group: the next "
                        "'coursenetctl roster sync' removes students who are in none of them",
                        arguments->words[0]);
        return 0;
}

int roster_add_names(const struct paths *paths, const struct arguments *arguments) {
        _cleanup_roster_change_ struct roster_change change = ROSTER_CHANGE_EMPTY;
        char student[USER_NAME_SIZE];

        if (begin_by_hand(paths, arguments, &change) >= 0)
                for (int i = 1; i < arguments->n_words; i++)
                        if (parse_name(&change, arguments->words[i], student) >= 0 &&
                                roster_change_seat(&change, student, 0) == -ENOSPC)
                                break;
        return roster_change_finish(paths, &change, "roster add", "seated");
}

void roster_change_remove(struct roster_change *change, const char *student) {
        struct roster *roster = &change->edit.roster;
        const struct roster_line *line = roster_find(roster, student);
        struct seat_plan plan;

        if (!line) {
                diagnostics_error(&change->diagnostics, change->edit.path, 0,
                        "%s is not on the roster. To see who is: coursenetctl roster list %s", student,
                        roster->course);
                return;
        }

        plan_by_number(change, line->seat, &plan);
        if (roster_remove(roster, student) < 0)
                diagnostics_error(&change->diagnostics, change->edit.path, 0, "out of memory");
        change->n_changed++;
        change->n_removed++;
        (void)add_row(change, student, &plan, WHAT_REMOVED);
}

int roster_remove_names(const struct paths *paths, const struct arguments *arguments) {
        _cleanup_roster_change_ struct roster_change change = ROSTER_CHANGE_EMPTY;
        char student[USER_NAME_SIZE];

        if (begin_by_hand(paths, arguments, &change) >= 0)
                for (int i = 1; i < arguments->n_words; i++)
                        if (parse_name(&change, arguments->words[i], student) >= 0)
                                roster_change_remove(&change, student);
        return roster_change_finish(paths, &change, "roster remove", "removed");
}

/* --- import ---------------------------------------------------------------------------------- */

/* Returns the size, or negative errno. */
static ssize_t read_bytes(const char *path, char *bytes, size_t size) {
        _cleanup_fclose_ FILE *file = NULL;
        size_t n;
        int fd;

        if (string_equal(path, "-"))
                fd = dup(STDIN_FILENO);
        else
                fd = open(path, O_RDONLY | O_CLOEXEC);
        file = fd < 0 ? NULL : fdopen(fd, "re");
        if (!file)
                return -errno;
        n = fread(bytes, 1, size, file);
        return ferror(file) ? -errno : (ssize_t)n;
}

/* Not trusted_file_read(), because a class list may be any user's file: it only has names. */
static int read_list(const char *path, char **ret_text, const char **ret_reason) {
        _cleanup_free_ char *bytes = malloc(TRUSTED_FILE_SIZE_MAX + 1);
        ssize_t n;

        n = bytes ? read_bytes(path, bytes, TRUSTED_FILE_SIZE_MAX + 1) : -ENOMEM;
        if (n < 0) {
                *ret_reason = strerror((int)-n);
                return (int)n;
        }
        if (n > (ssize_t)TRUSTED_FILE_SIZE_MAX) {
                *ret_reason = "is larger than 1 MiB";
                return -EFBIG;
        }
        return class_text_decode(bytes, (size_t)n, ret_text, ret_reason);
}

static int parse_list(struct roster_change *change, const char *text, const char *name,
        const struct arguments *arguments, struct class_list *ret) {
        const struct class_list_options options = {.column = arguments->column, .skip = arguments->skip};
        size_t n_errors = change->diagnostics.n_errors, n_new;
        int r;

        r = class_parse(text, name, &change->edit.site.settings, change->edit.roster.course, &options, ret,
                &change->diagnostics);
        if (r < 0)
                return r;
        n_new = change->diagnostics.n_errors - n_errors;
        if (ret->n_entries == 0 && n_new == 0)
                diagnostics_error(&change->diagnostics, name, 0, "has no names in it");
        else if (n_new > 0 && n_new == ret->n_without_login && ret->n_entries > 0)
                diagnostics_warning(&change->diagnostics, name, 0,
                        "%zu row%s no usable login; use --skip to skip these rows and add the others", n_new,
                        n_new == 1 ? " has" : "s have");
        change->n_skipped = ret->n_without_login;
        return change->diagnostics.n_errors > n_errors ? -EINVAL : 0;
}

static bool is_absent(const struct roster_line *line, const struct class_list *list) {
        return line->student[0] != '\0' && !line->removed && !class_list_find(list, line->student);
}

/* An import removes nobody, so this tells the administrator who may have left the course. */
static void report_absent(const struct roster *roster, const struct class_list *list) {
        unsigned n = 0;

        for (size_t i = 0; i < roster->n_lines; i++) {
                if (!is_absent(&roster->lines[i], list))
                        continue;
                if (n < NAMES_SHOWN)
                        (void)printf("%s%s", n == 0 ? "On the roster, but not on this list: " : ", ",
                                roster->lines[i].student);
                n++;
        }
        if (n > NAMES_SHOWN)
                (void)printf(" and %u more", n - NAMES_SHOWN);
        if (n > 0)
                (void)printf(". They keep their seats. To remove one: coursenetctl roster remove %s NAME\n",
                        roster->course);
}

/* The same, and what else only an import has. */
static int put_import(struct roster_change *change, const struct class_list *list) {
        const struct roster *roster = &change->edit.roster;
        json_object *absent;

        if (json_put_text(change->document, "column", list->column) < 0)
                return -ENOMEM;
        absent = json_put_array(change->document, "absent");
        for (size_t i = 0; absent && i < roster->n_lines; i++) {
                if (!is_absent(&roster->lines[i], list))
                        continue;
                if (json_append_text(absent, roster->lines[i].student) < 0)
                        return -ENOMEM;
        }
        return absent ? 0 : -ENOMEM;
}

int roster_import(const struct paths *paths, const struct arguments *arguments) {
        const char *path = arguments->words[1], *name = string_equal(path, "-") ? "stdin" : path, *reason;
        _cleanup_class_list_ struct class_list list = {0};
        _cleanup_roster_change_ struct roster_change change = ROSTER_CHANGE_EMPTY;
        _cleanup_free_ char *text = NULL;
        int r;

        if (!digits_only(arguments->words[0])) {
                complain("'%s' is not a course: a course is a number, and it comes before the file, as in "
                         "'coursenetctl roster import 123 FILE'. Nothing was changed.",
                        arguments->words[0]);
                return EXIT_NO;
        }
        /* Before the lock is taken, because somebody may type the list on standard input. */
        if (read_list(path, &text, &reason) < 0) {
                complain("%s: %s", name, reason);
                return EXIT_NO;
        }
        if (begin_by_hand(paths, arguments, &change) >= 0 &&
                parse_list(&change, text, name, arguments, &list) >= 0)
                for (size_t i = 0; i < list.n_entries; i++)
                        if (roster_change_seat(&change, list.entries[i].student, 0) == -ENOSPC)
                                break;

        if (change.document && change.diagnostics.n_errors == 0 && put_import(&change, &list) < 0)
                diagnostics_error(&change.diagnostics, change.edit.path, 0, "out of memory");
        if (!change.document && change.diagnostics.n_errors == 0 && list.column)
                (void)printf("The logins are from the column '%s'.\n", list.column);
        r = roster_change_finish(paths, &change, "roster import", "seated");
        if (r == EXIT_DONE && !arguments->json)
                report_absent(&change.edit.roster, &list);
        return r;
}

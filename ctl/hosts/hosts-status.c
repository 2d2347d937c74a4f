/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl hosts status`: the servers that share courses with this one. */

#include "base/complain.h"
#include "base/hosts-list.h"
#include "base/json.h"
#include "base/member-difference.h"
#include "base/moment.h"
#include "base/table.h"
#include "base/terminal.h"
#include "hosts-command.h"

static const char *state_of(const struct hosts_list *list, const struct listed_member *member) {
        if (list->cut_off && string_equal(member->host, list->own))
                return "cut off";
        if (!member->up)
                return "down";
        return member->drained ? "drained" : "up";
}

/* --- for people ------------------------------------------------------------------------------ */

static const char *const headings[] = {"HOST", "ADDRESS", "STATE", "VERSION", "SEATS", "SINCE", "NOTE"};

enum {
        COLUMN_STATE = 2,
        COLUMN_NOTE = 6,
};

#define NOTE_SIZE 256U

static void add_note(char *note, const char *format, ...) _printf_(2, 3);

static void add_note(char *note, const char *format, ...) {
        size_t length = strlen(note);
        va_list arguments;

        if (length > 0) {
                (void)snprintf(note + length, NOTE_SIZE - length, "; ");
                length = strlen(note);
        }
        va_start(arguments, format);
        (void)vsnprintf(note + length, NOTE_SIZE - length, format, arguments);
        va_end(arguments);
}

struct differences {
        char *note;
        size_t n;
};

static void note_difference(void *userdata, const struct member_difference *difference) {
        struct differences *differences = userdata;
        const char *course = difference->course;

        differences->n++;
        switch (difference->kind) {
        case DIFFERENCE_SETTINGS:
        case DIFFERENCE_ROSTER:
                add_note(differences->note, "%s of course %s %s: coursenetctl check",
                        difference_file(difference->kind), course,
                        difference->kind == DIFFERENCE_ROSTER ? "differs" : "differ");
                return;
        case DIFFERENCE_ONLY_HERE:
                add_note(differences->note, "does not share course %s", course);
                return;
        case DIFFERENCE_ONLY_THERE:
                add_note(differences->note, "shares course %s, this server does not", course);
                return;
        case DIFFERENCE_EXAM_THERE:
                add_note(differences->note, "does not have the last change of the exam of course %s", course);
                return;
        case DIFFERENCE_EXAM_HERE:
                add_note(differences->note, "has a change of the exam of course %s, this server does not",
                        course);
                return;
        }
}

/* Whether the note has something that must not stay. */
static bool describe(
        const struct hosts_list *list, const struct listed_member *member, char ret_note[static NOTE_SIZE]) {
        const struct listed_member *own = hosts_list_member(list, list->own);
        bool differs = own && own->up && member->up && member->contract != own->contract;
        struct differences differences = {.note = ret_note};
        char since[32];

        ret_note[0] = '\0';
        if (member == own)
                add_note(ret_note, "this server");
        if (member->drained) {
                moment_format_minute(member->drained_usec, since, sizeof(since));
                add_note(ret_note, "drained by %s at %s",
                        member->drained_by[0] ? member->drained_by : "somebody", since);
        }
        if (differs)
                add_note(ret_note, "speaks contract %d, this server %d", member->contract, own->contract);
        if (!member->listed)
                add_note(ret_note, "not in members = here");
        if (!list->cut_off)
                member_differences(own, member, note_difference, &differences);
        return differs || !member->listed || differences.n > 0;
}

static int add_row(
        struct libscols_table *table, const struct hosts_list *list, const struct listed_member *member) {
        char n_seats[24], since[32] = "-", note[NOTE_SIZE];
        bool bad = describe(list, member, note);
        const char *state = state_of(list, member);
        int r;

        (void)snprintf(n_seats, sizeof(n_seats), "%zu", member->n_claims);
        if (member->up && member->since_usec > 0)
                moment_format_minute(member->since_usec, since, sizeof(since));
        r = table_add(table,
                (const char *const[]){member->host, member->address[0] ? member->address : "-", state,
                        member->version[0] ? member->version : "-", n_seats, since, note},
                ELEMENTSOF(headings));
        if (r >= 0 && !string_equal(state, "up"))
                table_color(table, COLUMN_STATE, string_equal(state, "drained") ? "yellow" : "red");
        if (r >= 0 && bad)
                table_color(table, COLUMN_NOTE, "red");
        return r;
}

/* What follows may be out of date. */
static void report_store(const struct hosts_list *list) {
        if (list->cut_off)
                (void)printf(
                        "%sThis server is cut off from the others%s: its seats of shared courses are off "
                        "the network until it reaches the store again, and the list is of before.\n",
                        terminal_red(), terminal_normal());
        else if (list->error[0])
                (void)printf("%sThe store does not answer%s. The seats of shared courses stay on the network "
                             "for another %llu s.\n",
                        terminal_yellow(), terminal_normal(), (unsigned long long)(list->left_ms / 1000));
        if (list->error[0])
                (void)printf("%s: %s\n", list->store, list->error);
}

static int print_table(const struct hosts_list *list, bool no_legend) {
        _cleanup_table_ struct libscols_table *table = NULL;
        int r;

        r = table_new(headings, ELEMENTSOF(headings), &table);
        if (r >= 0 && no_legend)
                table_hide_headings(table);
        for (size_t i = 0; i < list->n_members && r >= 0; i++)
                r = add_row(table, list, &list->members[i]);
        return r < 0 ? r : table_print(table);
}

/* --- for scripts ----------------------------------------------------------------------------- */

static int put_drained(json_object *object, const struct listed_member *member) {
        json_object *drained = member->drained ? json_object_new_object() : NULL;

        if (!member->drained)
                return json_put_text(object, "drained", NULL);
        if (!drained || json_put(object, "drained", drained) < 0 ||
                json_put_text(drained, "by", member->drained_by[0] ? member->drained_by : NULL) < 0)
                return -ENOMEM;
        return json_put_time(drained, "since", member->drained_usec);
}

static int put_member(
        json_object *members, const struct hosts_list *list, const struct listed_member *member) {
        json_object *object = json_append_object(members);
        int r;

        if (!object || json_put_text(object, "host", member->host) < 0 ||
                json_put_text(object, "address", member->address[0] ? member->address : NULL) < 0 ||
                json_put_text(object, "state", state_of(list, member)) < 0 ||
                json_put(object, "own", json_object_new_boolean(string_equal(member->host, list->own))) < 0 ||
                json_put(object, "listed", json_object_new_boolean(member->listed)) < 0 ||
                json_put(object, "up", json_object_new_boolean(member->up)) < 0 ||
                json_put_text(object, "version", member->version[0] ? member->version : NULL) < 0)
                return -ENOMEM;
        r = member->up ? json_put(object, "contract", json_object_new_int(member->contract))
                       : json_put_text(object, "contract", NULL);
        if (r < 0 || json_put(object, "n_seats", json_object_new_int64((int64_t)member->n_claims)) < 0 ||
                json_put_time(object, "since", member->since_usec) < 0)
                return -ENOMEM;
        return put_drained(object, member);
}

static int print_json(const struct hosts_list *list) {
        _cleanup_json_ json_object *document = json_new_document();
        json_object *members;
        int r = 0;

        if (!document || json_put_text(document, "host", list->own) < 0 ||
                json_put(document, "cut_off", json_object_new_boolean(list->cut_off)) < 0 ||
                json_put(document, "left_seconds", json_object_new_int64((int64_t)(list->left_ms / 1000))) <
                        0 ||
                json_put(document, "claim_seconds", json_object_new_int64(list->claim_seconds)) < 0 ||
                json_put_text(document, "store", list->store[0] ? list->store : NULL) < 0 ||
                json_put_text(document, "error", list->error[0] ? list->error : NULL) < 0)
                return -ENOMEM;
        members = json_put_array(document, "members");
        if (!members)
                return -ENOMEM;
        for (size_t i = 0; i < list->n_members && r >= 0; i++)
                r = put_member(members, list, &list->members[i]);
        return r < 0 ? r : json_print(document);
}

/* --------------------------------------------------------------------------------------------- */

int hosts_status(const struct paths *paths, const struct arguments *arguments) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_hosts_list_ struct hosts_list list = {0};
        int r;

        if (geteuid() != 0) {
                complain("Only root can run hosts, because only root can see all seats.");
                return EXIT_NO;
        }
        if (settings_load(paths->etc, &settings, &diagnostics) < 0) {
                diagnostics_print(stderr, &diagnostics);
                return EXIT_NO;
        }
        r = hosts_list_load(paths->hosts_socket, &settings, &list);
        if (r != EXIT_DONE)
                return r;
        if (!arguments->json && !arguments->no_pager)
                terminal_open_pager();
        if (!arguments->json)
                report_store(&list);
        r = arguments->json ? print_json(&list) : print_table(&list, arguments->no_legend);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        return EXIT_DONE;
}

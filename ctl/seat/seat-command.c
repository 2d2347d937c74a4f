/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl seat`: shows everything that belongs to a user's seat. It is computed, so nothing needs to be
 * up. */

#include <pwd.h>

#include "base/arguments.h"
#include "base/complain.h"
#include "base/json.h"
#include "base/report-client.h"
#include "base/scope.h"
#include "base/table.h"
#include "plan.h"
#include "roster.h"
#include "seat-command.h"

const struct syntax seat_syntax = {
        .usage = "Usage: coursenetctl seat [--json] SEAT|USER\n"
                 "\n"
                 "Shows which seat a user has, or whose a seat is, and what belongs to it: address, bridge,\n"
                 "namespace, links, units. All is computed from settings and roster, so the seat need not be "
                 "up.\n",
        .options = TAKES_JSON,
        .words_min = 1,
        .words_max = 1,
        .first = WORD_PERSON,
};

struct mapping {
        char user[USER_NAME_SIZE];
        char course[COURSE_SIZE];
        struct bridge_plan bridge;
        struct seat_plan seat;
        struct service_settings services;
        bool has_container;
};

/* Prints why the user has no seat, and what to do about it. */
static void report_no_seat(
        const char *etc, const char *course, const char *student, const struct roster *roster) {
        for (size_t i = 0; i < roster->n_lines; i++)
                if (roster->lines[i].removed && string_equal(roster->lines[i].student, student)) {
                        complain("%s was removed from the roster of course %s. Give seat number %u back: "
                                 "coursenetctl roster add %s %s",
                                student, course, roster->lines[i].seat, course, student);
                        return;
                }
        complain("%s is not on the roster of course %s (%s/" ROSTER_DIRECTORY
                 "/%s). Add them: coursenetctl roster add %s %s",
                student, course, etc, course, course, student);
}

/* Negative errno if the course has no usable roster, after a message. */
static int load_roster(const char *etc, const struct settings *settings, const char *course,
        struct roster *ret, struct diagnostics *diagnostics) {
        char reason[256];
        int r;

        if (settings_check_course(settings, course, reason, sizeof(reason)) < 0) {
                complain("Course %s is not possible: %s", course, reason);
                return -EINVAL;
        }
        r = roster_load(etc, settings, course, ret, diagnostics);
        if (r == -ENOENT)
                complain("Course %s has no roster. Create one: coursenetctl roster import %s FILE", course,
                        course);
        return r;
}

/* Finds whose seat it is. -ENOENT, after a message, if no user on the roster has it. */
static int find_user_of_seat(const char *etc, const struct settings *settings, const struct seat_id *id,
        char ret_user[static USER_NAME_SIZE], struct diagnostics *diagnostics) {
        _cleanup_roster_ struct roster roster = {0};
        char name[SEAT_ID_SIZE];
        int r;

        r = load_roster(etc, settings, id->course, &roster, diagnostics);
        if (r < 0)
                return r;
        for (size_t i = 0; i < roster.n_lines; i++)
                if (roster.lines[i].student[0] && !roster.lines[i].removed &&
                        roster.lines[i].seat == id->number)
                        return name_rule_format(
                                &settings->rule, id->course, roster.lines[i].student, ret_user);

        seat_id_format(id, name);
        complain("Nobody on the roster of course %s has seat %s. To see who has which: coursenetctl roster "
                 "list %s",
                id->course, name, id->course);
        return -ENOENT;
}

static int find_number(const char *etc, const struct settings *settings, const char *course,
        const char *student, unsigned *ret_number, struct diagnostics *diagnostics) {
        _cleanup_roster_ struct roster roster = {0};
        const struct roster_line *line;
        int r;

        r = load_roster(etc, settings, course, &roster, diagnostics);
        if (r < 0)
                return r;

        line = roster_find(&roster, student);
        if (!line) {
                report_no_seat(etc, course, student, &roster);
                return -ENOENT;
        }
        *ret_number = line->seat;
        return 0;
}

/* The account of a course user that the user database finds by another name. NULL: it is not a course user's.
 */
static const char *find_course_account(const struct settings *settings, const char *user) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];
        const struct passwd *account = getpwnam(user);

        /* The first name of the uid, because programs show that. */
        if (account)
                account = getpwuid(account->pw_uid);
        if (!account || (!name_rule_match(&settings->rule, account->pw_name, course, student) &&
                                !name_rule_resembles(&settings->rule, account->pw_name)))
                return NULL;
        return account->pw_name;
}

static int refuse(void) {
        complain("Only root, the course's staff " STAFF_HINT
                 " and the user who has a seat may see whose it is.");
        return -EPERM;
}

/* What load_mapping() returns for a user whom the rule does not match. */
enum {
        NO_COURSE_USER = 1
};

static int map_user(const char *etc, const struct settings *settings, const struct scope *scope,
        const char *user, struct mapping *ret, struct diagnostics *diagnostics) {
        char student[USER_NAME_SIZE];
        struct mapping mapping = {0};
        struct seat_id id = {0};
        int r;

        if (name_rule_resembles(&settings->rule, user)) {
                complain("%s cannot be a course user's name: on this host they are written %s, and %s", user,
                        settings->rule_text, name_rule_reason(&settings->rule, user));
                return -EINVAL;
        }
        if (!name_rule_match(&settings->rule, user, mapping.course, student)) {
                const char *account = find_course_account(settings, user);

                if (account) {
                        complain("%s is another name of %s: use that one to log in", user, account);
                        return -EINVAL;
                }
                complain("%s is not a course user: course users are named %s (name-rule in %s/" SETTINGS_FILE
                         ")",
                        user, settings->rule_text, etc);
                return NO_COURSE_USER;
        }
        if (!scope_has_seat(scope, mapping.course, user))
                return refuse();
        r = find_number(etc, settings, mapping.course, student, &id.number, diagnostics);
        if (r < 0)
                return r;

        (void)string_copy(id.course, sizeof(id.course), mapping.course);
        (void)string_copy(mapping.user, sizeof(mapping.user), user);
        r = bridge_plan_load(etc, settings, mapping.course, &mapping.bridge, diagnostics);
        if (r < 0)
                return r;
        r = seat_plan_load(etc, settings, &id, &mapping.seat, diagnostics);
        if (r < 0)
                return r;

        mapping.services = settings_for_course(settings, mapping.course)->services;
        for (size_t i = 0; i < mapping.services.n_units; i++)
                mapping.has_container |= string_equal(mapping.services.units[i], SERVICE_CONTAINER);
        *ret = mapping;
        return 0;
}

/* A user may learn whether a seat is their own, but not whether another seat exists, or whose it is. */
static int map_own_seat(const char *etc, const struct settings *settings, const struct scope *scope,
        const struct seat_id *id, struct mapping *ret, struct diagnostics *diagnostics) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];
        int r;

        if (!name_rule_match(&settings->rule, scope->user, course, student) ||
                !string_equal(course, id->course))
                return refuse();
        r = map_user(etc, settings, scope, scope->user, ret, diagnostics);
        return r == 0 && ret->seat.id.number != id->number ? refuse() : r;
}

/* word is a seat's id or a user. */
static int load_mapping(const char *etc, const struct scope *scope, const char *word, struct mapping *ret,
        struct diagnostics *diagnostics) {
        _cleanup_settings_ struct settings settings = {0};
        char user[USER_NAME_SIZE];
        struct seat_id id;
        int r;

        r = settings_load(etc, &settings, diagnostics);
        if (r < 0)
                return r;
        if (seat_id_parse(word, settings.course_digits, &id) >= 0) {
                if (!scope_has_course(scope, id.course))
                        return map_own_seat(etc, &settings, scope, &id, ret, diagnostics);
                r = find_user_of_seat(etc, &settings, &id, user, diagnostics);
                if (r < 0)
                        return r;
                word = user;
        }
        return map_user(etc, &settings, scope, word, ret, diagnostics);
}

struct texts {
        char gateway[ADDRESS_TEXT_SIZE];
        char address[ADDRESS_TEXT_SIZE];
        char gateway6[ADDRESS6_TEXT_SIZE]; /* empty, as the next one: no IPv6 */
        char address6[ADDRESS6_TEXT_SIZE];
        char netns[64];
        char instance[32];
        char units[3 + SERVICES_MAX][64];
};

static void format_mapping(const struct mapping *mapping, struct texts *ret) {
        const struct service_settings *services = &mapping->services;
        const struct seat_plan *seat = &mapping->seat;
        struct address gateway = {.ip = seat->gateway, .prefix = seat->address.prefix};
        size_t n = 0;

        *ret = (struct texts){0};
        address_format(&gateway, ret->gateway);
        address_format(&seat->address, ret->address);
        if (address6_is_set(&seat->address6))
                address6_format(&seat->address6, ret->address6);
        if (address6_is_set(&seat->gateway6))
                address6_format(&seat->gateway6, ret->gateway6);
        (void)snprintf(ret->netns, sizeof(ret->netns), NETNS_DIRECTORY "/%s", seat->netns);
        if (mapping->has_container)
                (void)snprintf(ret->instance, sizeof(ret->instance), "inst-%s", seat->name);

        (void)snprintf(ret->units[n++], sizeof(ret->units[0]), "netns@%s.service", seat->name);
        (void)snprintf(ret->units[n++], sizeof(ret->units[0]), "nsbr@%s.service", seat->name);
        for (size_t i = 0; i < services->n_units; i++)
                (void)snprintf(ret->units[n++], sizeof(ret->units[0]), "%s@%s.service", services->units[i],
                        seat->name);
        if (seat->bridge_course[0])
                (void)snprintf(ret->units[n], sizeof(ret->units[0]), "netbr@%s.service", seat->bridge_course);
}

static int print_table(const struct mapping *mapping, const struct texts *texts) {
        static const char *const headings[] = {"", ""};
        const struct seat_plan *seat = &mapping->seat;
        const char *const rows[][2] = {
                {"user", mapping->user},
                {"course", mapping->course},
                {"seat", seat->name},
                {"address", texts->address},
                {"gateway", texts->gateway},
                {"IPv6 address", texts->address6},
                {"IPv6 gateway", texts->gateway6},
                {"bridge", seat->bridge},
                {"namespace", texts->netns},
                {"link on the bridge", seat->link},
                {"link in the seat", seat->peer},
                {"container", texts->instance},
        };
        _cleanup_table_ struct libscols_table *table = NULL;
        int r;

        r = table_new(headings, ELEMENTSOF(headings), &table);
        for (size_t i = 0; i < ELEMENTSOF(rows) && r >= 0; i++)
                if (rows[i][1][0])
                        r = table_add(table, rows[i], ELEMENTSOF(headings));
        for (size_t i = 0; i < ELEMENTSOF(texts->units) && texts->units[i][0] && r >= 0; i++)
                r = table_add(table, (const char *const[]){i == 0 ? "units" : "", texts->units[i]},
                        ELEMENTSOF(headings));
        return r < 0 ? r : table_print(table);
}

static int put_units(json_object *document, const struct texts *texts) {
        json_object *units = json_put_array(document, "units");

        if (!units)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(texts->units); i++) {
                json_object *unit;

                if (!texts->units[i][0])
                        continue;
                unit = json_object_new_string(texts->units[i]);
                if (!unit || json_object_array_add(units, unit) < 0) {
                        json_done(&unit);
                        return -ENOMEM;
                }
        }
        return 0;
}

static int print_json(const struct mapping *mapping, const struct texts *texts) {
        const struct seat_plan *seat = &mapping->seat;
        const char *const pairs[][2] = {
                {"user", mapping->user},
                {"course", mapping->course},
                {"seat", seat->name},
                {"address", texts->address},
                {"gateway", texts->gateway},
                {"address6", texts->address6[0] ? texts->address6 : NULL},
                {"gateway6", texts->gateway6[0] ? texts->gateway6 : NULL},
                {"bridge", seat->bridge},
                {"namespace", texts->netns},
                {"link", seat->link},
                {"peer", seat->peer},
                {"instance", mapping->has_container ? texts->instance : NULL},
        };
        _cleanup_json_ json_object *document = json_new_document();

        if (!document)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(pairs); i++)
                if (json_put_text(document, pairs[i][0], pairs[i][1]) < 0)
                        return -ENOMEM;
        if (put_units(document, texts) < 0)
                return -ENOMEM;
        return json_print(document);
}

/* Scripts must distinguish a user of no course, who needs no seat, from a student who cannot have one. */
static int print_no_course_user(const char *user) {
        _cleanup_json_ json_object *document = json_new_document();

        if (!document)
                return -ENOMEM;
        if (json_put_text(document, "user", user) < 0 || json_put_text(document, "course", NULL) < 0)
                return -ENOMEM;
        return json_print(document);
}

int seat_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct arguments arguments;
        struct mapping mapping;
        struct texts texts;
        int r;

        r = arguments_parse(argc, argv, &seat_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;

        /* Only root can read the rosters. */
        if (geteuid() != 0)
                return report_ask(paths, "seat", &arguments);
        r = load_mapping(paths->etc, paths->scope, arguments.words[0], &mapping, &diagnostics);
        if (r < 0) {
                /* A message about a roster quotes the line, which may be about another student. */
                if (scope_is_everything(paths->scope))
                        diagnostics_print(stderr, &diagnostics);
                else if (diagnostics.n_errors > 0)
                        complain("The configuration has mistakes. Root can run: coursenetctl check");
                return EXIT_NO;
        }
        if (r == NO_COURSE_USER) {
                if (arguments.json)
                        (void)print_no_course_user(arguments.words[0]);
                return EXIT_NO;
        }

        format_mapping(&mapping, &texts);
        r = arguments.json ? print_json(&mapping, &texts) : print_table(&mapping, &texts);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        return EXIT_DONE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the same tables as the parser of the command line, so that both always agree. */

#include <fcntl.h>

#include "base/command-parts.h"
#include "base/target.h"
#include "base/unit-list.h"
#include "command-table.h"
#include "complete-command.h"
#include "hosts.h"
#include "status/status-view.h"

/* The words of a command line that follow the command, without options. */
struct line {
        const struct syntax *syntax;
        const char *current; /* the word to complete */
        int n_words;         /* those before it */
        const char *course;  /* the first of them; NULL: there is none */
        bool is_value;       /* the current word is the value of an option */
};

static void print(const struct line *line, const char *word, const char *what) {
        if (!string_starts_with(word, line->current))
                return;
        (void)printf("%s%s%s\n", word, what ? "\t" : "", what ? what : "");
}

static void print_option(void *userdata, const char *option) {
        print(userdata, option, NULL);
}

static void print_seat(const struct line *line, const char *seat, const char *user) {
        print(line, user, seat);
        print(line, seat, user);
}

/* --- from the rosters ------------------------------------------------------------------------ */

static void print_courses(const struct line *line, const struct site *site) {
        for (size_t i = 0; i < site->n_courses; i++)
                print(line, site->courses[i].bridge.course, "course");
}

static void print_people(const struct line *line, const struct site *site) {
        char user[USER_NAME_SIZE];

        for (size_t i = 0; i < site->n_courses; i++) {
                const struct site_course *course = &site->courses[i];

                for (size_t j = 0; j < course->n_seats; j++)
                        if (name_rule_format(&site->settings.rule, course->bridge.course, course->students[j],
                                    user) >= 0)
                                print_seat(line, course->seats[j].name, user);
        }
}

static void print_students(const struct line *line, const struct site *site) {
        const struct site_course *course = line->course ? site_find_course(site, line->course) : NULL;

        for (size_t i = 0; course && i < course->n_seats; i++)
                print(line, course->students[i], course->seats[i].name);
}

/*
 * Only root can read the rosters, but everybody can ask systemd which units there are. So an administrator
 * who types `sudo coursenetctl` gets at least the seats that are up.
 */
static void print_units(const struct line *line, const struct settings *settings, enum word_kind kind) {
        _cleanup_unit_list_ struct unit_list units = {0};

        if (kind == WORD_STUDENT || unit_list_load(&units) < 0)
                return;
        for (size_t i = 0; i < units.n_units; i++) {
                const struct unit *unit = &units.units[i];
                struct seat_id id;

                if (unit->kind == UNIT_BRIDGE && unit->state != UNIT_DOWN && kind != WORD_PERSON)
                        print(line, unit->instance, "course");
                if (unit->kind == UNIT_SEAT && unit->state != UNIT_DOWN && kind != WORD_COURSE &&
                        seat_id_parse(unit->instance, settings->course_digits, &id) >= 0)
                        print(line, unit->instance, "seat");
        }
}

static void print_from_rosters(const struct paths *paths, const struct line *line, enum word_kind kind) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_site_ struct site site = {0};

        if (site_load(paths->etc, &site, &ignored) < 0 || geteuid() != 0) {
                print_units(line, &site.settings, kind);
                return;
        }
        if (kind == WORD_COURSE || kind == WORD_TARGET)
                print_courses(line, &site);
        if (kind == WORD_PERSON || kind == WORD_TARGET)
                print_people(line, &site);
        if (kind == WORD_STUDENT)
                print_students(line, &site);
}

static void print_members(const struct paths *paths, const struct line *line) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_settings_ struct settings settings = {0};

        if (settings_load(paths->etc, &settings, &ignored) < 0)
                return;
        for (size_t i = 0; i < settings.hosts.n_members; i++)
                print(line, hosts_member(&settings, i).name, NULL);
}

/* --- from what is up --------------------------------------------------------------------------- */

/* False: nobody can be asked. */
static bool print_what_is_up(const struct paths *paths, const struct line *line) {
        _cleanup_status_view_ struct status_view view = {0};
        const char *course = "";

        if (geteuid() != 0 || status_view_load(paths, NULL, &view) != EXIT_DONE)
                return false;
        for (size_t i = 0; i < view.snapshot.n_seats; i++) {
                const struct snapshot_seat *seat = &view.snapshot.seats[i];

                if (!status_view_shows(&view, seat))
                        continue;
                if (!string_equal(course, seat->course))
                        print(line, seat->course, "course");
                course = seat->course;
                print_seat(line, seat->seat, seat->user);
        }
        return true;
}

/* ---------------------------------------------------------------------------------------------- */

static void print_word(const struct paths *paths, const struct line *line) {
        enum word_kind kind = line->n_words == 0 ? line->syntax->first : line->syntax->others;

        if (line->n_words >= line->syntax->words_max || kind == WORD_OTHER)
                return;
        if (kind == WORD_FILE)
                (void)puts(":file");
        else if (kind == WORD_HOST)
                print_members(paths, line);
        else if (kind != WORD_UP)
                print_from_rosters(paths, line, kind);
        else if (!print_what_is_up(paths, line))
                print_from_rosters(paths, line, WORD_TARGET);
}

static void read_line(int argc, char **argv, const struct syntax *syntax, struct line *ret) {
        *ret = (struct line){.syntax = syntax, .current = argv[argc - 1]};
        for (int i = 0; i < argc - 1; i++) {
                if (ret->is_value)
                        ret->is_value = false;
                else if (argument_needs_value(argv[i]))
                        ret->is_value = true;
                else if (argv[i][0] != '-') {
                        if (ret->n_words++ == 0)
                                ret->course = argv[i];
                }
        }
}

/* argv: what follows the command. */
static void complete(const struct paths *paths, const struct syntax *syntax, int argc, char **argv) {
        struct line line;

        read_line(argc, argv, syntax, &line);
        if (line.is_value)
                return;
        if (line.current[0] == '-')
                arguments_each_option(syntax, print_option, &line);
        else
                print_word(paths, &line);
}

static void complete_parts(
        const struct paths *paths, const struct command_parts *parts, int argc, char **argv) {
        const struct line line = {.current = argv[argc - 1]};

        for (size_t i = 0; i < parts->n_items; i++)
                if (argc == 1)
                        print(&line, parts->items[i].name, NULL);
                else if (string_equal(parts->items[i].name, argv[0]))
                        complete(paths, &parts->items[i].syntax, argc - 1, argv + 1);
}

static void complete_names(const char *current) {
        const struct line line = {.current = current};
        const struct command *command;

        for (size_t i = 0; (command = command_table_get(i)); i++)
                print(&line, command->name, command->summary);
        print(&line, "help", "show the help of a command");
        if (current[0] == '-') {
                print(&line, "--help", NULL);
                print(&line, "--version", NULL);
        }
}

int complete_command(const struct paths *paths, int argc, char **argv) {
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        const struct command *command;

        /* A message would be written into the line that the user types. */
        if (nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0 || argc < 2)
                return EXIT_NO;
        if (argc == 2 || (argc == 3 && string_equal(argv[1], "help"))) {
                complete_names(argv[argc - 1]);
                return EXIT_DONE;
        }
        command = command_table_find(argv[1]);
        if (command && command->parts)
                complete_parts(paths, command->parts, argc - 2, argv + 2);
        else if (command)
                complete(paths, command->syntax, argc - 2, argv + 2);
        return EXIT_DONE;
}

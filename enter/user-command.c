/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Chooses and executes the command: in the container, by the container runtime, or with --seat directly. The
 * runtime is in one of a few fixed places; PATH is used for the user's command only.
 */

#include <pwd.h>
#include <sys/stat.h>

#include "address.h"
#include "container.h"
#include "user-command.h"

#define PROGRAM "coursenet-enter"
#define PLAIN_SHELL "/bin/sh"

/* systemd keeps a link of this name while a unit runs. */
#define CONTAINER_RUNS "/run/systemd/units/invocation:cont@%s.service"

static const char *base_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* --- the plan -------------------------------------------------------------------------------- */

static size_t count(char *const *words) {
        size_t n = 0;

        while (words && words[n])
                n++;
        return n;
}

static char *borrow(const char *text) {
        return (char *)(uintptr_t)text;
}

static void plan_container(const struct surroundings *surroundings, bool shell, struct user_command *command,
        size_t *n_arguments) {
        (void)snprintf(command->name, sizeof(command->name), "instance://inst-%s", surroundings->seat);
        command->program = surroundings->runtime;
        command->arguments[(*n_arguments)++] = borrow(base_name(surroundings->runtime));
        command->arguments[(*n_arguments)++] = borrow(shell ? "shell" : "exec");
        command->arguments[(*n_arguments)++] = command->name;
}

static void plan_shell(const struct command_line *options, const struct surroundings *surroundings,
        struct user_command *command, size_t *n_arguments) {
        const char *name = base_name(surroundings->shell);

        command->program = surroundings->shell;
        (void)snprintf(command->name, sizeof(command->name), "%s%.60s", options->login ? "-" : "", name);
        command->arguments[(*n_arguments)++] = command->name;
}

/* Under a ForceCommand without a command of its own, the client's command is executed. */
static bool runs_original(const struct command_line *options, const struct surroundings *surroundings) {
        return !options->script && !options->command && surroundings->original && surroundings->original[0];
}

int user_command_plan(const struct command_line *options, const struct surroundings *surroundings,
        struct user_command *ret) {
        const char *script = runs_original(options, surroundings) ? surroundings->original : options->script;
        char *by_shell[] = {borrow(PLAIN_SHELL), borrow("-c"), borrow(script), NULL};
        char **words = script ? by_shell : options->command;
        size_t n = 0, n_words = count(words);

        /* Plus the runtime's three words and the NULL. */
        ret->arguments = calloc(n_words + 4, sizeof(*ret->arguments));
        if (!ret->arguments)
                return -ENOMEM;
        if (!options->seat_only)
                plan_container(surroundings, n_words == 0, ret, &n);
        else if (n_words == 0)
                plan_shell(options, surroundings, ret, &n);
        else
                ret->program = words[0];
        for (size_t i = 0; i < n_words; i++)
                ret->arguments[n++] = words[i];
        return 0;
}

/* --- the surroundings ------------------------------------------------------------------------ */

/* This program may be the login shell, and must not start itself in a loop. */
static bool usable_shell(const char *shell) {
        return shell && shell[0] == '/' && !string_equal(base_name(shell), PROGRAM);
}

static const char *find_shell(void) {
        const char *shell = getenv("SHELL");
        const struct passwd *entry;

        if (usable_shell(shell))
                return shell;
        entry = getpwuid(getuid());
        return entry && usable_shell(entry->pw_shell) ? entry->pw_shell : PLAIN_SHELL;
}

/* The runtime's message for a missing instance is short; this one says where to look. */
static void check_container(const char *seat) {
        char path[sizeof(CONTAINER_RUNS) + SEAT_ID_SIZE];
        struct stat st;

        (void)snprintf(path, sizeof(path), CONTAINER_RUNS, seat);
        if (lstat(path, &st) < 0)
                complain("The container of seat %s does not run, because your course has none or because it "
                         "was stopped (systemctl status cont@%s). " PROGRAM
                         " --seat enters the network alone.",
                        seat, seat);
}

static int look_around(
        const struct command_line *options, const struct own_seat *seat, struct surroundings *ret) {
        *ret = (struct surroundings){.seat = seat->name, .original = getenv("SSH_ORIGINAL_COMMAND")};
        if (options->seat_only) {
                ret->shell = find_shell();
                return 0;
        }
        ret->runtime = container_find_runtime();
        if (!ret->runtime) {
                complain("Neither apptainer nor singularity is installed here; " PROGRAM
                         " --seat enters the network alone.");
                return EXIT_NO;
        }
        check_container(seat->name);
        return 0;
}

/* --- running it ------------------------------------------------------------------------------ */

static int set_environment(const struct own_seat *seat) {
        char address[ADDRESS_TEXT_SIZE];

        address_format_ip(seat->address, address);
        if (setenv("COURSENET_COURSE", seat->course, 1) < 0 || setenv("COURSENET_SEAT", seat->name, 1) < 0 ||
                setenv("COURSENET_ADDRESS", address, 1) < 0)
                return -errno;
        return 0;
}

static int execute(const struct user_command *command) {
        int error;

        (void)execvp(command->program, command->arguments);
        error = errno;
        complain("Cannot run %s: %s.", command->program, strerror(error));
        return error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

int user_command_run(const struct command_line *options, const struct own_seat *seat) {
        struct surroundings surroundings;
        struct user_command command = {0};
        int r;

        r = look_around(options, seat, &surroundings);
        if (r != 0)
                return r;
        r = user_command_plan(options, &surroundings, &command);
        if (r >= 0)
                r = set_environment(seat);
        /* So that a coursenet-enter which the command starts does not execute it again. */
        if (r >= 0 && runs_original(options, &surroundings) && unsetenv("SSH_ORIGINAL_COMMAND") < 0)
                r = -errno;
        if (r < 0) {
                complain("%s.", strerror(-r));
                r = EXIT_NO;
        } else
                r = execute(&command);
        free(command.arguments);
        return r;
}

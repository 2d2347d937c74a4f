/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-container: what cont@ runs, as the student and in the seat. It starts the container instance
 * inst-ID with the runtime that is there and waits until that is done: the instance stays in the unit's
 * control group, which is all that a stop needs.
 *
 * It is privileged in nothing. What can go wrong is looked at first, as the runtimes' own words help few.
 */

#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "container-runtime.h"
#include "instance.h"
#include "runtime.h"

#define ETC_DIRECTORY "/etc/coursenet"

extern char **environ;

static int _printf_(1, 2) complain(const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void)vfprintf(stderr, format, arguments);
        va_end(arguments);
        (void)fputc('\n', stderr);
        return EXIT_FAILURE;
}

static void print_diagnostics(const struct diagnostics *diagnostics) {
        char text[1024];

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                diagnostic_format(&diagnostics->items[i], text, sizeof(text));
                (void)complain("%s", text);
        }
}

/*
 * systemd hands over one of a few files as standard input (see SLOT_DIRECTORY of the activator). Waiting for
 * its lock is waiting until few enough containers are starting; the lock ends with this process. Started by
 * hand there is nothing to wait for.
 */
static int wait_for_slot(int *ret_fd) {
        struct stat st;
        int fd;

        if (fstat(STDIN_FILENO, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;
        fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (fd < 0)
                return -errno;
        while (flock(fd, LOCK_EX) < 0)
                if (errno != EINTR) {
                        int r = -errno;

                        (void)close(fd);
                        return r;
                }
        *ret_fd = fd;
        return 0;
}

/* A folder that debootstrap or cp made runs nothing: the runtime's own scripts are missing in it. */
static bool is_sandbox(const char *folder) {
        char path[CONTAINER_TEXT_SIZE + sizeof("/.singularity.d/actions")];

        (void)snprintf(path, sizeof(path), "%s/.singularity.d/actions", folder);
        return access(path, F_OK) == 0;
}

static bool check_image(const char *image) {
        struct stat st;

        if (stat(image, &st) < 0)
                (void)complain("The image %s cannot be used: %s", image, strerror(errno));
        else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
                (void)complain("The image %s is neither a file nor a folder.", image);
        else if (access(image, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) < 0)
                (void)complain("The image %s cannot be read by this user: %s", image, strerror(errno));
        else if (S_ISDIR(st.st_mode) && !is_sandbox(image))
                (void)complain(
                        "The folder %s is no container image: make one of it by `apptainer build --sandbox`.",
                        image);
        else
                return true;
        return false;
}

static bool check_home(const char *home) {
        if (access(home, W_OK | X_OK) == 0)
                return true;
        (void)complain("The home directory %s cannot be written to (%s): an instance keeps its state there.",
                home, strerror(errno));
        return false;
}

/* Returns an exit code. Standard input becomes /dev/null: the slot must not live on in the container. */
static int run(const char *const *arguments) {
        posix_spawn_file_actions_t actions;
        int status, r;
        pid_t pid;

        if (posix_spawn_file_actions_init(&actions) != 0)
                return complain("out of memory");
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn(&pid, arguments[0], &actions, NULL, (char **)(uintptr_t)arguments, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return complain("%s cannot be run: %s", arguments[0], strerror(r));

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return complain("%s cannot be waited for: %m", arguments[0]);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return EXIT_SUCCESS;
        return complain("%s could not start the instance; what it says stands above.", arguments[0]);
}

static int start(
        const struct instance *instance, const struct passwd *account, const char *runtime_directory) {
        const char *runtime = container_runtime_find(), *arguments[INSTANCE_ARGUMENTS_MAX];
        struct instance_storage storage;
        _cleanup_close_ int slot = -1;
        char pid_file[256];
        int r;

        if (!runtime)
                return complain(
                        "There is no container runtime on this host: install apptainer, or singularity-ce.");
        if (!check_image(instance->services.image) || !check_home(account->pw_dir))
                return EXIT_FAILURE;
        if (setenv("HOME", account->pw_dir, true) < 0 || setenv("USER", account->pw_name, true) < 0)
                return complain("out of memory");

        r = wait_for_slot(&slot);
        if (r < 0)
                return complain("The turn to start cannot be waited for: %s", strerror(-r));
        runtime_forget_instance(account->pw_dir, account->pw_name, instance->name);

        (void)snprintf(pid_file, sizeof(pid_file), "%s/pid", runtime_directory);
        instance_arguments(instance, runtime, pid_file, &storage, arguments);
        return run(arguments);
}

static const char usage[] = "usage: coursenet-container start ID   cont@: the container instance inst-ID";

static bool is_help(const char *word) {
        return string_equal(word, "-h") || string_equal(word, "--help") || string_equal(word, "help");
}

int main(int argc, char **argv) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        const char *runtime_directory = getenv("RUNTIME_DIRECTORY");
        const struct passwd *account;
        struct instance instance;

        if (argc == 2 && is_help(argv[1])) {
                (void)puts(usage);
                return EXIT_SUCCESS;
        }
        if (argc != 3 || !string_equal(argv[1], "start")) {
                (void)complain("%s", usage);
                return 2;
        }
        if (!runtime_directory)
                return complain("RUNTIME_DIRECTORY is not set: this is run by cont@%s.service", argv[2]);
        account = getpwuid(getuid());
        if (!account)
                return complain("This user (%u) has no account.", (unsigned)getuid());

        if (instance_plan(ETC_DIRECTORY, argv[2], getenv("COURSENET_IMAGE"), &instance, &diagnostics) < 0) {
                print_diagnostics(&diagnostics);
                return EXIT_FAILURE;
        }
        return start(&instance, account, runtime_directory);
}

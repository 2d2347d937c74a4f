/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-container: the program of cont@. `queue` runs as root and waits until a start is allowed, see
 * queue.c. `start` runs as the student in the seat. It starts the container instance inst-ID with the
 * installed runtime and waits until the start has ended. The instance stays in the unit's control group, so
 * that systemd can stop it.
 *
 * `start` has no privileges. It checks for usual mistakes first, because the runtimes' own messages are hard
 * to understand.
 */

#include <pwd.h>
#include <sys/wait.h>

#include "container-image.h"
#include "container.h"
#include "instance.h"
#include "notify.h"
#include "queue.h"
#include "report.h"

#define ETC_DIRECTORY "/etc/coursenet"

/* The longest wait: with 8 slots of SLOT_SECONDS each, at least 160 starts happen in that time. */
#define QUEUE_EXTENSION "EXTEND_TIMEOUT_USEC=300000000"

static int report_diagnostics(const struct diagnostics *diagnostics) {
        char text[1024] = "out of memory";

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                diagnostic_format(&diagnostics->items[i], text, sizeof(text));
                if (i + 1 < diagnostics->n_items)
                        (void)fprintf(stderr, "%s\n", text);
        }
        return report_failure("%s", text);
}

static bool check_image(const char *image) {
        char reason[IMAGE_REASON_SIZE];

        if (image_examine(image, reason) == IMAGE_GOOD)
                return true;
        (void)report_failure("The image %s %s", image, reason);
        return false;
}

static bool check_home(const char *home) {
        if (access(home, W_OK | X_OK) == 0)
                return true;
        (void)report_failure(
                "The home directory %s cannot be written to, and an instance keeps its state there: %s", home,
                strerror(errno));
        return false;
}

/* The two most frequent failures that only the runtime can notice. */
static const char *name_of_shortage(const char *error) {
        if (strstr(error, "no space left on device"))
                return "No space is left on the device";
        return strstr(error, "disk quota exceeded") ? "The disk quota is used up" : NULL;
}

/* Returns an exit code. */
static int run(const char *const *arguments) {
        char error[256];
        const char *shortage;
        int status, r;

        r = report_run(arguments, &status, error, sizeof(error));
        if (r < 0)
                return report_failure("%s cannot be run: %s", arguments[0], strerror(-r));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return EXIT_SUCCESS;
        shortage = name_of_shortage(error);
        if (shortage)
                return report_failure("%s: %s", shortage, error);
        return error[0] ? report_failure("%s could not start the instance: %s", arguments[0], error)
                        : report_failure("%s could not start the instance", arguments[0]);
}

static int start(
        const struct instance *instance, const struct passwd *account, const char *runtime_directory) {
        const char *runtime = container_find_runtime(), *arguments[INSTANCE_ARGUMENTS_MAX];
        struct instance_storage storage;
        char pid_file[256];

        if (!runtime)
                return report_failure("No container runtime is installed on this server: apptainer, or "
                                      "singularity-ce");
        if (!check_image(instance->services.image) || !check_home(account->pw_dir))
                return EXIT_FAILURE;
        if (setenv("HOME", account->pw_dir, true) < 0 || setenv("USER", account->pw_name, true) < 0)
                return report_failure("out of memory");
        instance_forget(account->pw_dir, account->pw_name, instance->name);

        (void)snprintf(pid_file, sizeof(pid_file), "%s/pid", runtime_directory);
        instance_arguments(instance, runtime, pid_file, &storage, arguments);
        return run(arguments);
}

static const char usage[] =
        "usage: coursenet-container queue ID   cont@, as root: wait until a start is allowed\n"
        "       coursenet-container start ID   cont@: start the container instance inst-ID";

static bool is_help(const char *word) {
        return string_equal(word, "-h") || string_equal(word, "--help") || string_equal(word, "help");
}

static int start_command(const char *id) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        const char *runtime_directory = getenv("RUNTIME_DIRECTORY");
        const struct passwd *account;
        struct instance instance;

        if (!runtime_directory)
                return report_failure(
                        "RUNTIME_DIRECTORY is not set: run systemctl start cont@%s.service instead", id);
        account = getpwuid(getuid());
        if (!account)
                return report_failure("This user (%u) has no account", (unsigned)getuid());
        if (instance_plan(ETC_DIRECTORY, id, getenv("COURSENET_IMAGE"), &instance, &diagnostics) < 0)
                return report_diagnostics(&diagnostics);
        return start(&instance, account, runtime_directory);
}

static int queue_command(const char *id) {
        int r;

        (void)notify_send(QUEUE_EXTENSION);
        r = queue_wait(SLOT_DIRECTORY, id);
        return r < 0 ? report_failure(
                               "Cannot wait for a slot in which the container may start: %s", strerror(-r))
                     : EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        if (argc == 3 && string_equal(argv[1], "start"))
                return start_command(argv[2]);
        if (argc == 3 && string_equal(argv[1], "queue"))
                return queue_command(argv[2]);
        if (argc == 2 && is_help(argv[1])) {
                (void)puts(usage);
                return EXIT_SUCCESS;
        }
        (void)fprintf(stderr, "%s\n", usage);
        return 2;
}

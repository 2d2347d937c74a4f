/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Checks that the kernel can enforce the limits of students' slices. systemd takes a limit that the kernel
 * cannot enforce, and says nothing. Some small computers boot with cgroup_disable=memory.
 */

#include "checks.h"

#define CONTROLLERS_FILE "/sys/fs/cgroup/cgroup.controllers"

static const struct {
        const char *setting, *controller;
} needs[] = {
        {"memory-max", "memory"},
        {"cpu-weight", "cpu"},
        {"cpu-quota", "cpu"},
        {"tasks-max", "pids"},
        {"io-weight", "io"},
};

/* Empty: control groups of version 2 are not mounted, or have no controller. */
static void read_controllers(char *text, size_t size) {
        FILE *file = fopen(CONTROLLERS_FILE, "re");

        if (!file || !fgets(text, (int)size, file))
                text[0] = '\0';
        if (file)
                (void)fclose(file);
}

static bool has_controller(const char *controllers, const char *name) {
        size_t length = strlen(name);

        for (const char *word = controllers; *(word += strspn(word, " \n")); word += strcspn(word, " \n"))
                if (strcspn(word, " \n") == length && strncmp(word, name, length) == 0)
                        return true;
        return false;
}

/* The first line that has the setting, of the site or of a course. 0: none. */
static unsigned find_line(const struct settings *settings, const char *setting) {
        unsigned line = settings_line(settings, NULL, setting);

        for (size_t i = 0; i < settings->n_courses && line == 0; i++)
                line = settings_line(settings, settings->courses[i].course, setting);
        return line;
}

void controller_check(
        const struct paths *paths, const struct settings *settings, struct diagnostics *diagnostics) {
        _cleanup_free_ char *path = NULL;
        char controllers[256];

        if (asprintf(&path, "%s/" SETTINGS_FILE, paths->etc) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, paths->etc, 0, "out of memory");
                return;
        }
        read_controllers(controllers, sizeof(controllers));
        for (size_t i = 0; i < ELEMENTSOF(needs); i++) {
                unsigned line = find_line(settings, needs[i].setting);

                if (line == 0 || has_controller(controllers, needs[i].controller))
                        continue;
                diagnostics_warning(diagnostics, path, line,
                        "%s has no effect: this kernel has no controller '%s' in " CONTROLLERS_FILE,
                        needs[i].setting, needs[i].controller);
                diagnostics_advise(diagnostics,
                        "boot with control groups of version 2, and without cgroup_disable=%s",
                        needs[i].controller);
        }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * settings_load(): from the file to settings that are complete and checked. What the file does not set comes
 * from the table's defaults, and what a course does not set from [site], so that nobody who uses settings has
 * to ask what is set. Every program of coursenet but the PAM module and coursenet-enter loads them.
 */

#include "machine-prefix.h"
#include "setting-set.h"
#include "settings-check.h"
#include "settings-parse.h"
#include "trusted-file.h"

/*
 * Fills in the defaults. They are parsed once in a process, because the activator loads settings at each
 * login. A default that its setter refuses is a mistake in the table, which tests/unit/test-settings-table.c
 * finds.
 */
static int set_defaults(struct settings *ret, const char *path, struct diagnostics *diagnostics) {
        static struct settings defaults;
        static bool parsed;
        char reason[SETTING_REASON_SIZE];
        const struct setting *setting;

        for (size_t i = 0; !parsed && (setting = setting_at(i)); i++)
                if (setting->default_value && setting_set(setting, setting_base(setting, &defaults, NULL),
                                                      setting->default_value, reason) < 0) {
                        diagnostics_error(diagnostics, path, 0, "%s", reason);
                        return -EINVAL;
                }
        parsed = true;
        *ret = defaults;
        return 0;
}

/* "bind =" says nothing: a text of no words is as good as not set. */
static bool is_set(const struct setting *setting, const struct course_settings *course, size_t i) {
        const char *text = (const char *)&course->values + setting->offset;

        return course->lines[i] > 0 && !(setting->kind == SETTING_WORDS && text[0] == '\0');
}

static void inherit(const struct settings *settings, struct course_settings *course) {
        const struct setting *setting;

        for (size_t i = 0; (setting = setting_at(i)); i++)
                if (setting->sections == (SECTION_SITE | SECTION_COURSE) && !setting->adds &&
                        !is_set(setting, course, i))
                        setting_copy(setting, &course->values, &settings->values);
}

/* An image without units means the container. With units, the container has to be one of them. */
static void add_container_unit(struct service_settings *services, unsigned units_line) {
        if (units_line > 0 || services->image[0] == '\0')
                return;
        (void)string_copy(services->units[0], sizeof(services->units[0]), SERVICE_CONTAINER);
        services->n_units = 1;
}

static void complete_courses(struct settings *settings) {
        for (size_t i = 0; i < settings->n_courses; i++) {
                struct course_settings *course = &settings->courses[i];

                inherit(settings, course);
                add_container_unit(
                        &course->values.services, settings_line(settings, course->course, "units"));
        }
        add_container_unit(&settings->values.services, settings_line(settings, NULL, "units"));
}

/* -ENOENT: there is no file, and nothing is reported. */
static int read_file(const char *path, struct settings *settings, struct diagnostics *diagnostics) {
        _cleanup_free_ char *text = NULL;
        const char *reason;
        int r;

        r = trusted_file_read_identified(path, &text, &reason, &settings->file);
        if (r == -ENOENT)
                return r;
        if (r < 0) {
                diagnostics_error(diagnostics, path, 0, "%s", reason);
                return r;
        }
        return settings_parse(text, path, settings, diagnostics);
}

/*
 * A host without a machine id, as an image is before its first boot, has no IPv6. Any other error, as when
 * descriptors or memory have run out, fails: bridges that are up would lose their IPv6 addresses.
 */
static int find_network6(struct settings *settings, struct diagnostics *diagnostics) {
        static const int absent[] = {EACCES, EINVAL, EISDIR, ELOOP, ENODATA, ENOENT, ENOTDIR};
        int r = machine_prefix_read(MACHINE_ID_FILE, &settings->network6, &settings->machine_id);

        for (size_t i = 0; i < ELEMENTSOF(absent); i++)
                if (r == -absent[i])
                        return 0;
        if (r < 0)
                diagnostics_error(diagnostics, MACHINE_ID_FILE, 0, "it cannot be read: %s", strerror(-r));
        return r;
}

/* What settings_load() does after the defaults. */
static int load(const char *path, struct settings *settings, struct diagnostics *diagnostics) {
        int r;

        r = read_file(path, settings, diagnostics);
        if (r < 0 && r != -ENOENT)
                return r;
        complete_courses(settings);
        if (settings->network6_auto) {
                r = find_network6(settings, diagnostics);
                if (r < 0)
                        return r;
        }
        return settings_check(settings, path, diagnostics);
}

int settings_load(const char *etc, struct settings *ret, struct diagnostics *diagnostics) {
        _cleanup_free_ char *path = NULL;
        struct settings settings;
        int r;

        if (asprintf(&path, "%s/" SETTINGS_FILE, etc) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return -ENOMEM;
        }
        r = set_defaults(&settings, path, diagnostics);
        if (r < 0)
                return r;
        r = load(path, &settings, diagnostics);
        if (r < 0) {
                settings_done(&settings);
                return r;
        }

        *ret = settings;
        return 0;
}

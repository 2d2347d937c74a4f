/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From settings to the words of `apptainer instance start`; knows where the runtimes keep instances' state.
 */

#include <ftw.h>
#include <limits.h>
#include <sys/utsname.h>

#include "instance.h"
#include "seat-id.h"

int instance_plan(const char *etc, const char *id, const char *image, struct instance *ret,
        struct diagnostics *diagnostics) {
        _cleanup_settings_ struct settings settings = {0};
        struct instance instance = {0};
        struct seat_id seat;
        int r;

        r = settings_load(etc, &settings, diagnostics);
        if (r < 0)
                return r;
        if (snprintf(instance.name, sizeof(instance.name), "inst-%s", id) >= (int)sizeof(instance.name)) {
                diagnostics_error(diagnostics, id, 0, "the name of the instance is too long");
                return -EINVAL;
        }

        /* An instance that does not belong to a seat has the site's settings. */
        if (seat_id_parse(id, settings.course_digits, &seat) < 0)
                seat.course[0] = '\0';
        instance.services = settings_for_course(&settings, seat.course)->services;
        if (image && string_copy(instance.services.image, sizeof(instance.services.image), image) < 0) {
                diagnostics_error(diagnostics, id, 0, "the path of the image is too long");
                return -EINVAL;
        }
        if (instance.services.image[0] == '\0') {
                diagnostics_error(diagnostics, id, 0,
                        "there is no image: set image in " SETTINGS_FILE
                        ", or COURSENET_IMAGE in a drop-in of "
                        "cont@%s.service",
                        id);
                return -EINVAL;
        }
        *ret = instance;
        return 0;
}

/* Appends OPTION and a word for each word of text; text is a copy of our own. */
static size_t append_words(const char *option, char *text, const char **arguments, size_t n) {
        char *rest = NULL;

        for (char *word = strtok_r(text, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
                arguments[n++] = option;
                arguments[n++] = word;
        }
        return n;
}

void instance_arguments(const struct instance *instance, const char *runtime, const char *pid_file,
        struct instance_storage *storage, const char *ret[static INSTANCE_ARGUMENTS_MAX]) {
        size_t n = 0;

        _Static_assert(
                2 * CONTAINER_TEXT_SIZE + 16 <= 2 * INSTANCE_ARGUMENTS_MAX, "every second character a word");
        (void)string_copy(storage->binds, sizeof(storage->binds), instance->services.binds);
        (void)string_copy(storage->environment, sizeof(storage->environment), instance->services.environment);

        ret[n++] = runtime;
        ret[n++] = "--silent";
        ret[n++] = "instance";
        ret[n++] = "start";
        ret[n++] = "--pid-file";
        ret[n++] = pid_file;
        n = append_words("--bind", storage->binds, ret, n);
        n = append_words("--env", storage->environment, ret, n);
        ret[n++] = instance->services.image;
        ret[n++] = instance->name;
        ret[n] = NULL;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        (void)remove(path);
        return 0;
}

void instance_forget(const char *home, const char *user, const char *name) {
        /* HOME/…/HOST/USER/INSTANCE, as `instance list --json` of both shows. */
        static const char *const folders[] = {".apptainer/instances/app", ".singularity/instances/sing"};
        struct utsname host;
        char path[PATH_MAX];

        if (uname(&host) < 0)
                return;
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                int n = snprintf(
                        path, sizeof(path), "%s/%s/%s/%s/%s", home, folders[i], host.nodename, user, name);

                if (n > 0 && (size_t)n < sizeof(path))
                        (void)nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        }
}

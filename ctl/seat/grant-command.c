/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The scope says whose seats the caller may see, and a setting of the course what may be done with them. Root
 * needs no setting.
 */

#include "grant-command.h"
#include "base/complain.h"
#include "base/scope.h"
#include "protocol.h"
#include "seat-mapping.h"

static bool may_capture(const struct course_values *values, bool own) {
        return values->capture == CAPTURE_BOTH || values->capture == (own ? CAPTURE_OWN : CAPTURE_STAFF);
}

static bool may_visit(const struct course_values *values, bool own) {
        return values->staff_enter && !own;
}

static const struct action {
        const char *name; /* of the request */
        bool (*may)(const struct course_values *values, bool own);
        const char *setting, *what;
} actions[] = {
        {"capture", may_capture, "capture", "capture"},
        {"visit", may_visit, "staff-enter", "enter the networks of seats"},
};

static const struct action *find_action(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(actions); i++)
                if (string_equal(name, actions[i].name))
                        return &actions[i];
        return NULL;
}

static int check(const struct paths *paths, const struct action *action, const struct seat_mapping *mapping,
        bool own) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_settings_ struct settings settings = {0};
        int r;

        if (paths->scope->uid == 0)
                return 0;
        r = settings_load(paths->etc, &settings, &ignored);
        if (r >= 0 && !action->may(settings_for_course(&settings, mapping->course), own))
                r = -EPERM;
        if (r < 0)
                complain("Course %s does not let its %s %s (%s in /etc/coursenet/coursenet.conf).",
                        mapping->course, own ? "students" : "staff", action->what, action->setting);
        return r;
}

static int print(const struct scope *scope, const struct seat_mapping *mapping, bool own) {
        struct seat_grant grant = {.own = own, .address = mapping->seat.address.ip};

        (void)string_copy(grant.course, sizeof(grant.course), mapping->course);
        (void)string_copy(grant.seat, sizeof(grant.seat), mapping->seat.name);
        (void)string_copy(grant.user, sizeof(grant.user), mapping->user);
        protocol_copy_text(grant.peer, sizeof(grant.peer), scope->user);
        return fwrite(&grant, sizeof(grant), 1, stdout) == 1 ? 0 : -EIO;
}

int grant_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        const char *word = argc > 2 ? argv[2] : paths->scope->user;
        const struct action *action = find_action(argv[0]);
        struct seat_mapping mapping;
        bool own;
        int r;

        if (!action)
                return EXIT_NO;
        r = seat_mapping_load(paths->etc, paths->scope, word, &mapping, &diagnostics);
        if (r < 0)
                seat_mapping_complain(paths->scope, &diagnostics);
        if (r != 0)
                return EXIT_NO;
        own = string_equal(mapping.user, paths->scope->user);
        if (check(paths, action, &mapping, own) < 0)
                return EXIT_NO;
        return print(paths->scope, &mapping, own) < 0 ? EXIT_NO : EXIT_DONE;
}

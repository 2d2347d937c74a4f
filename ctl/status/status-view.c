/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loads and selects what `coursenetctl status` prints. */

#include <pwd.h>
#include <time.h>

#include "base/complain.h"
#include "base/target.h"
#include "base/unit-property.h"
#include "status-view.h"

void status_view_done(struct status_view *view) {
        exams_done(&view->exams);
        hosts_list_done(&view->hosts);
        snapshot_done(&view->snapshot);
        lease_list_done(&view->leases);
        unit_list_done(&view->units);
        site_done(&view->site);
}

/* --- what is shown --------------------------------------------------------------------------- */

static bool matches_word(const struct snapshot_seat *seat, const char *word) {
        return string_equal(seat->course, word) || string_equal(seat->seat, word) ||
               string_equal(seat->user, word);
}

bool status_view_shows(const struct status_view *view, const struct snapshot_seat *seat) {
        if (view->own_user[0] && !string_equal(seat->user, view->own_user))
                return false;
        if (!scope_has_seat(view->scope, seat->course, seat->user))
                return false;
        return !view->word || matches_word(seat, view->word);
}

size_t status_view_count(const struct status_view *view) {
        size_t n = 0;

        for (size_t i = 0; i < view->snapshot.n_seats; i++)
                n += status_view_shows(view, &view->snapshot.seats[i]);
        return n;
}

int status_view_knows_word(const struct status_view *view) {
        _cleanup_target_ struct target target = {0};
        int r;

        for (size_t i = 0; i < view->snapshot.n_seats; i++)
                if (status_view_shows(view, &view->snapshot.seats[i]))
                        return true;
        if (view->own_user[0])
                return string_equal(view->word, view->own_user);
        if (site_find_course(&view->site, view->word))
                return true;
        r = target_find(&view->site, view->word, &target);
        return r < 0 ? r : target.n_seats > 0;
}

/* The uid of the user who is logged in on the seat or keeps it by a process; false: there is none. */
static bool find_uid(const struct snapshot_seat *seat, uid_t *ret) {
        for (size_t i = 0; i < seat->n_leases; i++)
                if (seat->leases[i].pid > 0) {
                        *ret = seat->leases[i].uid;
                        return true;
                }
        if (seat->kept)
                *ret = seat->kept->uid;
        return seat->kept;
}

enum user_manager status_view_find_manager(const struct snapshot_seat *seat) {
        char netns[64];
        uid_t uid;

        if (!find_uid(seat, &uid))
                return USER_MANAGER_NONE;
        (void)snprintf(netns, sizeof(netns), NETNS_DIRECTORY "/%s", seat->netns);
        return user_manager_find(uid, netns);
}

bool status_view_find_usage(const struct snapshot_seat *seat, struct usage *ret) {
        uid_t uid;

        return find_uid(seat, &uid) && usage_read(uid, ret) >= 0;
}

/* --- loading ------------------------------------------------------------------------------- */

static int find_own_user(struct status_view *view) {
        const struct passwd *account;

        if (geteuid() == 0)
                return 0;
        account = getpwuid(geteuid());
        if (!account || string_copy(view->own_user, sizeof(view->own_user), account->pw_name) < 0) {
                complain("Cannot find out who you are, because your uid has no name.");
                return -ENOENT;
        }
        return 0;
}

static int load_site(struct status_view *view) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        int r;

        r = view->own_user[0] ? settings_load(view->etc, &view->site.settings, &diagnostics)
                              : site_load(view->etc, &view->site, &diagnostics);
        scope_restrict(view->scope, &view->site);
        if (r < 0) {
                diagnostics_print(stderr, &diagnostics);
                return r;
        }
        if (diagnostics.n_errors > 0)
                complain("The configuration has mistakes. Run: coursenetctl check");
        return 0;
}

/* `coursenetctl check` reports mistakes in the files. */
static void load_exams(const char *state, struct status_view *view) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};

        (void)exams_load(state, (uint64_t)time(NULL), &view->exams, &ignored);
}

/* Returns an exit code. */
static int load_leases(const struct paths *paths, struct status_view *view) {
        const char *path = geteuid() == 0 ? paths->activator_socket : paths->query_socket;
        char reason[REPLY_TEXT_SIZE];
        int r;

        r = lease_list_load(path, &view->leases, reason, sizeof(reason));
        if (r == -ECANCELED) {
                complain("The activator refused: %s", reason);
                return EXIT_NO;
        }
        return r < 0 ? complain_of_activator(path, r) : EXIT_DONE;
}

/* Fills container_reason of every seat whose container has failed. What cannot be asked stays empty. */
static void load_container_reasons(struct snapshot *snapshot) {
        _cleanup_unit_bus_ sd_bus *bus = NULL;

        for (size_t i = 0; i < snapshot->n_seats; i++) {
                struct snapshot_seat *seat = &snapshot->seats[i];
                _cleanup_free_ char *status = NULL, *result = NULL;
                char unit[sizeof("cont@.service") + SEAT_ID_SIZE];

                if (!string_equal(seat->container, "failed"))
                        continue;
                if (!bus && sd_bus_open_system(&bus) < 0)
                        return;
                (void)snprintf(unit, sizeof(unit), "cont@%s.service", seat->seat);
                (void)unit_get_text(bus, unit, "Service", "StatusText", &status);
                (void)unit_get_text(bus, unit, "Service", "Result", &result);
                container_format_failure(status ? status : "", result ? result : "", seat->container_reason);
        }
}

/* Returns an exit code. */
static int load(const struct paths *paths, struct status_view *view) {
        int r;

        if (find_own_user(view) < 0 || load_site(view) < 0)
                return EXIT_NO;
        r = load_leases(paths, view);
        if (r != EXIT_DONE)
                return r;

        load_exams(paths->state, view);
        r = unit_list_load(&view->units);
        if (r < 0) {
                complain("Cannot get the list of units from systemd: %s", strerror(-r));
                return EXIT_NO;
        }
        r = snapshot_make(view->etc, &view->site, &view->units, &view->leases, &view->snapshot);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        load_container_reasons(&view->snapshot);
        return EXIT_DONE;
}

int status_view_load(const struct paths *paths, const char *word, struct status_view *ret) {
        _cleanup_status_view_ struct status_view view = {
                .etc = paths->etc, .scope = paths->scope, .word = word};
        int r;

        r = load(paths, &view);
        if (r != EXIT_DONE)
                return r;
        *ret = view;
        view = (struct status_view){0};
        return EXIT_DONE;
}

/* --- other servers ----------------------------------------------------------------------------- */

int status_view_add_hosts(const struct paths *paths, struct status_view *view) {
        int r = hosts_list_load(paths->hosts_socket, &view->site.settings, &view->hosts);

        if (r != EXIT_DONE)
                return r;
        r = snapshot_add_claims(view->etc, &view->site, &view->hosts, &view->snapshot);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        if (view->hosts.cut_off)
                complain("This server is cut off from the others, so what they have is shown as it was "
                         "before.%s",
                        view->scope ? "" : " See: coursenetctl hosts");
        return EXIT_DONE;
}

const char *status_view_host(const struct status_view *view, const struct snapshot_seat *seat) {
        return seat->claim ? seat->claim->host : view->hosts.own;
}

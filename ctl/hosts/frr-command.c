/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * FRR has one configuration for all who use it. coursenet's part is loaded into the FRR that runs, and is not
 * saved in FRR's own file, which is the site's; so FRR forgets it at its restart, after which
 * coursenet-frr.path has this run again. The peer group tells which
 * sessions are coursenet's; FRR_FILE has the lines beside it that are.
 */

#include <sys/stat.h>

#include "base/complain.h"
#include "base/frr-load.h"
#include "frr-command.h"

/* Returns an exit code. */
static int load_settings(const struct paths *paths, struct settings *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        int r = settings_load(paths->etc, ret, &diagnostics);

        diagnostics_print(stderr, &diagnostics);
        return r < 0 ? EXIT_NO : EXIT_DONE;
}

/* Returns an exit code. */
static int make_wanted(const struct settings *settings, struct frr_router *ret) {
        struct host_member own;
        char reason[512];

        if (hosts_own(settings, &own, reason, sizeof(reason)) < 0) {
                complain("Nothing can be made for FRR: %s.", reason);
                return EXIT_NO;
        }
        if (frr_config_make(settings, own.address, ret) < 0) {
                complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }
        return EXIT_DONE;
}

int hosts_frr(const struct paths *paths, const struct arguments *arguments) {
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_frr_router_ struct frr_router wanted = {0};
        int r;

        (void)arguments;
        r = load_settings(paths, &settings);
        if (r != EXIT_DONE)
                return r;
        if (!hosts_configured(&settings)) {
                complain("The settings have no [hosts], so FRR needs nothing from coursenet.");
                return EXIT_NO;
        }
        r = make_wanted(&settings, &wanted);
        if (r == EXIT_DONE)
                frr_config_print(&wanted, NULL, NULL, stdout);
        return r;
}

/* --- loading ---------------------------------------------------------------------------------- */

/* Returns an exit code. */
static int complain_of_frr(int error) {
        if (error == -ENOENT)
                complain("FRR is not installed: there is no vtysh. To install it: apt install frr");
        else if (error == -ENOTCONN)
                complain("bgpd does not answer: set bgpd=yes in " FRR_DAEMONS_FILE
                         ", then run systemctl restart frr");
        else if (error == -EINVAL)
                complain("FRR has refused a line of it.");
        else
                complain("vtysh could not be run: %s", strerror(-error));
        return error == -ENOTCONN ? EXIT_UNREACHABLE : EXIT_NO;
}

/* The path of FRR_FILE, to be freed. NULL: out of memory. */
static char *make_path(const struct paths *paths) {
        char *path;

        return asprintf(&path, "%s/" FRR_FILE, paths->state) < 0 ? NULL : path;
}

/* What was loaded the last time; empty if nothing was. */
static void read_before(const struct paths *paths, struct frr_router *ret) {
        _cleanup_free_ char *path = make_path(paths);
        _cleanup_fclose_ FILE *file = path ? fopen(path, "re") : NULL;

        if (file)
                (void)frr_router_read(file, ret);
}

static int write_text(const char *path, const char *text) {
        FILE *file;

        (void)unlink(path);
        file = fopen(path, "wxe");
        if (!file)
                return -errno;
        (void)fputs(text, file);
        return fclose(file) != 0 ? -errno : 0;
}

/* Loads FRR_FILE, which gets this text. Returns an exit code. */
static int load_text(const struct paths *paths, const char *text) {
        _cleanup_free_ char *path = make_path(paths);
        int r;

        if (!path || !text)
                r = -ENOMEM;
        else if (mkdir(paths->state, 0700) < 0 && errno != EEXIST)
                r = -errno;
        else
                r = write_text(path, text);
        if (r < 0) {
                complain("%s/" FRR_FILE " cannot be written: %s", paths->state, strerror(-r));
                return EXIT_NO;
        }
        r = frr_load(path);
        return r < 0 ? complain_of_frr(r) : EXIT_DONE;
}

/* Members who are members no longer, out of the peer group. */
static size_t print_stale(const struct frr_router *wanted, const struct frr_router *loaded, FILE *file) {
        char address[INET_ADDRSTRLEN];
        size_t n = 0;

        for (size_t i = 0; i < loaded->n_lines; i++)
                if (frr_line_is_stale(wanted, &loaded->lines[i], address)) {
                        (void)fprintf(file, "router bgp %u\n no neighbor %s\nexit\n", loaded->asn, address);
                        n++;
                }
        return n;
}

static size_t count_missing(const struct frr_router *wanted, const struct frr_router *loaded) {
        char address[INET_ADDRSTRLEN];
        size_t n = 0;

        for (size_t i = 0; i < wanted->n_lines; i++)
                n += !frr_router_fulfils(loaded, &wanted->lines[i]) &&
                     !frr_line_is_taken(loaded, &wanted->lines[i], address);
        return n;
}

/* The site's own sessions with members are not touched. */
static void tell_taken(const struct frr_router *wanted, const struct frr_router *loaded) {
        char address[INET_ADDRSTRLEN];

        for (size_t i = 0; i < wanted->n_lines; i++)
                if (frr_line_is_taken(loaded, &wanted->lines[i], address) &&
                        !frr_router_has_active(loaded, address))
                        complain("FRR has a session with %s of the site's own, which stays as it is. For "
                                 "coursenet it needs: neighbor %s activate, in address-family l2vpn evpn.",
                                address, address);
}

/* Takes coursenet's part out again. Returns an exit code. */
static int take_out(const struct paths *paths, const struct frr_router *loaded) {
        _cleanup_frr_router_ struct frr_router before = {0};
        _cleanup_free_ char *text = NULL, *path = make_path(paths);
        size_t size;
        FILE *file = open_memstream(&text, &size);
        int r;

        read_before(paths, &before);
        if (file) {
                frr_removal_print(loaded, &before, file);
                (void)fclose(file);
        }
        r = load_text(paths, text);
        if (r == EXIT_DONE)
                (void)unlink(path);
        return r;
}

static int refuse_number(const struct frr_router *wanted, const struct frr_router *loaded) {
        complain(
                "FRR has router bgp %u of the site's own, and [hosts] has asn = %u. Nothing was changed. Set "
                "asn = %u on all members, or give FRR the other number.",
                loaded->asn, wanted->asn, loaded->asn);
        return EXIT_NO;
}

/* Whether FRR has taken it. Returns an exit code. */
static int look_again(const struct frr_router *wanted) {
        _cleanup_frr_router_ struct frr_router loaded = {0};
        char address[INET_ADDRSTRLEN];
        int r = frr_read_running(&loaded);

        if (r < 0)
                return complain_of_frr(r);
        for (size_t i = 0; i < wanted->n_lines; i++)
                if (!frr_router_fulfils(&loaded, &wanted->lines[i]) &&
                        !frr_line_is_taken(&loaded, &wanted->lines[i], address)) {
                        complain("FRR has not taken the line '%s'.", wanted->lines[i].text);
                        return EXIT_NO;
                }
        return EXIT_DONE;
}

/* Returns an exit code. */
static int put_in(
        const struct paths *paths, const struct frr_router *wanted, const struct frr_router *loaded) {
        _cleanup_frr_router_ struct frr_router before = {0};
        _cleanup_free_ char *text = NULL;
        size_t size, n_stale;
        FILE *file = open_memstream(&text, &size);
        int r;

        if (!file) {
                complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }
        tell_taken(wanted, loaded);
        read_before(paths, &before);
        n_stale = print_stale(wanted, loaded, file);
        frr_config_print(wanted, loaded, &before, file);
        (void)fclose(file);
        if (n_stale == 0 && count_missing(wanted, loaded) == 0) {
                (void)puts("FRR has all of coursenet's part already.");
                return EXIT_DONE;
        }
        r = load_text(paths, text);
        if (r == EXIT_DONE)
                r = look_again(wanted);
        if (r == EXIT_DONE)
                (void)puts("FRR has coursenet's part now.");
        return r;
}

/* Returns an exit code. */
static int remove_all(const struct paths *paths, const struct frr_router *loaded) {
        int r;

        if (!frr_router_has_group(loaded)) {
                (void)puts("The settings have no [hosts], and FRR has nothing of coursenet.");
                return EXIT_DONE;
        }
        r = take_out(paths, loaded);
        if (r == EXIT_DONE)
                (void)puts("The settings have no [hosts]. FRR has nothing of coursenet any more.");
        return r;
}

int hosts_apply(const struct paths *paths, const struct arguments *arguments) {
        _cleanup_frr_router_ struct frr_router wanted = {0}, loaded = {0};
        _cleanup_settings_ struct settings settings = {0};
        int r;

        (void)arguments;
        if (geteuid() != 0) {
                complain("Only root can change what FRR has loaded.");
                return EXIT_NO;
        }
        r = load_settings(paths, &settings);
        if (r == EXIT_DONE && hosts_configured(&settings))
                r = make_wanted(&settings, &wanted);
        if (r != EXIT_DONE)
                return r;
        frr_wait_started();
        r = frr_read_running(&loaded);
        if (r < 0)
                return complain_of_frr(r);
        if (wanted.asn == 0)
                return remove_all(paths, &loaded);
        if (loaded.asn == 0 || loaded.asn == wanted.asn)
                return put_in(paths, &wanted, &loaded);
        if (!frr_router_is_ours(&loaded))
                return refuse_number(&wanted, &loaded);

        /* The setting asn has changed. */
        r = take_out(paths, &loaded);
        frr_router_done(&loaded);
        return r == EXIT_DONE ? put_in(paths, &wanted, &loaded) : r;
}

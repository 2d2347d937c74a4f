/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Checks what every user may see: files, /proc, and systemd's units. */

#include <sys/xattr.h>
#include <time.h>

#include "base/unit-list.h"
#include "base/unit-property.h"
#include "checks.h"

static void check_programs(
        const struct paths *paths, const struct settings *settings, struct diagnostics *diagnostics) {
        if (access(paths->net, X_OK) < 0)
                diagnostics_error(diagnostics, paths->net, 0,
                        "%m: no seat can start without it (is coursenet installed completely?)");
        if (access(paths->host, X_OK) < 0)
                diagnostics_error(diagnostics, paths->host, 0,
                        "%m: without it there is no fence and no name service, and nothing restores the "
                        "firewall (is coursenet installed completely?)");
        if (settings->dns.source != DNS_OFF && access(paths->dnsmasq, X_OK) < 0) {
                diagnostics_error(
                        diagnostics, paths->dnsmasq, 0, "%m: seats get no answers to their DNS queries");
                diagnostics_advise(diagnostics, "apt install dnsmasq-base, or set dns = off");
        }
}

/* Without the attribute, its program works from inside a seat only: setns() into one needs CAP_SYS_ADMIN. */
static void check_capability(const struct paths *paths, struct diagnostics *diagnostics) {
        if (!paths->enter || getxattr(paths->enter, "security.capability", NULL, 0) >= 0 || errno != ENODATA)
                return;
        diagnostics_warning(diagnostics, paths->enter, 0,
                "has no capability, so it works from inside a seat only, and no cron job can use it");
        diagnostics_advise(diagnostics, "setcap cap_sys_admin=p %s", paths->enter);
}

static void check_ipv6(
        const struct paths *paths, const struct settings *settings, struct diagnostics *diagnostics) {
        _cleanup_free_ char *path = NULL;

        if (!address6_is_set(&settings->network6))
                return;
        if (asprintf(&path, "%s/sys/net/ipv6", paths->proc) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, paths->etc, 0, "out of memory");
                return;
        }
        if (access(path, F_OK) < 0) {
                diagnostics_warning(
                        diagnostics, path, 0, "this kernel has no IPv6, so seats have none either");
                diagnostics_advise(diagnostics, "set network6 = off, or boot without ipv6.disable=1");
        }
}

static void error_done(sd_bus_error *error) {
        sd_bus_error_free(error);
}

/* Longer than RestartSec= of the daemons. */
#define RESTART_USEC UINT64_C(5000000)

static uint64_t now_usec(void) {
        struct timespec now = {0};

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* It has ended, systemd was about to start it again, and does not. */
static bool restart_is_stuck(sd_bus *bus, const char *unit) {
        _cleanup_free_ char *state = NULL;
        uint64_t since = unit_get_time(bus, unit, "StateChangeTimestampMonotonic");

        return since > 0 && now_usec() > since + RESTART_USEC &&
               unit_get_text(bus, unit, "Unit", "SubState", &state) >= 0 &&
               string_starts_with(state, "auto-restart");
}

/*
 * `systemctl cancel` may hit the job by which systemd starts a daemon again. The unit then stays
 * "activating", for which its socket does not start it. The activator does this for coursenet-worker.
 */
static void check_restarts(struct diagnostics *diagnostics) {
        static const struct {
                const char *unit, *effect;
        } daemons[] = {
                {"coursenet-activator.service", "so course users cannot log in"},
                {"coursenet-network.service", "so course users are not fenced outside of their seats"},
                {"coursenet-dns.service", "so seats get no answers to their DNS queries"},
        };
        _cleanup_unit_bus_ sd_bus *bus = NULL;

        if (sd_bus_open_system(&bus) < 0)
                return;
        for (size_t i = 0; i < ELEMENTSOF(daemons); i++)
                if (restart_is_stuck(bus, daemons[i].unit)) {
                        diagnostics_error(diagnostics, daemons[i].unit, 0,
                                "has ended, and its restart was cancelled or waits for another job, %s",
                                daemons[i].effect);
                        diagnostics_advise(diagnostics, "systemctl restart %s", daemons[i].unit);
                }
}

/* The name service starts with the first bridge, and is not needed before. */
static bool has_bridge(const struct unit_list *units) {
        for (size_t i = 0; i < units->n_units; i++)
                if (units->units[i].kind == UNIT_BRIDGE && units->units[i].state == UNIT_UP)
                        return true;
        return false;
}

static bool somebody_may_capture(const struct settings *settings) {
        bool any = settings->values.capture != CAPTURE_NO;

        for (size_t i = 0; i < settings->n_courses; i++)
                any |= settings->courses[i].values.capture != CAPTURE_NO;
        return any;
}

static void check_services(const struct site *site, struct diagnostics *diagnostics) {
        static const char network[] = "coursenet-network.service", dns[] = "coursenet-dns.service",
                          worker[] = "coursenet-worker.socket", capture[] = "coursenet-capture.socket";
        _cleanup_unit_list_ struct unit_list units = {0};

        if (unit_list_load(&units) < 0)
                return;
        if (site->n_courses > 0 && !unit_is_active(network)) {
                diagnostics_warning(diagnostics, network, 0,
                        "is not running, so course users are not fenced outside of their seats, and the "
                        "courses' network is not repaired when another program changes it");
                diagnostics_advise(diagnostics, "systemctl enable --now %s", network);
        }
        if (site->n_courses > 0 && !unit_is_active(worker)) {
                diagnostics_warning(diagnostics, worker, 0,
                        "is not running, so a login that starts a seat waits for the programs of the seat's "
                        "units");
                diagnostics_advise(diagnostics, "systemctl enable --now %s", worker);
        }
        if (somebody_may_capture(&site->settings) && !unit_is_active(capture)) {
                diagnostics_warning(diagnostics, capture, 0,
                        "is not running, so nobody can capture, although the settings allow it");
                diagnostics_advise(diagnostics, "systemctl enable --now %s", capture);
        }
        if (site->settings.dns.source != DNS_OFF && has_bridge(&units) && !unit_is_active(dns)) {
                diagnostics_warning(
                        diagnostics, dns, 0, "is not running, so seats get no answers to their DNS queries");
                diagnostics_advise(diagnostics, "systemctl start %s", dns);
        }
}

/* False also if systemd cannot be asked. */
static bool template_is_missing(sd_bus *bus, const char *name) {
        _cleanup_(error_done) sd_bus_error error = SD_BUS_ERROR_NULL;
        char template[SERVICE_NAME_SIZE + sizeof("@.service")];

        (void)snprintf(template, sizeof(template), "%s@.service", name);
        return sd_bus_call_method(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                       "org.freedesktop.systemd1.Manager", "GetUnitFileState", &error, NULL, "s",
                       template) == -ENOENT;
}

/* systemd ignores a missing unit that is wanted, and logs nothing. */
static void check_templates(const struct paths *paths, sd_bus *bus, const struct service_settings *services,
        unsigned line, struct diagnostics *diagnostics) {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "%s/" SETTINGS_FILE, paths->etc) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, paths->etc, 0, "out of memory");
                return;
        }
        for (size_t i = 0; i < services->n_units; i++)
                if (template_is_missing(bus, services->units[i])) {
                        diagnostics_error(diagnostics, path, line,
                                "units: there is no unit %s@.service, so it runs in no seat",
                                services->units[i]);
                        diagnostics_advise(diagnostics,
                                "put it into /etc/systemd/system, and run: systemctl daemon-reload");
                }
}

static void check_units(
        const struct paths *paths, const struct settings *settings, struct diagnostics *diagnostics) {
        _cleanup_unit_bus_ sd_bus *bus = NULL;
        unsigned site_line = settings_line(settings, NULL, "units");

        if (sd_bus_open_system(&bus) < 0)
                return;
        if (site_line > 0)
                check_templates(paths, bus, &settings->values.services, site_line, diagnostics);
        for (size_t i = 0; i < settings->n_courses; i++) {
                const struct course_settings *course = &settings->courses[i];
                unsigned line = settings_line(settings, course->course, "units");

                if (line != site_line)
                        check_templates(paths, bus, &course->values.services, line, diagnostics);
        }
}

static void check_limits(const struct paths *paths, const struct site *site, struct limits *ret_wanted,
        struct diagnostics *diagnostics) {
        _cleanup_free_ char *proc = NULL;
        struct limits_need need;
        struct limits limits;

        if (asprintf(&proc, "%s/sys", paths->proc) < 0) {
                proc = NULL;
                diagnostics_error(diagnostics, paths->etc, 0, "out of memory");
                return;
        }
        if (limits_count(site, &need) < 0)
                return;
        limits_read(proc, &limits);
        limits_check(&limits, &need, ret_wanted, diagnostics);
}

void host_check(const struct paths *paths, const struct site *site, struct limits *ret_wanted,
        struct diagnostics *diagnostics) {
        *ret_wanted = (struct limits){0};
        check_programs(paths, &site->settings, diagnostics);
        check_capability(paths, diagnostics);
        check_ipv6(paths, &site->settings, diagnostics);
        check_services(site, diagnostics);
        check_restarts(diagnostics);
        check_units(paths, &site->settings, diagnostics);
        check_limits(paths, site, ret_wanted, diagnostics);
        controller_check(paths, &site->settings, diagnostics);
}

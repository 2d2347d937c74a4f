/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* FRR, which tells the members by BGP where each seat is, as vtysh(1) shows it. */

#include <arpa/inet.h>

#include "base/frr-load.h"
#include "base/json.h"
#include "base/systemctl.h"
#include "base/unit-list.h"
#include "checks.h"

#define FRR "frr.service"
#define SITE_FILE "/etc/frr/frr.conf"
#define KEEPER "coursenet-frr.path" /* gives bgpd its part again */
#define EFFECT "so seats here do not reach those of their course on other members"

/* The number of the file's first line that is this one; 0: it has none. */
static unsigned find_line(const char *path, const char *wanted) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        _cleanup_free_ char *line = NULL;
        unsigned number = 0;
        size_t size = 0;

        while (file && getline(&line, &size, file) >= 0) {
                number++;
                line[strcspn(line, "\r\n")] = '\0';
                if (string_equal(line, wanted))
                        return number;
        }
        return 0;
}

/* FRR saves what the kernel had at that moment: off, if no course was up. */
static void check_saved(struct diagnostics *diagnostics) {
        static const char *const lines[] = {"no ip forwarding", "no ipv6 forwarding"};

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                unsigned line = find_line(SITE_FILE, lines[i]);

                if (line > 0)
                        diagnostics_warning(diagnostics, SITE_FILE, line,
                                "'%s' cuts seats off from other networks whenever FRR starts: remove the "
                                "line",
                                lines[i]);
        }
}

static bool file_has_part(void) {
        _cleanup_frr_router_ struct frr_router site = {0};
        _cleanup_fclose_ FILE *file = fopen(SITE_FILE, "re");

        return file && frr_router_read(file, &site) >= 0 && frr_router_has_group(&site);
}

/* What is loaded is not saved. */
static void check_kept(struct diagnostics *diagnostics) {
        static const char *const enabled[] = {"systemctl", "is-enabled", "--quiet", KEEPER, NULL};

        if (systemctl_run(enabled) <= 0 || file_has_part())
                return;
        diagnostics_warning(diagnostics, KEEPER, 0,
                "is not enabled, and " SITE_FILE
                " does not have what `coursenetctl hosts frr` prints: FRR forgets it when it starts again");
        diagnostics_advise(diagnostics, "systemctl enable --now " KEEPER);
}

static void report_no_answer(int error, struct diagnostics *diagnostics) {
        if (error == -ENOENT) {
                diagnostics_warning(diagnostics, FRR, 0, "FRR is not installed, " EFFECT);
                diagnostics_advise(diagnostics, "apt install frr");
        } else if (error == -ENOTCONN && find_line(FRR_DAEMONS_FILE, "bgpd=yes") == 0) {
                diagnostics_warning(diagnostics, FRR_DAEMONS_FILE, 0, "bgpd is not enabled, " EFFECT);
                diagnostics_advise(diagnostics, "set bgpd=yes, and run: systemctl restart frr");
        } else if (error == -ENOTCONN) {
                diagnostics_warning(diagnostics, FRR, 0, "bgpd does not answer, " EFFECT);
                diagnostics_advise(diagnostics, "systemctl restart frr");
        } else
                diagnostics_warning(diagnostics, FRR, 0, "vtysh cannot be run: %s", strerror(-error));
}

/* --- what is loaded ------------------------------------------------------------------------------ */

static void advise_apply(struct diagnostics *diagnostics) {
        diagnostics_advise(diagnostics, "coursenetctl hosts apply");
}

/* Whether there is no difference. The first one is enough: one command corrects all. */
static bool compare(
        const struct frr_router *wanted, const struct frr_router *loaded, struct diagnostics *diagnostics) {
        char address[INET_ADDRSTRLEN];

        for (size_t i = 0; i < wanted->n_lines; i++)
                if (!frr_router_fulfils(loaded, &wanted->lines[i]) &&
                        !frr_line_is_taken(loaded, &wanted->lines[i], address)) {
                        diagnostics_warning(diagnostics, FRR, 0, "bgpd has not loaded the line '%s', " EFFECT,
                                wanted->lines[i].text);
                        advise_apply(diagnostics);
                        return false;
                }
        for (size_t i = 0; i < loaded->n_lines; i++)
                if (frr_line_is_stale(wanted, &loaded->lines[i], address)) {
                        diagnostics_warning(diagnostics, FRR, 0,
                                "bgpd has a session with %s, which is not among the members any more",
                                address);
                        advise_apply(diagnostics);
                        return false;
                }
        return true;
}

/* --- what works ---------------------------------------------------------------------------------- */

/* The caller puts it. NULL: FRR does not say. */
static json_object *ask_json(const char *daemon, const char *command) {
        _cleanup_fclose_ FILE *output = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size = 0;

        if (frr_ask(daemon, command, &output) < 0 || getdelim(&text, &size, '\0', output) < 0)
                return NULL;
        return json_tokener_parse(text);
}

/* NULL: there is no such key. */
static json_object *get(json_object *object, const char *key) {
        json_object *value = NULL;

        if (json_object_is_type(object, json_type_object))
                (void)json_object_object_get_ex(object, key, &value);
        return value;
}

static void check_session(json_object *peers, const char *address, struct diagnostics *diagnostics) {
        json_object *state = get(get(peers, address), "state");
        const char *text =
                json_object_is_type(state, json_type_string) ? json_object_get_string(state) : "none";

        if (!string_equal(text, "Established"))
                diagnostics_warning(diagnostics, FRR, 0,
                        "the BGP session with %s is not established (%s), " EFFECT, address, text);
}

static void check_sessions(
        const struct settings *settings, const struct host_member *own, struct diagnostics *diagnostics) {
        const struct hosts_settings *hosts = &settings->hosts;
        _cleanup_json_ json_object *summary = ask_json("bgpd", "show bgp l2vpn evpn summary json");
        json_object *peers = get(summary, "peers");

        if (!summary)
                return;
        for (size_t i = 0; i < hosts->n_reflectors; i++)
                check_session(peers, hosts->reflectors[i], diagnostics);
        for (size_t i = 0; hosts->n_reflectors == 0 && i < hosts->n_members; i++) {
                struct host_member member = hosts_member(settings, i);
                char address[ADDRESS_TEXT_SIZE];

                if (member.address == own->address)
                        continue;
                address_format_ip(member.address, address);
                check_session(peers, address, diagnostics);
        }
}

static bool is_up(const struct unit_list *units, const char *course) {
        for (size_t i = 0; i < units->n_units; i++)
                if (units->units[i].kind == UNIT_BRIDGE && units->units[i].state == UNIT_UP &&
                        string_equal(units->units[i].instance, course))
                        return true;
        return false;
}

static void check_courses(const struct site *site, struct diagnostics *diagnostics) {
        _cleanup_unit_list_ struct unit_list units = {0};
        _cleanup_json_ json_object *known = NULL;

        if (unit_list_load(&units) < 0)
                return;
        known = ask_json("zebra", "show evpn vni json");
        for (size_t i = 0; known && i < site->n_courses; i++) {
                const struct bridge_plan *bridge = &site->courses[i].bridge;
                char vni[16];

                (void)snprintf(vni, sizeof(vni), "%u", bridge->vni);
                if (bridge->vni > 0 && is_up(&units, bridge->course) && !get(known, vni)) {
                        diagnostics_warning(diagnostics, FRR, 0,
                                "zebra does not know the VNI %s of course %s, which is up, " EFFECT, vni,
                                bridge->course);
                        diagnostics_advise(diagnostics, "systemctl restart frr");
                }
        }
}

/* ------------------------------------------------------------------------------------------------- */

void frr_check(const struct site *site, const struct host_member *own, struct diagnostics *diagnostics) {
        _cleanup_frr_router_ struct frr_router wanted = {0}, loaded = {0};
        int r = frr_read_running(&loaded);

        check_saved(diagnostics);
        if (r < 0) {
                report_no_answer(r, diagnostics);
                return;
        }
        check_kept(diagnostics);
        if (frr_config_make(&site->settings, own->address, &wanted) < 0)
                return;
        if (loaded.asn > 0 && loaded.asn != wanted.asn) {
                diagnostics_warning(diagnostics, FRR, 0,
                        "bgpd has the AS number %u, and [hosts] has asn = %u, " EFFECT, loaded.asn,
                        wanted.asn);
                advise_apply(diagnostics);
                return;
        }
        if (compare(&wanted, &loaded, diagnostics))
                check_sessions(&site->settings, own, diagnostics);
        check_courses(site, diagnostics);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a server needs that shares courses with others: the section [hosts]. */

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <sys/stat.h>

#include "base/unit-property.h"
#include "checks.h"
#include "version.h"

#define UNIT "coursenet-hosts.service"
#define ETHERNET_MTU 1500U
#define VXLAN_OVERHEAD 50U /* as in netsetup/verbs/stretch.c */

static size_t count_spread(const struct site *site) {
        size_t n = 0;

        for (size_t i = 0; i < site->n_courses; i++)
                n += site->courses[i].bridge.vni > 0;
        return n;
}

/* --- files ------------------------------------------------------------------------------------- */

/* As coursenet-hosts is: root without a capability, to which modes apply. */
static bool root_reads(const struct stat *st) {
        if (st->st_uid == 0)
                return st->st_mode & S_IRUSR;
        return st->st_mode & (st->st_gid == 0 ? S_IRGRP : S_IROTH);
}

/* "": there is none. is_key: it is secret. */
static void check_file(const char *path, bool is_key, struct diagnostics *diagnostics) {
        struct stat st;

        if (!path[0])
                return;
        if (stat(path, &st) < 0) {
                diagnostics_error(diagnostics, path, 0, "%m: the store cannot be reached without it");
                return;
        }
        if (!root_reads(&st)) {
                diagnostics_error(diagnostics, path, 0,
                        "cannot be read by coursenet-hosts, which is root without capabilities");
                diagnostics_advise(diagnostics, "chown root %s", path);
        }
        if (is_key && st.st_mode & (S_IRWXO | S_IWGRP)) {
                diagnostics_error(diagnostics, path, 0,
                        "others than its owner can use it, and could take over seats of all members");
                diagnostics_advise(diagnostics, "chmod g-w,o-rwx %s", path);
        } else if (st.st_mode & (S_IWGRP | S_IWOTH)) {
                diagnostics_error(diagnostics, path, 0, "group and others may not write to it");
                diagnostics_advise(diagnostics, "chmod go-w %s", path);
        }
}

static void check_files(const struct hosts_settings *hosts, struct diagnostics *diagnostics) {
        check_file(hosts->store_ca, false, diagnostics);
        check_file(hosts->store_cert, false, diagnostics);
        check_file(hosts->store_key, true, diagnostics);
}

/* --- the underlay ------------------------------------------------------------------------------ */

static bool is_address(const struct ifaddrs *entry, uint32_t address) {
        struct sockaddr_in in;

        if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET)
                return false;
        memcpy(&in, entry->ifa_addr, sizeof(in));
        return ntohl(in.sin_addr.s_addr) == address;
}

/* 0: it cannot be read. */
static unsigned read_mtu(const char *link) {
        char path[sizeof("/sys/class/net//mtu") + IFNAMSIZ];
        _cleanup_fclose_ FILE *file = NULL;
        unsigned mtu = 0;

        (void)snprintf(path, sizeof(path), "/sys/class/net/%s/mtu", link);
        file = fopen(path, "re");
        return file && fscanf(file, "%u", &mtu) == 1 ? mtu : 0;
}

static void check_underlay(const char *path, const struct settings *settings, const struct host_member *own,
        struct diagnostics *diagnostics) {
        unsigned line = settings_line(settings, NULL, "members"), mtu;
        struct ifaddrs *all, *found;
        char address[ADDRESS_TEXT_SIZE];

        if (getifaddrs(&all) < 0)
                return;
        for (found = all; found && !is_address(found, own->address);)
                found = found->ifa_next;
        address_format_ip(own->address, address);
        if (!found)
                diagnostics_error(diagnostics, path, line,
                        "no link of this server has the address %s, which members gives to %s", address,
                        own->name);
        else if (!(found->ifa_flags & IFF_LOOPBACK) && (mtu = read_mtu(found->ifa_name)) > 0 &&
                 mtu < ETHERNET_MTU)
                diagnostics_warning(diagnostics, path, line,
                        "%s, which has the address %s, has an MTU of %u, so seats of shared courses have %u",
                        found->ifa_name, address, mtu, mtu - VXLAN_OVERHEAD);
        freeifaddrs(all);
}

/* --- the daemon ---------------------------------------------------------------------------------- */

/* True also if systemd cannot be asked. */
static bool is_enabled(void) {
        _cleanup_unit_bus_ sd_bus *bus = NULL;
        _cleanup_free_ char *state = NULL;

        if (sd_bus_open_system(&bus) < 0 || unit_get_text(bus, UNIT, "Unit", "UnitFileState", &state) < 0)
                return true;
        return string_starts_with(state, "enabled");
}

static void check_daemon(const char *path, const struct paths *paths, const struct settings *settings,
        struct diagnostics *diagnostics) {
        _cleanup_hosts_list_ struct hosts_list list = {0};
        int r;

        if (!unit_is_active(UNIT)) {
                diagnostics_error(
                        diagnostics, UNIT, 0, "is not running, so no seat of a shared course starts here");
                diagnostics_advise(diagnostics, "systemctl enable --now " UNIT);
                return;
        }
        if (!is_enabled()) {
                diagnostics_warning(diagnostics, UNIT, 0,
                        "is not enabled, so no seat of a shared course starts here after the next boot");
                diagnostics_advise(diagnostics, "systemctl enable " UNIT);
        }
        r = hosts_list_ask(paths->hosts_socket, settings->course_digits, &list);
        if (r < 0) {
                diagnostics_error(diagnostics, UNIT, 0, "does not answer: %s", strerror(-r));
                diagnostics_advise(diagnostics, "systemctl restart " UNIT);
        } else
                member_check(path, &list, COURSENET_VERSION, diagnostics);
}

/* ------------------------------------------------------------------------------------------------- */

void hosts_check(const struct paths *paths, const struct site *site, struct diagnostics *diagnostics) {
        const struct settings *settings = &site->settings;
        struct host_member own;
        char path[512], reason[512];

        if (!hosts_configured(settings))
                return;
        (void)snprintf(path, sizeof(path), "%s/" SETTINGS_FILE, paths->etc);
        if (hosts_own(settings, &own, reason, sizeof(reason)) < 0) {
                diagnostics_error(diagnostics, path, settings_line(settings, NULL, "members"), "%s", reason);
                return;
        }
        if (count_spread(site) == 0)
                diagnostics_warning(diagnostics, path, settings_line(settings, NULL, "members"),
                        "no course that has a roster is shared: none has spread = yes");
        check_files(&settings->hosts, diagnostics);
        check_underlay(path, settings, &own, diagnostics);
        check_daemon(path, paths, settings, diagnostics);
        frr_check(site, &own, diagnostics);
}

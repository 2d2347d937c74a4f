/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What resolved is told belongs to the bridge as a link, and is gone with it. The order matters: a link that
 * has a server but no domain would be asked about everything, and our name service would ask resolved back.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include "link.h"
#include "program.h"
#include "resolved.h"
#include "ruleset.h"
#include "runtime-file.h"

#define RECORD_PATH_SIZE 64U

/* Its socket stays behind when it has ended. To ask resolvectl would have D-Bus try to start it. */
bool resolved_is_running(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = RESOLVED_SOCKET};
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) >= 0;
}

/* resolved keeps there what it was told of a link, over its own restarts too. */
static void record_path(int index, char ret[static RECORD_PATH_SIZE]) {
        (void)snprintf(ret, RECORD_PATH_SIZE, "/run/systemd/resolve/netif/%d", index);
}

/* The value of a variable, which goes up to the end of its line; NULL if it is not there. */
static const char *find_value(const char *record, const char *variable) {
        for (const char *line = record; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (string_starts_with(line, variable) && line[strlen(variable)] == '=')
                        return line + strlen(variable) + 1;
        }
        return NULL;
}

/* We give it one domain, so another beside it is one of before. */
bool resolved_record_has(const char *record, const char *domain) {
        const char *domains = find_value(record, "DOMAINS"), *servers = find_value(record, "SERVERS");
        size_t length = strlen(domain);

        return domains && domains[0] == '~' && strcspn(domains + 1, "\n") == length &&
               strncasecmp(domains + 1, domain, length) == 0 && servers && strcspn(servers, "\n") > 0;
}

static bool resolved_knows(int index, const char *domain) {
        _cleanup_free_ char *text = NULL;
        char path[RECORD_PATH_SIZE];

        record_path(index, path);
        return runtime_file_read(path, &text) >= 0 && resolved_record_has(text, domain);
}

/* "~" before a domain: queries for it go to this link, but it is no search domain. */
static int tell(const struct bridge_plan *bridge, const char *domain) {
        char server[ADDRESS_TEXT_SIZE + 8], address[ADDRESS_TEXT_SIZE], routed[DOMAIN_SIZE + 1];
        const char *const commands[][5] = {
                {"resolvectl", "default-route", bridge->name, "no"},
                {"resolvectl", "llmnr", bridge->name, "no"},
                {"resolvectl", "mdns", bridge->name, "no"},
                {"resolvectl", "dnssec", bridge->name, "no"},
                {"resolvectl", "domain", bridge->name, routed},
                {"resolvectl", "dns", bridge->name, server},
        };
        int r = 0;

        address_format_ip(bridge->address.ip, address);
        (void)snprintf(server, sizeof(server), "%s:%u", address, RULESET_DNS_PORT);
        (void)snprintf(routed, sizeof(routed), "~%s", domain);
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(commands); i++)
                r = program_run(commands[i]);
        return r;
}

void resolved_update(const struct site *site, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};

        if (!resolved_is_running() || link_open(&socket) < 0)
                return;
        for (size_t i = 0; i < site->n_courses; i++) {
                const struct bridge_plan *bridge = &site->courses[i].bridge;
                char domain[DOMAIN_SIZE];
                struct link link;

                settings_domain(&site->settings, bridge->course, domain);
                if (link_find(&socket, bridge->name, "bridge", &link) == LINK_OURS &&
                        !resolved_knows(link.index, domain) && tell(bridge, domain) != 0)
                        diagnostics_warning(diagnostics, bridge->name, 0,
                                "systemd-resolved does not take our name service for %s: where the host "
                                "resolves with it, the names of these seats are unknown",
                                domain);
        }
}

void resolved_forget(struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_links_ struct links bridges = {0};

        if (!resolved_is_running() || link_open(&socket) < 0 ||
                link_list_ours(&socket, "bridge", &bridges) < 0)
                return;
        for (size_t i = 0; i < bridges.n_items; i++) {
                const struct link *bridge = &bridges.items[i];
                char path[RECORD_PATH_SIZE];

                record_path(bridge->index, path);
                if (access(path, F_OK) >= 0 &&
                        program_run((const char *[]){"resolvectl", "revert", bridge->name, NULL}) != 0)
                        diagnostics_warning(diagnostics, bridge->name, 0,
                                "systemd-resolved does not forget our name service, which is off: run "
                                "`resolvectl revert %s`",
                                bridge->name);
        }
}

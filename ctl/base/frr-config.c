/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>

#include "frr-config.h"

#define NEIGHBOR "neighbor "
#define IN_GROUP " peer-group " FRR_GROUP
#define OF_GROUP NEIGHBOR FRR_GROUP " "
#define GROUP NEIGHBOR FRR_GROUP " peer-group"
#define ROUTER_ID "bgp router-id "
#define NO_UNICAST "no " OF_GROUP "activate"
#define NO_DEFAULT "no bgp default ipv4-unicast"
#define ALL_VNI "advertise-all-vni"
#define NO_DETECTION "no dup-addr-detection"

void frr_router_done(struct frr_router *router) {
        free(router->lines);
        *router = (struct frr_router){0};
}

/* Cuts what does not fit: no line of coursenet is so long. */
static int add(struct frr_router *router, enum frr_family family, const char *text) {
        struct frr_line *lines = reallocarray(router->lines, router->n_lines + 1, sizeof(struct frr_line));

        if (!lines)
                return -ENOMEM;
        router->lines = lines;
        lines[router->n_lines] = (struct frr_line){.family = family};
        (void)snprintf(lines[router->n_lines].text, sizeof(lines->text), "%s", text);
        router->n_lines++;
        return 0;
}

/* --- what is wanted -------------------------------------------------------------------------- */

static _printf_(3, 4) int add_format(
        struct frr_router *router, enum frr_family family, const char *format, ...) {
        char text[sizeof(((struct frr_line *)NULL)->text)];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        return add(router, family, text);
}

static int add_neighbours(const struct settings *settings, uint32_t own, struct frr_router *router) {
        const struct hosts_settings *hosts = &settings->hosts;
        char address[ADDRESS_TEXT_SIZE];
        int r = 0;

        for (size_t i = 0; i < hosts->n_reflectors && r >= 0; i++)
                r = add_format(router, FRR_ROUTER, NEIGHBOR "%s" IN_GROUP, hosts->reflectors[i]);
        for (size_t i = 0; hosts->n_reflectors == 0 && i < hosts->n_members && r >= 0; i++) {
                struct host_member member = hosts_member(settings, i);

                if (member.address == own)
                        continue;
                address_format_ip(member.address, address);
                r = add_format(router, FRR_ROUTER, NEIGHBOR "%s" IN_GROUP, address);
        }
        return r;
}

/* The routes of a member that has crashed go after 9 s, and a member that boots late does not wait for two
 * minutes. */
static int add_group(struct frr_router *router, const char *own) {
        if (add_format(router, FRR_ROUTER, ROUTER_ID "%s", own) < 0 || add(router, FRR_ROUTER, GROUP) < 0 ||
                add_format(router, FRR_ROUTER, OF_GROUP "remote-as %u", router->asn) < 0 ||
                add_format(router, FRR_ROUTER, OF_GROUP "update-source %s", own) < 0 ||
                add(router, FRR_ROUTER, OF_GROUP "timers 3 9") < 0 ||
                add(router, FRR_ROUTER, OF_GROUP "timers connect 5") < 0)
                return -ENOMEM;
        return 0;
}

static int add_families(struct frr_router *router) {
        if (add(router, FRR_UNICAST, NO_UNICAST) < 0 || add(router, FRR_EVPN, OF_GROUP "activate") < 0 ||
                add(router, FRR_EVPN, ALL_VNI) < 0 || add(router, FRR_EVPN, NO_DETECTION) < 0)
                return -ENOMEM;
        return 0;
}

int frr_config_make(const struct settings *settings, uint32_t own, struct frr_router *ret) {
        _cleanup_frr_router_ struct frr_router router = {.asn = settings->hosts.asn};
        char address[ADDRESS_TEXT_SIZE];

        address_format_ip(own, address);
        if (add_group(&router, address) < 0 || add_neighbours(settings, own, &router) < 0 ||
                add_families(&router) < 0)
                return -ENOMEM;
        *ret = router;
        router = (struct frr_router){0};
        return 0;
}

/* --- what is loaded -------------------------------------------------------------------------- */

static enum frr_family family_of(const char *name) {
        if (string_equal(name, "ipv4 unicast"))
                return FRR_UNICAST;
        return string_equal(name, "l2vpn evpn") ? FRR_EVPN : FRR_OTHER;
}

/* "router bgp 65000", and nothing behind it: of the default VRF. */
static unsigned parse_asn(const char *line) {
        static const char head[] = "router bgp ";
        char *end;
        unsigned long asn;

        if (!string_starts_with(line, head))
                return 0;
        asn = strtoul(line + strlen(head), &end, 10);
        return *end == '\0' && asn <= UINT32_MAX ? (unsigned)asn : 0;
}

static char *trim(char *line) {
        size_t n = strlen(line);

        while (n > 0 && strchr(" \t\r\n", line[n - 1]))
                line[--n] = '\0';
        return line + strspn(line, " \t");
}

/* A line inside of `router bgp`, without blanks around it. */
static int read_inside(const char *line, enum frr_family *family, struct frr_router *router) {
        static const char enters[] = "address-family ";

        if (string_starts_with(line, enters)) {
                *family = family_of(line + strlen(enters));
                return 0;
        }
        if (string_equal(line, "exit-address-family")) {
                *family = FRR_ROUTER;
                return 0;
        }
        return line[0] == '\0' || line[0] == '!' ? 0 : add(router, *family, line);
}

int frr_router_read(FILE *file, struct frr_router *ret) {
        _cleanup_frr_router_ struct frr_router router = {0};
        _cleanup_free_ char *line = NULL;
        enum frr_family family = FRR_ROUTER;
        bool inside = false;
        size_t size = 0;
        int r = 0;

        while (r >= 0 && getline(&line, &size, file) >= 0) {
                bool indented = line[0] == ' ';
                char *text = trim(line);

                if (!indented && text[0] != '\0' && text[0] != '!') {
                        unsigned asn = parse_asn(text);

                        inside = asn > 0;
                        family = FRR_ROUTER;
                        if (inside)
                                router.asn = asn;
                } else if (inside)
                        r = read_inside(text, &family, &router);
        }
        if (r >= 0 && ferror(file))
                r = -EIO;
        if (r < 0)
                return r;
        *ret = router;
        router = (struct frr_router){0};
        return 0;
}

bool frr_router_has(const struct frr_router *router, enum frr_family family, const char *text) {
        for (size_t i = 0; i < router->n_lines; i++)
                if (router->lines[i].family == family && string_equal(router->lines[i].text, text))
                        return true;
        return false;
}

static bool has_beginning(const struct frr_router *router, const char *head) {
        for (size_t i = 0; i < router->n_lines; i++)
                if (router->lines[i].family == FRR_ROUTER && string_starts_with(router->lines[i].text, head))
                        return true;
        return false;
}

/* --- both ------------------------------------------------------------------------------------ */

/* A router id of the site's own choice is as good. Where IPv4 is off by default, FRR does not print that it
 * is off for the group. */
bool frr_router_fulfils(const struct frr_router *loaded, const struct frr_line *wanted) {
        if (frr_router_has(loaded, wanted->family, wanted->text))
                return true;
        if (string_starts_with(wanted->text, ROUTER_ID))
                return has_beginning(loaded, ROUTER_ID);
        return string_equal(wanted->text, NO_UNICAST) && frr_router_has(loaded, FRR_ROUTER, NO_DEFAULT);
}

/* "neighbor ADDRESS peer-group coursenet" */
static bool parse_neighbour(const char *text, char ret[static INET_ADDRSTRLEN]) {
        size_t n;

        if (!string_starts_with(text, NEIGHBOR))
                return false;
        text += strlen(NEIGHBOR);
        n = strcspn(text, " ");
        if (n >= INET_ADDRSTRLEN || !string_equal(text + n, IN_GROUP))
                return false;
        memcpy(ret, text, n);
        ret[n] = '\0';
        return true;
}

bool frr_line_is_taken(
        const struct frr_router *loaded, const struct frr_line *wanted, char ret[static INET_ADDRSTRLEN]) {
        char head[sizeof(NEIGHBOR) + INET_ADDRSTRLEN];

        if (wanted->family != FRR_ROUTER || !parse_neighbour(wanted->text, ret) ||
                frr_router_has(loaded, FRR_ROUTER, wanted->text))
                return false;
        (void)snprintf(head, sizeof(head), NEIGHBOR "%s ", ret);
        return has_beginning(loaded, head);
}

bool frr_line_is_stale(
        const struct frr_router *wanted, const struct frr_line *loaded, char ret[static INET_ADDRSTRLEN]) {
        return loaded->family == FRR_ROUTER && parse_neighbour(loaded->text, ret) &&
               !frr_router_has(wanted, FRR_ROUTER, loaded->text);
}

bool frr_router_has_active(const struct frr_router *loaded, const char *address) {
        char text[sizeof(NEIGHBOR) + INET_ADDRSTRLEN + sizeof(" activate")];

        (void)snprintf(text, sizeof(text), NEIGHBOR "%s activate", address);
        return frr_router_has(loaded, FRR_EVPN, text);
}

bool frr_router_has_group(const struct frr_router *loaded) {
        return frr_router_has(loaded, FRR_ROUTER, GROUP);
}

/* The rest of coursenet's lines are in the peer group, or mean nothing without it. */
void frr_removal_print(const struct frr_router *loaded, const struct frr_router *before, FILE *file) {
        if (frr_router_is_ours(loaded)) {
                (void)fprintf(file, "no router bgp %u\n", loaded->asn);
                return;
        }
        (void)fprintf(file, "router bgp %u\n no " GROUP "\n", loaded->asn);
        for (size_t i = 0; i < before->n_lines; i++)
                if (string_starts_with(before->lines[i].text, ROUTER_ID))
                        (void)fprintf(file, " no %s\n", before->lines[i].text);
        (void)fputs(" address-family l2vpn evpn\n", file);
        if (frr_router_has(before, FRR_EVPN, NO_DETECTION))
                (void)fputs("  dup-addr-detection\n", file);
        if (frr_router_has(before, FRR_EVPN, ALL_VNI))
                (void)fputs("  no " ALL_VNI "\n", file);
        (void)fputs(" exit-address-family\nexit\n", file);
}

bool frr_router_is_ours(const struct frr_router *loaded) {
        static const char *const ours[] = {
                ROUTER_ID, OF_GROUP, NO_UNICAST, ALL_VNI, NO_DETECTION, NO_DEFAULT};
        char address[INET_ADDRSTRLEN];

        for (size_t i = 0; i < loaded->n_lines; i++) {
                const char *text = loaded->lines[i].text;
                bool is_ours = parse_neighbour(text, address);

                for (size_t k = 0; k < ELEMENTSOF(ours); k++)
                        is_ours |= string_starts_with(text, ours[k]);
                if (!is_ours)
                        return false;
        }
        return frr_router_has_group(loaded);
}

/* What is loaded is the site's own, unless coursenet has loaded them before. */
static bool is_to_print(
        const struct frr_line *line, const struct frr_router *loaded, const struct frr_router *before) {
        char address[INET_ADDRSTRLEN];

        if (!loaded || frr_router_has(before, line->family, line->text))
                return true;
        return !frr_router_fulfils(loaded, line) && !frr_line_is_taken(loaded, line, address);
}

static void print_family(const struct frr_router *wanted, const struct frr_router *loaded,
        const struct frr_router *before, enum frr_family family, const char *indent, FILE *file) {
        for (size_t i = 0; i < wanted->n_lines; i++)
                if (wanted->lines[i].family == family && is_to_print(&wanted->lines[i], loaded, before))
                        (void)fprintf(file, "%s%s\n", indent, wanted->lines[i].text);
}

void frr_config_print(const struct frr_router *wanted, const struct frr_router *loaded,
        const struct frr_router *before, FILE *file) {
        (void)fprintf(file,
                "! FRR's part of coursenet, made from [hosts] of coursenet.conf. `coursenetctl hosts apply`\n"
                "! loads it. Changes in this file are lost.\n"
                "!\n"
                "! The gateway of a course has the same address on all members. Without a router id of its\n"
                "! own, FRR could take that address for it, and members with one id refuse each other.\n"
                "!\n"
                "router bgp %u\n",
                wanted->asn);
        print_family(wanted, loaded, before, FRR_ROUTER, " ", file);
        (void)fputs(" !\n address-family ipv4 unicast\n", file);
        print_family(wanted, loaded, before, FRR_UNICAST, "  ", file);
        (void)fputs(
                " exit-address-family\n"
                " !\n"
                "! A student may log in on one member after the other as often as they like, which would\n"
                "! look like a duplicate address. That no address is live twice is ensured before, by the\n"
                "! claims of coursenet-hosts.\n"
                " address-family l2vpn evpn\n",
                file);
        print_family(wanted, loaded, before, FRR_EVPN, "  ", file);
        (void)fputs(" exit-address-family\nexit\n", file);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Computes what the network of a course or of a seat should look like, from the settings and the
 * administrator's override files. Applies nothing: the netsetup programs do. Each of their verbs loads a
 * plan, and so does the activator at a login.
 */

#include "plan.h"
#include "hosts.h"
#include "number.h"
#include "setting-value.h"
#include "trusted-file.h"

/* Marks the address of a guest, above the six digits of its course: see place_seat6(). */
#define GUEST_MARK 0x0c000000UL

_Static_assert(COURSE_DIGITS_MAX <= 6, "a course's digits would run into the guest mark");

/* A variable of an override file, and where it is set. */
struct override {
        const char *name; /* BR_IP, BR or VR_IP */
        char *value;      /* borrowed from the text; NULL: not set */
        unsigned line;
};

struct override_file {
        char *path;
        char *text;
};

static void override_file_done(struct override_file *file) {
        free(file->path);
        free(file->text);
}

/* Strips blanks and one pair of quotes, as systemd does in an EnvironmentFile=. */
static char *strip(char *text) {
        size_t length;

        text += strspn(text, " \t");
        length = strlen(text);
        while (length > 0 && strchr(" \t\r", text[length - 1]))
                text[--length] = '\0';
        if (length >= 2 && (text[0] == '"' || text[0] == '\'') && text[length - 1] == text[0]) {
                text[length - 1] = '\0';
                text++;
        }
        return text;
}

static struct override *find_override(struct override *overrides, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (string_equal(overrides[i].name, name))
                        return &overrides[i];
        return NULL;
}

static void parse_override_line(char *text, const char *path, unsigned line, struct override *overrides,
        size_t n, struct diagnostics *diagnostics) {
        struct override *override;
        char *value, *name = strip(text);

        if (name[0] == '\0' || name[0] == '#' || name[0] == ';')
                return;

        value = strchr(name, '=');
        if (!value) {
                diagnostics_error(diagnostics, path, line, "'%s': expected NAME=VALUE", name);
                return;
        }
        *value++ = '\0';
        name = strip(name);

        override = find_override(overrides, n, name);
        if (!override) {
                /* Other variables are allowed, for an administrator's own units. */
                if (string_equal(name, "BR_IP") || string_equal(name, "BR") || string_equal(name, "VR_IP"))
                        diagnostics_error(diagnostics, path, line,
                                "%s does not belong here: set VR_IP and BR in ns<SEAT>.conf, BR_IP there or "
                                "in bridge-<COURSE>.conf",
                                name);
                return;
        }
        override->value = strip(value);
        override->line = line;
}

/* A missing file overrides nothing, and is no error. Values are borrowed from *file. */
static int load_overrides(const char *etc, const char *stem, const char *id, struct override_file *file,
        struct override *overrides, size_t n, struct diagnostics *diagnostics) {
        size_t n_errors = diagnostics->n_errors;
        const char *reason;
        unsigned line = 0;
        char *next;
        int r;

        if (asprintf(&file->path, "%s/" OVERRIDE_DIRECTORY "/%s%s.conf", etc, stem, id) < 0) {
                file->path = NULL;
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return -ENOMEM;
        }

        r = trusted_file_read(file->path, &file->text, &reason);
        if (r == -ENOENT)
                return 0;
        if (r < 0) {
                diagnostics_error(diagnostics, file->path, 0, "%s", reason);
                return r;
        }

        next = file->text;
        for (char *text; (text = strsep(&next, "\n"));)
                parse_override_line(text, file->path, ++line, overrides, n, diagnostics);

        return diagnostics->n_errors > n_errors ? -EINVAL : 0;
}

/* Sets *address if the override is set. */
static int apply_address(const struct override *override, const char *path, unsigned default_prefix,
        struct address *address, struct diagnostics *diagnostics) {
        struct address parsed;

        if (!override->value)
                return 0;
        if (address_parse(override->value, default_prefix, &parsed) < 0) {
                diagnostics_error(diagnostics, path, override->line,
                        "%s=%s: expected an IPv4 address, such as 10.0.123.1 or 10.0.123.1/24",
                        override->name, override->value);
                return -EINVAL;
        }
        if (parsed.prefix < SUBNET_PREFIX_MIN || parsed.prefix > SUBNET_PREFIX_MAX) {
                diagnostics_error(diagnostics, path, override->line, "%s=%s: expected a prefix from %u to %u",
                        override->name, override->value, SUBNET_PREFIX_MIN, SUBNET_PREFIX_MAX);
                return -EINVAL;
        }
        if (parsed.ip == address_network(&parsed) || parsed.ip == (parsed.ip | ~prefix_mask(parsed.prefix))) {
                diagnostics_error(diagnostics, path, override->line,
                        "%s=%s: expected the address of a host; this is the subnet's first or last "
                        "(broadcast) address",
                        override->name, override->value);
                return -EINVAL;
        }
        *address = parsed;
        return 0;
}

void bridge_plan_name(const char *course, struct bridge_plan *ret) {
        *ret = (struct bridge_plan){0};
        (void)string_copy(ret->course, sizeof(ret->course), course);
        (void)snprintf(ret->name, sizeof(ret->name), "br-%s", ret->course);
        (void)snprintf(ret->vxlan, sizeof(ret->vxlan), "vx-%s", ret->course);
}

const char *bridge_course(const char *name) {
        const char *course = string_starts_with(name, "br-") ? name + strlen("br-") : "";

        return digits_only(course) && strlen(course) < COURSE_SIZE ? course : NULL;
}

void seat_plan_name(const char *seat, struct seat_plan *ret) {
        *ret = (struct seat_plan){0};
        (void)string_copy(ret->name, sizeof(ret->name), seat);
        (void)snprintf(ret->link, sizeof(ret->link), "vl-%s", ret->name);
        (void)snprintf(ret->peer, sizeof(ret->peer), "vr-%s", ret->name);
        (void)snprintf(ret->netns, sizeof(ret->netns), "ns%s", ret->name);
}

void bridge_plan_set_traffic(const struct settings *settings, struct bridge_plan *plan) {
        plan->traffic = settings_for_course(settings, plan->course)->traffic;
        if (plan->traffic.nat6 == CHOICE_UNSET)
                plan->traffic.nat6 = address6_is_unique_local(&plan->address6) ? CHOICE_YES : CHOICE_NO;
}

/* Where the bridge of a spread course ends on this member. */
static int set_underlay(const char *etc, const struct settings *settings, struct bridge_plan *plan,
        struct diagnostics *diagnostics) {
        struct host_member own;
        char reason[256];
        int r;

        plan->vni = settings_course_vni(settings, plan->course);
        if (plan->vni == 0)
                return 0;
        r = hosts_own(settings, &own, reason, sizeof(reason));
        if (r < 0) {
                diagnostics_error(diagnostics, etc, 0, "course %s: %s", plan->course, reason);
                return r;
        }
        plan->underlay = own.address;
        return 0;
}

int bridge_plan_load(const char *etc, const struct settings *settings, const char *course,
        struct bridge_plan *ret, struct diagnostics *diagnostics) {
        _cleanup_(override_file_done) struct override_file file = {0};
        struct override overrides[] = {{.name = "BR_IP"}};
        struct bridge_plan plan;
        struct address6 subnet6;
        struct address subnet;
        char reason[256];
        int r;

        if (settings_check_course(settings, course, reason, sizeof(reason)) < 0 ||
                settings_course_subnet(settings, course, &subnet, reason, sizeof(reason)) < 0 ||
                settings_course_subnet6(settings, course, &subnet6, reason, sizeof(reason)) < 0) {
                diagnostics_error(diagnostics, etc, 0, "course %s: %s", course, reason);
                return -EINVAL;
        }

        bridge_plan_name(course, &plan);
        plan.address = (struct address){.ip = subnet.ip + 1U, .prefix = subnet.prefix};
        plan.address6 = subnet6;
        if (address6_is_set(&subnet6))
                plan.address6.bytes[15] = 1;
        bridge_plan_set_traffic(settings, &plan);
        r = set_underlay(etc, settings, &plan, diagnostics);
        if (r < 0)
                return r;

        r = load_overrides(etc, "bridge-", course, &file, overrides, ELEMENTSOF(overrides), diagnostics);
        if (r < 0)
                return r;
        r = apply_address(&overrides[0], file.path, subnet.prefix, &plan.address, diagnostics);
        if (r < 0)
                return r;
        plan.mac = mac_of_host(plan.address.ip);

        *ret = plan;
        return 0;
}

/* BR: which bridge the seat is on. br-COURSE is a course's, and its netbr@ unit makes it. */
static int apply_bridge(const struct override *override, const char *path, const struct settings *settings,
        struct seat_plan *plan, struct diagnostics *diagnostics) {
        char reason[256];
        const char *course;

        if (!override->value)
                return 0;
        if (!link_name_valid(override->value)) {
                diagnostics_error(diagnostics, path, override->line,
                        "BR=%s: expected the name of a bridge, such as br-%s", override->value,
                        plan->id.course);
                return -EINVAL;
        }

        (void)string_copy(plan->bridge, sizeof(plan->bridge), override->value);
        course = string_starts_with(override->value, "br-") ? override->value + strlen("br-") : "";
        if (settings_check_course(settings, course, reason, sizeof(reason)) < 0)
                course = "";
        (void)string_copy(plan->bridge_course, sizeof(plan->bridge_course), course);
        return 0;
}

/* The last line that sets an override, for an error that no single line causes. 0: none is set. */
static unsigned last_line(const struct override *overrides, size_t n) {
        unsigned line = 0;

        for (size_t i = 0; i < n; i++)
                if (overrides[i].line > line)
                        line = overrides[i].line;
        return line;
}

/* Checks the values against each other, whether computed or set. */
static int check_seat(
        const struct seat_plan *plan, const char *path, unsigned line, struct diagnostics *diagnostics) {
        char address[ADDRESS_TEXT_SIZE], gateway[ADDRESS_TEXT_SIZE];

        address_format(&plan->address, address);
        address_format_ip(plan->gateway, gateway);

        if (plan->address.ip == plan->gateway) {
                diagnostics_error(diagnostics, path, line,
                        "seat %s has its gateway's address, %s: change VR_IP or BR_IP", plan->name, gateway);
                return -EINVAL;
        }
        if (!address_contains(&plan->address, plan->gateway)) {
                diagnostics_error(diagnostics, path, line,
                        "the gateway %s is not in the subnet of seat %s, %s: change VR_IP or BR_IP", gateway,
                        plan->name, address);
                return -EINVAL;
        }
        return 0;
}

/* Computes the seat's address in the subnet of its course's bridge. With a VR_IP it needs no place there. */
static int place_seat(const char *etc, const struct bridge_plan *bridge, const struct override *own_address,
        struct seat_plan *plan, struct diagnostics *diagnostics) {
        uint32_t network = address_network(&bridge->address);
        unsigned last = (1U << (32U - bridge->address.prefix)) - 2U;

        plan->gateway = bridge->address.ip;
        if (own_address->value)
                return 0;
        if (plan->id.number > last) {
                diagnostics_error(diagnostics, etc, 0,
                        "seat %s: the /%u of course %s ends at seat number %u (set prefix, or subnet in "
                        "[course %s])",
                        plan->name, bridge->address.prefix, plan->id.course, last, plan->id.course);
                return -ERANGE;
        }
        plan->address = (struct address){.ip = network + plan->id.number, .prefix = bridge->address.prefix};
        return 0;
}

static void write_number(uint8_t *bytes, unsigned long number) {
        bytes[0] = (uint8_t)(number >> 24);
        bytes[1] = (uint8_t)(number >> 16);
        bytes[2] = (uint8_t)(number >> 8);
        bytes[3] = (uint8_t)number;
}

/*
 * Computes the seat's address in the IPv6 subnet of the bridge that it is on. The address ends in the decimal
 * digits of its number: seat 10 has ::10. A guest from another course has its course before the number,
 * because a seat of the bridge's course may have the same number: seat 10 of course 123 has ::c00:123:0:10.
 * c00 distinguishes a guest from course 000 as well, so that no two seats have one address.
 */
static void place_seat6(const struct bridge_plan *bridge, struct seat_plan *plan) {
        char number[16];

        if (!address6_is_set(&bridge->address6))
                return;

        plan->gateway6 = bridge->address6;
        plan->address6 = address6_network(&bridge->address6);
        (void)snprintf(number, sizeof(number), "%u", plan->id.number);
        write_number(plan->address6.bytes + 12, strtoul(number, NULL, 16));
        if (!string_equal(bridge->course, plan->id.course))
                write_number(plan->address6.bytes + 8, GUEST_MARK | strtoul(plan->id.course, NULL, 16));
}

/*
 * A seat on another course's bridge has that course's gateways, unless its file sets one. On a bridge of the
 * administrator's, coursenet has no gateway: IPv6 and name service there are the administrator's task.
 */
static int join_bridge(const char *etc, const struct settings *settings, const struct bridge_plan *own,
        struct seat_plan *plan, struct diagnostics *diagnostics) {
        struct bridge_plan other;
        int r;

        if (plan->bridge_course[0] == '\0')
                return 0;

        plan->dns = settings->dns.source != DNS_OFF;
        plan->spread = settings_course_vni(settings, plan->bridge_course) > 0;
        if (string_equal(plan->bridge_course, own->course)) {
                place_seat6(own, plan);
                return 0;
        }

        r = bridge_plan_load(etc, settings, plan->bridge_course, &other, diagnostics);
        if (r < 0)
                return r;
        plan->gateway = other.address.ip;
        place_seat6(&other, plan);
        return 0;
}

int seat_plan_load(const char *etc, const struct settings *settings, const struct seat_id *id,
        struct seat_plan *ret, struct diagnostics *diagnostics) {
        enum {
                BR,
                BR_IP,
                VR_IP
        };
        _cleanup_(override_file_done) struct override_file file = {0};
        struct override overrides[] = {
                [BR] = {.name = "BR"}, [BR_IP] = {.name = "BR_IP"}, [VR_IP] = {.name = "VR_IP"}};
        char name[SEAT_ID_SIZE];
        struct bridge_plan bridge;
        struct address gateway;
        struct seat_plan plan;
        int r;

        r = bridge_plan_load(etc, settings, id->course, &bridge, diagnostics);
        if (r < 0)
                return r;

        seat_id_format(id, name);
        seat_plan_name(name, &plan);
        plan.id = *id;
        (void)string_copy(plan.bridge, sizeof(plan.bridge), bridge.name);
        (void)string_copy(plan.bridge_course, sizeof(plan.bridge_course), id->course);
        plan.isolation = bridge.traffic.isolation;
        plan.rate = bridge.traffic.rate.bits;
        plan.impairment = bridge.traffic.impairment;

        r = load_overrides(etc, "ns", name, &file, overrides, ELEMENTSOF(overrides), diagnostics);
        if (r < 0)
                return r;
        r = place_seat(etc, &bridge, &overrides[VR_IP], &plan, diagnostics);
        if (r < 0)
                return r;
        r = apply_bridge(&overrides[BR], file.path, settings, &plan, diagnostics);
        if (r < 0)
                return r;
        r = join_bridge(etc, settings, &bridge, &plan, diagnostics);
        if (r < 0)
                return r;

        gateway = (struct address){.ip = plan.gateway, .prefix = bridge.address.prefix};
        if (apply_address(&overrides[BR_IP], file.path, bridge.address.prefix, &gateway, diagnostics) < 0 ||
                apply_address(
                        &overrides[VR_IP], file.path, bridge.address.prefix, &plan.address, diagnostics) < 0)
                return -EINVAL;
        plan.gateway = gateway.ip;
        plan.link_mac = mac_of_port(plan.address.ip);
        plan.peer_mac = mac_of_host(plan.address.ip);

        r = check_seat(&plan, file.path, last_line(overrides, ELEMENTSOF(overrides)), diagnostics);
        if (r < 0)
                return r;

        *ret = plan;
        return 0;
}

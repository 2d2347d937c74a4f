/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loads coursenet.conf with inih. Every setting is one row of a table; what a value may be stands in its
 * setter, what the values must be together in check_together().
 */

#include <ini.h>

#include "machine-prefix.h"
#include "number.h"
#include "setting-value.h"
#include "trusted-file.h"

#define LINE_SIZE 190 /* inih cuts longer lines; read_line() reports them instead */

/* A seat number of the widest subnet has 5 digits: with course and "vl-" it must fit into Linux's interface
 * names. */
_Static_assert(
        SUBNET_PREFIX_MIN >= 16 && COURSE_DIGITS_MAX + 5 + 3 <= 15, "interface names would be too long");

struct parser {
        struct settings settings;
        struct diagnostics *diagnostics;
        const char *path;
        const char *next;                  /* rest of the text */
        unsigned line;                     /* the line that was handed to inih last */
        uint64_t seen_site;                /* bit n: the n-th row of site_rows was set */
        struct course_settings *course;    /* the one whose section is read; borrowed */
        struct service_settings *services; /* of the section that is read; borrowed */
        struct traffic_settings *traffic;  /* so is this */
        struct staff *staff;               /* and this */
        bool bad;
};

static void _printf_(2, 3) parser_error(struct parser *parser, const char *format, ...) {
        char text[2048];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);

        diagnostics_error(parser->diagnostics, parser->path, parser->line, "%s", text);
        parser->bad = true;
}

static void set_name_rule(struct parser *parser, const char *name, const char *value) {
        struct settings *settings = &parser->settings;
        const char *reason;

        if (name_rule_parse(value, &settings->rule, &reason) < 0)
                parser_error(parser, "%s = %s: %s", name, value, reason);
        else if (string_copy(settings->rule_text, sizeof(settings->rule_text), value) < 0)
                parser_error(parser, "%s is too long", name);
}

static void set_number(struct parser *parser, const char *name, const char *value, unsigned minimum,
        unsigned maximum, unsigned *ret) {
        if (number_parse(value, minimum, maximum, ret) < 0)
                parser_error(
                        parser, "%s = %s: expected a number from %u to %u", name, value, minimum, maximum);
}

static void set_course_digits(struct parser *parser, const char *name, const char *value) {
        set_number(parser, name, value, 1, COURSE_DIGITS_MAX, &parser->settings.course_digits);
}

static void set_first_seat(struct parser *parser, const char *name, const char *value) {
        /* 1 is the gateway; the upper bound depends on the prefix: check_together(). */
        set_number(parser, name, value, 2, 65534, &parser->settings.first_seat);
}

static void set_prefix(struct parser *parser, const char *name, const char *value) {
        set_number(parser, name, value, SUBNET_PREFIX_MIN, SUBNET_PREFIX_MAX, &parser->settings.prefix);
}

static int parse_network(struct parser *parser, const char *name, const char *value, struct address *ret) {
        char text[ADDRESS_TEXT_SIZE];
        struct address network;

        /* 33 stands for "no prefix was written". */
        if (address_parse(value, 33, &network) < 0 || network.prefix == 33) {
                parser_error(parser, "%s = %s: expected an IPv4 network with its prefix, such as 10.0.0.0/8",
                        name, value);
                return -EINVAL;
        }
        if (address_network(&network) != network.ip) {
                network.ip = address_network(&network);
                address_format(&network, text);
                parser_error(parser, "%s = %s: has bits set behind its prefix; the network is %s", name,
                        value, text);
                return -EINVAL;
        }

        *ret = network;
        return 0;
}

static void set_network(struct parser *parser, const char *name, const char *value) {
        (void)parse_network(parser, name, value, &parser->settings.network);
}

static void set_host(struct parser *parser, const char *name, const char *value, char *ret) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

        if (value[0] == '\0' || value[0] == '-' || value[strspn(value, allowed)] != '\0' ||
                string_copy(ret, HOST_NAME_SIZE, value) < 0)
                parser_error(parser, "%s = %s: expected a host name or an IPv4 address", name, value);
}

static void set_test_host(struct parser *parser, const char *name, const char *value) {
        set_host(parser, name, value, parser->settings.test_host);
}

static void set_linger(struct parser *parser, const char *name, const char *value) {
        set_number(parser, name, value, 0, LINGER_MAX_SECONDS, &parser->settings.linger_seconds);
}

static void parse_leftover(struct parser *parser, const char *name, const char *value, enum leftover *ret) {
        if (string_equal(value, "cut"))
                *ret = LEFTOVER_CUT;
        else if (string_equal(value, "kill"))
                *ret = LEFTOVER_KILL;
        else if (string_equal(value, "keep"))
                *ret = LEFTOVER_KEEP;
        else
                parser_error(parser, "%s = %s: expected cut, kill or keep", name, value);
}

static void set_leftover(struct parser *parser, const char *name, const char *value) {
        parse_leftover(parser, name, value, &parser->settings.leftover);
}

static void parse_names(struct parser *parser, const char *name, const char *value, enum names_told *ret) {
        if (string_equal(value, "course"))
                *ret = NAMES_COURSE;
        else if (string_equal(value, "none"))
                *ret = NAMES_NONE;
        else
                parser_error(parser, "%s = %s: expected course or none", name, value);
}

static void set_names(struct parser *parser, const char *name, const char *value) {
        parse_names(parser, name, value, &parser->settings.names);
}

static void parse_leftover_max(struct parser *parser, const char *name, const char *value, unsigned *ret) {
        if (duration_parse(value, 1, LEFTOVER_MAX_SECONDS, ret) < 0)
                parser_error(parser,
                        "%s = %s: expected a time such as 90min, 12h or 2d, from one second to 30 days", name,
                        value);
}

static void set_leftover_max(struct parser *parser, const char *name, const char *value) {
        parse_leftover_max(parser, name, value, &parser->settings.leftover_max_seconds);
}

static void set_text(struct parser *parser, const char *name, const char *value, char *array, size_t size) {
        if (string_copy(array, size, value) < 0)
                parser_error(parser, "%s is longer than %zu characters", name, size - 1);
}

static void set_image(struct parser *parser, const char *name, const char *value) {
        if (value[0] != '/')
                parser_error(parser, "%s = %s: expected the whole path of a .sif file or a sandbox folder",
                        name, value);
        set_text(parser, name, value, parser->services->image, sizeof(parser->services->image));
        parser->services->image_line = parser->line;
}

/* Calls check for each word of value; what it finds wrong is reported once. */
static void check_words(struct parser *parser, const char *name, const char *value,
        bool (*check)(const char *word), const char *expected) {
        char copy[CONTAINER_TEXT_SIZE], *rest = NULL;

        if (string_copy(copy, sizeof(copy), value) < 0)
                return;
        for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
                if (!check(word)) {
                        parser_error(parser, "%s: '%s': expected %s", name, word, expected);
                        return;
                }
}

/* A comma would begin another bind for the runtime. */
static bool bind_valid(const char *word) {
        return word[0] == '/' && !strchr(word, ',');
}

static void set_bind(struct parser *parser, const char *name, const char *value) {
        check_words(parser, name, value, bind_valid, "/SOURCE[:/TARGET[:ro]]");
        set_text(parser, name, value, parser->services->binds, sizeof(parser->services->binds));
}

/* So it is for the runtime, too, which would split at a comma. */
static bool variable_valid(const char *word) {
        size_t name = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

        return name > 0 && word[name] == '=' && !(word[0] >= '0' && word[0] <= '9') && !strchr(word, ',');
}

static void set_environment(struct parser *parser, const char *name, const char *value) {
        check_words(parser, name, value, variable_valid, "NAME=VALUE, without commas");
        set_text(parser, name, value, parser->services->environment, sizeof(parser->services->environment));
}

/* A number with one of the suffixes behind it. The value becomes part of a drop-in, so nothing else gets
 * through. */
static void set_limit(struct parser *parser, const char *name, const char *value, const char *suffixes,
        char *array, size_t size) {
        size_t digits = strspn(value, "0123456789"), length = strlen(value);
        bool suffix = length == digits + 1 && strchr(suffixes, value[digits]);

        if (digits == 0 || (length != digits && !suffix))
                parser_error(parser, "%s = %s: expected a number%s%s", name, value,
                        suffixes[0] ? ", with one of these behind it if need be: " : "", suffixes);
        set_text(parser, name, value, array, size);
}

static void set_memory_max(struct parser *parser, const char *name, const char *value) {
        set_limit(parser, name, value, "KMGT%", parser->services->memory_max,
                sizeof(parser->services->memory_max));
}

static void set_cpu_quota(struct parser *parser, const char *name, const char *value) {
        if (value[0] == '\0' || value[strlen(value) - 1] != '%')
                parser_error(parser,
                        "%s = %s: expected a percentage, such as 150%% for one and a half processors", name,
                        value);
        set_limit(parser, name, value, "%", parser->services->cpu_quota, sizeof(parser->services->cpu_quota));
}

static void set_tasks_max(struct parser *parser, const char *name, const char *value) {
        set_limit(parser, name, value, "", parser->services->tasks_max, sizeof(parser->services->tasks_max));
}

/* The seat's own units must not be among them: they would need themselves. */
static bool unit_valid(const char *word) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

        return word[strspn(word, allowed)] == '\0' && strlen(word) < SERVICE_NAME_SIZE &&
               !string_equal(word, "netbr") && !string_equal(word, "netns") && !string_equal(word, "nsbr");
}

static void set_units(struct parser *parser, const char *name, const char *value) {
        struct service_settings *services = parser->services;
        char copy[CONTAINER_TEXT_SIZE], *rest = NULL;

        services->has_units = true;
        services->units_line = parser->line;
        check_words(parser, name, value, unit_valid,
                "the name of a template unit, without '@': cont stands for cont@.service");
        if (string_copy(copy, sizeof(copy), value) < 0) {
                parser_error(parser, "%s is too long", name);
                return;
        }
        for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
                if (services->n_units == SERVICES_MAX) {
                        parser_error(parser, "%s: a seat may have %u units at most", name, SERVICES_MAX);
                        return;
                }
                if (string_copy(services->units[services->n_units], SERVICE_NAME_SIZE, word) >= 0)
                        services->n_units++;
        }
}

/* The whole 64 bits of an IPv6 subnet are its seats'; a prefix of any other length would be a mistake. */
static int parse_network6(struct parser *parser, const char *name, const char *value, struct address6 *ret) {
        struct address6 network, cut;
        char text[ADDRESS6_TEXT_SIZE];

        /* 129 stands for "no prefix was written". */
        if (address6_parse(value, 129, &network) < 0 || network.prefix == 129) {
                parser_error(parser, "%s = %s: expected an IPv6 network with its prefix, such as %s", name,
                        value, string_equal(name, "subnet6") ? "2001:db8:0:123::/64" : "2001:db8::/48");
                return -EINVAL;
        }
        if (!address6_is_unique_local(&network) && (network.bytes[0] & 0xe0) != 0x20) {
                parser_error(parser,
                        "%s = %s: expected a global (2000::/3) or a unique local network (fc00::/7)", name,
                        value);
                return -EINVAL;
        }
        cut = address6_network(&network);
        if (!address6_same_ip(&cut, &network)) {
                address6_format(&cut, text);
                parser_error(parser, "%s = %s: has bits set behind its prefix; the network is %s", name,
                        value, text);
                return -EINVAL;
        }

        *ret = network;
        return 0;
}

static void set_network6(struct parser *parser, const char *name, const char *value) {
        struct settings *settings = &parser->settings;
        struct address6 network;

        settings->network6_auto = string_equal(value, "auto");
        settings->network6 = (struct address6){0};
        if (settings->network6_auto || string_equal(value, "off"))
                return;
        if (!strchr(value, ':')) {
                parser_error(parser, "%s = %s: expected auto, off, or an IPv6 network such as 2001:db8::/48",
                        name, value);
                return;
        }
        if (parse_network6(parser, name, value, &network) < 0)
                return;
        if (network.prefix > SUBNET6_PREFIX)
                parser_error(parser, "%s = %s: expected a prefix of at most %u, which is that of a course",
                        name, value, SUBNET6_PREFIX);
        settings->network6 = network;
}

static void parse_choice(struct parser *parser, const char *name, const char *value, enum choice *ret) {
        if (string_equal(value, "yes"))
                *ret = CHOICE_YES;
        else if (string_equal(value, "no"))
                *ret = CHOICE_NO;
        else
                parser_error(parser, "%s = %s: expected yes or no", name, value);
}

static void set_nat(struct parser *parser, const char *name, const char *value) {
        parse_choice(parser, name, value, &parser->traffic->nat);
}

static void set_nat6(struct parser *parser, const char *name, const char *value) {
        parse_choice(parser, name, value, &parser->traffic->nat6);
}

static void set_inbound(struct parser *parser, const char *name, const char *value) {
        parse_choice(parser, name, value, &parser->traffic->inbound);
}

static void set_isolation(struct parser *parser, const char *name, const char *value) {
        if (string_equal(value, "none"))
                parser->traffic->isolation = ISOLATION_NONE;
        else if (string_equal(value, "course"))
                parser->traffic->isolation = ISOLATION_COURSE;
        else if (string_equal(value, "seat"))
                parser->traffic->isolation = ISOLATION_SEAT;
        else
                parser_error(parser, "%s = %s: expected none, course or seat", name, value);
}

/* A value that is a list, to be taken apart: no value is longer than its line. */
struct words {
        char text[LINE_SIZE + 1];
        char *rest;
};

static void words_begin(struct words *words, const char *value) {
        (void)snprintf(words->text, sizeof(words->text), "%s", value);
        words->rest = words->text;
}

/* NULL behind the last one. */
static const char *words_next(struct words *words) {
        const char *word;

        do
                word = strsep(&words->rest, " \t");
        while (word && word[0] == '\0');
        return word;
}

static void parse_ports(
        struct parser *parser, const char *name, const char *value, bool any_address, struct ports *ret) {
        struct ports ports = {.is_set = true};
        struct words words;

        words_begin(&words, string_equal(value, "none") ? "" : value);
        for (const char *word; (word = words_next(&words));) {
                struct port port;

                if (port_parse(word, &port) < 0 || (port.any_address && !any_address)) {
                        parser_error(parser, "%s: '%s': expected PORT, PORT/tcp or PORT/udp%s; or none alone",
                                name, word, any_address ? ", with *: before it if need be" : "");
                        return;
                }
                if (ports.n_items == PORTS_MAX) {
                        parser_error(parser, "%s: expected %u ports at most", name, PORTS_MAX);
                        return;
                }
                ports.items[ports.n_items++] = port;
        }
        if (ports.n_items == 0 && !string_equal(value, "none"))
                parser_error(parser, "%s is empty: expected ports, or none", name);
        *ret = ports;
}

static void set_host_ports(struct parser *parser, const char *name, const char *value) {
        parse_ports(parser, name, value, true, &parser->traffic->host_ports);
}

static void set_fence_ports(struct parser *parser, const char *name, const char *value) {
        parse_ports(parser, name, value, false, &parser->settings.fence.ports);
}

static void parse_rate(struct parser *parser, const char *name, const char *value, struct rate *ret) {
        if (rate_parse(value, ret) < 0)
                parser_error(parser,
                        "%s = %s: expected bits per second from 64K to 16G, a whole number and K, M or G, or "
                        "none",
                        name, value);
}

static void set_rate(struct parser *parser, const char *name, const char *value) {
        parse_rate(parser, name, value, &parser->traffic->rate);
}

static void set_course_rate(struct parser *parser, const char *name, const char *value) {
        parse_rate(parser, name, value, &parser->traffic->course_rate);
}

static void set_uplink(struct parser *parser, const char *name, const char *value) {
        struct settings *settings = &parser->settings;
        struct words words;

        settings->n_uplinks = 0;
        if (string_equal(value, "auto"))
                return;

        words_begin(&words, value);
        for (const char *word; (word = words_next(&words)); settings->n_uplinks++) {
                if (settings->n_uplinks == UPLINKS_MAX) {
                        parser_error(parser, "%s: expected %u interfaces at most", name, UPLINKS_MAX);
                        return;
                }
                if (!uplink_valid(word)) {
                        parser_error(parser,
                                "%s: '%s': expected the name of an interface, such as eth0; or auto alone",
                                name, word);
                        return;
                }
                (void)string_copy(settings->uplinks[settings->n_uplinks], IFNAMSIZ, word);
        }
        if (settings->n_uplinks == 0)
                parser_error(parser, "%s is empty: expected names of interfaces, or auto", name);
}

static void set_dns_servers(struct parser *parser, const char *name, const char *value) {
        struct dns_settings *dns = &parser->settings.dns;
        struct words words;

        words_begin(&words, value);
        for (const char *word; (word = words_next(&words)); dns->n_servers++) {
                if (!server_valid(word)) {
                        parser_error(parser,
                                "%s: '%s': expected host alone, off alone, or addresses of name servers",
                                name, word);
                        return;
                }
                if (dns->n_servers == DNS_SERVERS_MAX) {
                        parser_error(parser, "%s: expected %u addresses at most", name, DNS_SERVERS_MAX);
                        return;
                }
                (void)string_copy(dns->servers[dns->n_servers], INET6_ADDRSTRLEN, word);
        }
        if (dns->n_servers == 0)
                parser_error(parser, "%s is empty: expected host, off, or addresses of name servers", name);
}

static void set_dns(struct parser *parser, const char *name, const char *value) {
        struct dns_settings *dns = &parser->settings.dns;

        dns->n_servers = 0;
        if (string_equal(value, "host"))
                dns->source = DNS_HOST;
        else if (string_equal(value, "off"))
                dns->source = DNS_OFF;
        else {
                dns->source = DNS_SERVERS;
                set_dns_servers(parser, name, value);
        }
}

static void set_domain(struct parser *parser, const char *name, const char *value) {
        if (!domain_valid(value) ||
                string_copy(parser->settings.dns.domain, sizeof(parser->settings.dns.domain), value) < 0)
                parser_error(parser,
                        "%s = %s: expected a DNS domain with " DOMAIN_COURSE
                        " in it once, such as " DOMAIN_DEFAULT
                        ": labels of letters, digits and hyphens, the last one not a number, and dots "
                        "between "
                        "them only",
                        name, value);
}

static void set_fence(struct parser *parser, const char *name, const char *value) {
        enum choice choice = CHOICE_UNSET;

        parse_choice(parser, name, value, &choice);
        parser->settings.fence.enabled = choice == CHOICE_YES;
}

static void set_fence_users(struct parser *parser, const char *name, const char *value) {
        struct fence_settings *fence = &parser->settings.fence;
        struct words words;

        fence->n_users = 0;
        if (string_equal(value, "none"))
                return;

        words_begin(&words, value);
        for (const char *word; (word = words_next(&words)); fence->n_users++) {
                if (!user_name_valid(word)) {
                        parser_error(parser, "%s: '%s': expected the name of a user", name, word);
                        return;
                }
                if (fence->n_users == FENCE_USERS_MAX) {
                        parser_error(parser, "%s: expected %u users at most", name, FENCE_USERS_MAX);
                        return;
                }
                (void)string_copy(fence->users[fence->n_users], USER_NAME_SIZE, word);
        }
        if (fence->n_users == 0)
                parser_error(parser, "%s is empty: expected names of users, or none", name);
}

/* A comma between the names, a blank, or both. */
static void set_staff(struct parser *parser, const char *name, const char *value) {
        struct staff *staff = parser->staff;
        char copy[LINE_SIZE + 1], *rest = NULL;

        if (string_equal(value, "none"))
                return;
        (void)snprintf(copy, sizeof(copy), "%s", value);
        for (char *word = strtok_r(copy, ", \t", &rest); word; word = strtok_r(NULL, ", \t", &rest)) {
                if (!user_name_valid(word[0] == STAFF_GROUP ? word + 1 : word)) {
                        parser_error(parser,
                                "%s: '%s': expected names of users, and of groups with @ before them; or "
                                "none",
                                name, word);
                        return;
                }
                if (staff->n_names == STAFF_MAX) {
                        parser_error(parser, "%s: expected %u names at most: name a group", name, STAFF_MAX);
                        return;
                }
                (void)string_copy(staff->names[staff->n_names++], sizeof(staff->names[0]), word);
        }
        if (staff->n_names == 0)
                parser_error(parser, "%s is empty: expected names of users, @GROUP, or none", name);
}

struct row {
        const char *name;
        void (*set)(struct parser *parser, const char *name, const char *value);
};

static const struct row site_rows[] = {
        {"name-rule", set_name_rule},
        {"course-digits", set_course_digits},
        {"first-seat", set_first_seat},
        {"network", set_network},
        {"prefix", set_prefix},
        {"test-host", set_test_host},
        {"linger", set_linger},
        {"leftover", set_leftover},
        {"leftover-max", set_leftover_max},
        {"staff", set_staff},
        {"names", set_names},
        {"units", set_units},
        {"image", set_image},
        {"bind", set_bind},
        {"environment", set_environment},
        {"memory-max", set_memory_max},
        {"cpu-quota", set_cpu_quota},
        {"tasks-max", set_tasks_max},
        {"network6", set_network6},
        {"nat", set_nat},
        {"nat6", set_nat6},
        {"isolation", set_isolation},
        {"inbound", set_inbound},
        {"host-ports", set_host_ports},
        {"rate", set_rate},
        {"course-rate", set_course_rate},
        {"uplink", set_uplink},
        {"dns", set_dns},
        {"domain", set_domain},
        {"fence", set_fence},
        {"fence-except-users", set_fence_users},
        {"fence-except-ports", set_fence_ports},
};

static void unknown_setting(
        struct parser *parser, const char *name, const char *section, const struct row *rows, size_t n) {
        char names[1024] = "";
        size_t length = 0;

        /* Names that there is no room for are left out. */
        for (size_t i = 0; i < n && length < sizeof(names); i++)
                length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
                        i == 0      ? ""
                        : i + 1 < n ? ", "
                                    : " or ",
                        rows[i].name);
        parser_error(parser, "unknown setting '%s' in [%s]: expected %s", name, section, names);
}

/* Finds the row and sets its value. seen has a bit for each row. */
static void set_row(struct parser *parser, const struct row *rows, size_t n, uint64_t *seen,
        const char *section, const char *name, const char *value) {
        for (size_t i = 0; i < n; i++) {
                if (!string_equal(rows[i].name, name))
                        continue;
                if (*seen & (UINT64_C(1) << i))
                        parser_error(parser, "%s is set twice in [%s]: keep one of the two", name, section);
                *seen |= UINT64_C(1) << i;
                rows[i].set(parser, name, value);
                return;
        }
        unknown_setting(parser, name, section, rows, n);
}

/* The section's course, appended if it is new. NULL: out of memory, or no course. */
static struct course_settings *find_or_add_course(struct parser *parser, const char *course) {
        struct settings *settings = &parser->settings;
        struct course_settings *courses;

        for (size_t i = 0; i < settings->n_courses; i++)
                if (string_equal(settings->courses[i].course, course))
                        return &settings->courses[i];

        if (!digits_only(course) || strlen(course) >= COURSE_SIZE) {
                parser_error(parser, "[course %s]: expected a course number, as in [course 123]", course);
                return NULL;
        }

        courses = reallocarray(settings->courses, settings->n_courses + 1, sizeof(*courses));
        if (!courses) {
                parser_error(parser, "out of memory");
                return NULL;
        }
        settings->courses = courses;
        courses += settings->n_courses++;
        *courses = (struct course_settings){.line = parser->line};
        (void)string_copy(courses->course, sizeof(courses->course), course);
        return courses;
}

static void set_course_subnet(struct parser *parser, const char *name, const char *value) {
        struct course_settings *course = parser->course;

        if (parse_network(parser, name, value, &course->subnet) < 0)
                return;
        if (course->subnet.prefix < SUBNET_PREFIX_MIN || course->subnet.prefix > SUBNET_PREFIX_MAX)
                parser_error(parser, "%s = %s: expected a prefix from %u to %u", name, value,
                        SUBNET_PREFIX_MIN, SUBNET_PREFIX_MAX);
        course->has_subnet = true;
}

static void set_course_subnet6(struct parser *parser, const char *name, const char *value) {
        struct address6 subnet;

        if (parse_network6(parser, name, value, &subnet) < 0)
                return;
        if (subnet.prefix != SUBNET6_PREFIX)
                parser_error(parser, "%s = %s: expected a /%u", name, value, SUBNET6_PREFIX);
        parser->course->subnet6 = subnet;
}

static void set_course_test_host(struct parser *parser, const char *name, const char *value) {
        set_host(parser, name, value, parser->course->test_host);
}

static void set_course_linger(struct parser *parser, const char *name, const char *value) {
        set_number(parser, name, value, 0, LINGER_MAX_SECONDS, &parser->course->linger_seconds);
        parser->course->has_linger = true;
}

static void set_course_leftover(struct parser *parser, const char *name, const char *value) {
        parse_leftover(parser, name, value, &parser->course->leftover);
}

static void set_course_names(struct parser *parser, const char *name, const char *value) {
        parse_names(parser, name, value, &parser->course->names);
}

static void set_course_leftover_max(struct parser *parser, const char *name, const char *value) {
        parse_leftover_max(parser, name, value, &parser->course->leftover_max_seconds);
}

static const struct row course_rows[] = {
        {"subnet", set_course_subnet},
        {"test-host", set_course_test_host},
        {"linger", set_course_linger},
        {"leftover", set_course_leftover},
        {"leftover-max", set_course_leftover_max},
        {"staff", set_staff},
        {"names", set_course_names},
        {"units", set_units},
        {"image", set_image},
        {"bind", set_bind},
        {"environment", set_environment},
        {"memory-max", set_memory_max},
        {"cpu-quota", set_cpu_quota},
        {"tasks-max", set_tasks_max},
        {"subnet6", set_course_subnet6},
        {"nat", set_nat},
        {"nat6", set_nat6},
        {"isolation", set_isolation},
        {"inbound", set_inbound},
        {"host-ports", set_host_ports},
        {"rate", set_rate},
        {"course-rate", set_course_rate},
};

_Static_assert(ELEMENTSOF(site_rows) <= 64 && ELEMENTSOF(course_rows) <= 64, "a row has no bit in seen");

static void set_site(struct parser *parser, const char *section, const char *name, const char *value) {
        parser->services = &parser->settings.services;
        parser->traffic = &parser->settings.traffic;
        parser->staff = &parser->settings.staff;
        set_row(parser, site_rows, ELEMENTSOF(site_rows), &parser->seen_site, section, name, value);
}

static void set_course(struct parser *parser, const char *section, const char *name, const char *value) {
        parser->course = find_or_add_course(parser, section + strlen("course "));
        if (!parser->course)
                return;
        parser->services = &parser->course->services;
        parser->traffic = &parser->course->traffic;
        parser->staff = &parser->course->staff;
        set_row(parser, course_rows, ELEMENTSOF(course_rows), &parser->course->seen, section, name, value);
}

static int handle_setting(void *user, const char *section, const char *name, const char *value) {
        struct parser *parser = user;

        if (string_equal(section, "site"))
                set_site(parser, section, name, value);
        else if (string_starts_with(section, "course "))
                set_course(parser, section, name, value);
        else if (section[0] == '\0')
                parser_error(parser, "'%s' stands before any section: write [site] above it", name);
        else
                parser_error(parser, "unknown section [%s]: expected [site] or [course N]", section);
        return 1;
}

/* inih's reader, like fgets(): it asks for one line at a time, which is how we know the line of each setting.
 */
static char *read_line(char *buffer, int size, void *stream) {
        struct parser *parser = stream;
        size_t length, whole;

        if (*parser->next == '\0')
                return NULL;
        parser->line++;

        /* inih takes an indented line for more of the value above it. */
        parser->next += strspn(parser->next, " \t");
        length = strcspn(parser->next, "\n");
        whole = length + (parser->next[length] == '\n');

        if (length > LINE_SIZE || whole >= (size_t)size) {
                parser_error(parser, "the line is longer than %d characters", LINE_SIZE);
                parser->next += strcspn(parser->next, "\n");
                parser->next += *parser->next == '\n';
                buffer[0] = '\n';
                buffer[1] = '\0';
                return buffer;
        }

        memcpy(buffer, parser->next, whole);
        buffer[whole] = '\0';
        parser->next += whole;
        return buffer;
}

/* How many seats a subnet has from first_seat on: all but the network's own address and the broadcast one. */
static unsigned count_seats(unsigned prefix, unsigned first_seat) {
        unsigned last = (1U << (32U - prefix)) - 2U;

        return first_seat > last ? 0 : last - first_seat + 1U;
}

static void compare_subnets(
        struct parser *parser, const struct course_settings *a, const struct course_settings *b) {
        const struct settings *settings = &parser->settings;
        struct address subnet_a, subnet_b;
        char reason[256];

        if (settings_course_subnet(settings, a->course, &subnet_a, reason, sizeof(reason)) >= 0 &&
                settings_course_subnet(settings, b->course, &subnet_b, reason, sizeof(reason)) >= 0 &&
                address_overlaps(&subnet_a, &subnet_b))
                parser_error(parser, "the subnets of courses %s and %s overlap: change one's subnet",
                        a->course, b->course);
}

static void compare_subnets6(
        struct parser *parser, const struct course_settings *a, const struct course_settings *b) {
        const struct settings *settings = &parser->settings;
        struct address6 subnet_a, subnet_b;
        char reason[256];

        if (settings_course_subnet6(settings, a->course, &subnet_a, reason, sizeof(reason)) >= 0 &&
                settings_course_subnet6(settings, b->course, &subnet_b, reason, sizeof(reason)) >= 0 &&
                address6_is_set(&subnet_a) && address6_is_set(&subnet_b) &&
                address6_overlaps(&subnet_a, &subnet_b))
                parser_error(parser, "the IPv6 subnets of courses %s and %s overlap: change one's subnet6",
                        a->course, b->course);
}

/* A course must have its subnets: a mistake with one is no reason to pass over the other. */
static bool check_course(struct parser *parser, const struct course_settings *course) {
        const struct settings *settings = &parser->settings;
        struct address6 subnet6;
        struct address subnet;
        char reason[256];
        bool good = true;

        if (settings_check_course(settings, course->course, reason, sizeof(reason)) < 0) {
                parser_error(parser, "[course %s]: %s", course->course, reason);
                return false;
        }
        if (settings_course_subnet(settings, course->course, &subnet, reason, sizeof(reason)) < 0) {
                parser_error(parser, "[course %s]: %s", course->course, reason);
                good = false;
        } else if (count_seats(subnet.prefix, settings->first_seat) == 0)
                parser_error(parser, "[course %s]: a /%u has no seat %u (first-seat)", course->course,
                        subnet.prefix, settings->first_seat);
        if (settings_course_subnet6(settings, course->course, &subnet6, reason, sizeof(reason)) < 0) {
                parser_error(parser, "[course %s]: %s", course->course, reason);
                good = false;
        }
        return good;
}

static void check_courses(struct parser *parser) {
        const struct settings *settings = &parser->settings;

        for (size_t i = 0; i < settings->n_courses; i++) {
                const struct course_settings *course = &settings->courses[i];

                parser->line = course->line;
                if (!check_course(parser, course))
                        continue;
                for (size_t j = 0; j < i; j++) {
                        compare_subnets(parser, &settings->courses[j], course);
                        compare_subnets6(parser, &settings->courses[j], course);
                }
        }
}

/* What each setter cannot see: the values against each other. */
static void check_together(struct parser *parser) {
        struct settings *settings = &parser->settings;

        if (settings->network.prefix > settings->prefix) {
                parser_error(parser, "prefix = %u does not fit into network, which is a /%u",
                        settings->prefix, settings->network.prefix);
                return;
        }
        if (count_seats(settings->prefix, settings->first_seat) == 0) {
                parser_error(parser, "a course's /%u (prefix) has no seat %u (first-seat)", settings->prefix,
                        settings->first_seat);
                return;
        }

        check_courses(parser);
}

static void set_defaults(struct settings *settings) {
        const char *reason;

        (void)string_copy(settings->rule_text, sizeof(settings->rule_text), NAME_RULE_DEFAULT);
        (void)name_rule_parse(NAME_RULE_DEFAULT, &settings->rule, &reason);
        settings->course_digits = 3;
        settings->first_seat = 10;
        settings->network = (struct address){.ip = 10U << 24, .prefix = 8};
        settings->prefix = 24;
        settings->leftover = LEFTOVER_CUT;
        settings->names = NAMES_COURSE;
        settings->leftover_max_seconds = LEFTOVER_DEFAULT_SECONDS;
        settings->network6_auto = true;
        settings->traffic = (struct traffic_settings){
                .nat = CHOICE_YES,
                .inbound = CHOICE_NO,
                .isolation = ISOLATION_COURSE,
                .host_ports.is_set = true,
                .rate.is_set = true,
                .course_rate.is_set = true,
        };
        (void)string_copy(settings->dns.domain, sizeof(settings->dns.domain), DOMAIN_DEFAULT);
        settings->fence.enabled = true;
        settings->fence.ports.is_set = true;
}

void settings_done(struct settings *settings) {
        free(settings->courses);
        *settings = (struct settings){0};
}

static void parse_text(struct parser *parser, const char *text) {
        int line;

        parser->next = text;
        line = ini_parse_stream(read_line, parser, handle_setting, parser);
        if (line > 0) {
                parser->line = (unsigned)line;
                parser_error(parser, "expected 'NAME = VALUE' or a [section]");
        } else if (line < 0)
                parser_error(parser, "out of memory");
}

int settings_load(const char *etc, struct settings *ret, struct diagnostics *diagnostics) {
        struct parser parser = {.diagnostics = diagnostics};
        _cleanup_free_ char *path = NULL, *text = NULL;
        const char *reason;
        int r;

        if (asprintf(&path, "%s/" SETTINGS_FILE, etc) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return -ENOMEM;
        }
        parser.path = path;
        set_defaults(&parser.settings);

        r = trusted_file_read(path, &text, &reason);
        if (r < 0 && r != -ENOENT) {
                diagnostics_error(diagnostics, path, 0, "%s", reason);
                return r;
        }
        if (text) {
                parse_text(&parser, text);
                parser.line = 0;
        }
        /* A host without a machine id, as an image is before its first boot, has no IPv6. */
        if (parser.settings.network6_auto)
                (void)machine_prefix_read(MACHINE_ID_FILE, &parser.settings.network6);
        if (!parser.bad)
                check_together(&parser);
        if (parser.bad) {
                settings_done(&parser.settings);
                return -EINVAL;
        }

        *ret = parser.settings;
        return 0;
}

const struct course_settings *settings_find_course(const struct settings *settings, const char *course) {
        for (size_t i = 0; i < settings->n_courses; i++)
                if (string_equal(settings->courses[i].course, course))
                        return &settings->courses[i];
        return NULL;
}

const char *settings_test_host(const struct settings *settings, const char *course) {
        const struct course_settings *own = settings_find_course(settings, course);

        return own && own->test_host[0] ? own->test_host : settings->test_host;
}

unsigned settings_linger_seconds(const struct settings *settings, const char *course) {
        const struct course_settings *own = settings_find_course(settings, course);

        return own && own->has_linger ? own->linger_seconds : settings->linger_seconds;
}

enum leftover settings_leftover(const struct settings *settings, const char *course) {
        const struct course_settings *own = settings_find_course(settings, course);

        return own && own->leftover != LEFTOVER_UNSET ? own->leftover : settings->leftover;
}

enum names_told settings_names(const struct settings *settings, const char *course) {
        const struct course_settings *own = settings_find_course(settings, course);

        return own && own->names != NAMES_UNSET ? own->names : settings->names;
}

unsigned settings_leftover_max_seconds(const struct settings *settings, const char *course) {
        const struct course_settings *own = settings_find_course(settings, course);

        return own && own->leftover_max_seconds > 0 ? own->leftover_max_seconds
                                                    : settings->leftover_max_seconds;
}

static void prefer(char *array, size_t size, const char *own) {
        if (own[0])
                (void)string_copy(array, size, own);
}

void settings_services(const struct settings *settings, const char *course, struct service_settings *ret) {
        const struct course_settings *found = settings_find_course(settings, course);
        const struct service_settings *own = found ? &found->services : NULL;

        *ret = settings->services;
        if (own) {
                prefer(ret->image, sizeof(ret->image), own->image);
                if (own->image[0])
                        ret->image_line = own->image_line;
                prefer(ret->binds, sizeof(ret->binds), own->binds);
                prefer(ret->environment, sizeof(ret->environment), own->environment);
                prefer(ret->memory_max, sizeof(ret->memory_max), own->memory_max);
                prefer(ret->cpu_quota, sizeof(ret->cpu_quota), own->cpu_quota);
                prefer(ret->tasks_max, sizeof(ret->tasks_max), own->tasks_max);
        }
        if (own && own->has_units) {
                memcpy(ret->units, own->units, sizeof(ret->units));
                ret->n_units = own->n_units;
                ret->units_line = own->units_line;
                ret->has_units = true;
        }
        if (!ret->has_units && ret->image[0])
                (void)string_copy(ret->units[ret->n_units++], SERVICE_NAME_SIZE, SERVICE_CONTAINER);
}

int settings_check_course(const struct settings *settings, const char *course, char *reason, size_t size) {
        if (!digits_only(course)) {
                (void)snprintf(reason, size, "a course is a number, written with %u digits",
                        settings->course_digits);
                return -EINVAL;
        }
        if (strlen(course) != settings->course_digits) {
                (void)snprintf(reason, size,
                        "courses are written with exactly %u digits here (course-digits in " SETTINGS_FILE
                        "), so that a seat id splits one way only",
                        settings->course_digits);
                return -EINVAL;
        }
        return 0;
}

int settings_course_subnet(
        const struct settings *settings, const char *course, struct address *ret, char *reason, size_t size) {
        const struct course_settings *own = settings_find_course(settings, course);
        char network[ADDRESS_TEXT_SIZE];
        unsigned long number;

        if (own && own->has_subnet) {
                *ret = own->subnet;
                return 0;
        }

        number = strtoul(course, NULL, 10);
        if (number >= 1UL << (settings->prefix - settings->network.prefix)) {
                address_format(&settings->network, network);
                (void)snprintf(reason, size,
                        "network = %s has no subnet number %lu of /%u: set a wider network, a longer prefix, "
                        "or "
                        "subnet in [course %s]",
                        network, number, settings->prefix, course);
                return -ERANGE;
        }

        *ret = (struct address){
                .ip = settings->network.ip + (uint32_t)(number << (32U - settings->prefix)),
                .prefix = settings->prefix,
        };
        return 0;
}

/* The number is written right-aligned into the part of the address that names the subnet. */
static void set_subnet_number(struct address6 *address, uint64_t number) {
        for (unsigned i = 0; i < 8; i++)
                address->bytes[7 - i] |= (uint8_t)(number >> (8 * i));
}

int settings_course_subnet6(const struct settings *settings, const char *course, struct address6 *ret,
        char *reason, size_t size) {
        const struct course_settings *own = settings_find_course(settings, course);
        struct address6 subnet = settings->network6;
        char network[ADDRESS6_TEXT_SIZE];
        unsigned long number;

        if (own && address6_is_set(&own->subnet6)) {
                *ret = own->subnet6;
                return 0;
        }
        if (!address6_is_set(&subnet)) {
                *ret = (struct address6){0};
                return 0;
        }

        /* Read as hexadecimal, the digits stand in the address as they are. */
        number = strtoul(course, NULL, 16);
        if (number >= UINT64_C(1) << (SUBNET6_PREFIX - subnet.prefix)) {
                if (settings->network6_auto) {
                        *ret = (struct address6){0};
                        return 0;
                }
                address6_format(&subnet, network);
                (void)snprintf(reason, size,
                        "network6 = %s has no /%u with the number %lx: set a wider network6, subnet6 in "
                        "[course %s], or network6 = off",
                        network, SUBNET6_PREFIX, number, course);
                return -ERANGE;
        }

        set_subnet_number(&subnet, number);
        subnet.prefix = SUBNET6_PREFIX;
        *ret = subnet;
        return 0;
}

void settings_traffic(const struct settings *settings, const char *course, struct traffic_settings *ret) {
        const struct course_settings *found = settings_find_course(settings, course);
        const struct traffic_settings *own = found ? &found->traffic : NULL;

        *ret = settings->traffic;
        if (!own)
                return;
        if (own->nat != CHOICE_UNSET)
                ret->nat = own->nat;
        if (own->nat6 != CHOICE_UNSET)
                ret->nat6 = own->nat6;
        if (own->inbound != CHOICE_UNSET)
                ret->inbound = own->inbound;
        if (own->isolation != ISOLATION_UNSET)
                ret->isolation = own->isolation;
        if (own->host_ports.is_set)
                ret->host_ports = own->host_ports;
        if (own->rate.is_set)
                ret->rate = own->rate;
        if (own->course_rate.is_set)
                ret->course_rate = own->course_rate;
}

void settings_domain(const struct settings *settings, const char *course, char ret[static DOMAIN_SIZE]) {
        const char *domain = settings->dns.domain, *word = strstr(domain, DOMAIN_COURSE);

        if (!word)
                word = domain + strlen(domain); /* settings that were never loaded */
        (void)snprintf(ret, DOMAIN_SIZE, "%.*s%s%s", (int)(word - domain), domain, course,
                word[0] ? word + strlen(DOMAIN_COURSE) : "");
}

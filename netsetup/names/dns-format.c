/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Computes the texts that dns.c writes. Queries for the domains and subnets of courses are answered from the
 * hosts files or with "no such name". All other queries go to the servers that the host asks. dns-serve.c
 * gives each dnsmasq its hosts file and its interface.
 */

#include "dns-format.h"
#include "firewall/ruleset.h"
#include "setting-value.h"

/*
 * A class sends many queries at the same time, most of them for the same names. dnsmasq allocates the memory
 * for all of them when it starts.
 */
#define CACHE_SIZE 1000
#define FORWARD_MAX 1000

static void print_upstream(FILE *file, const struct dns_settings *dns) {
        if (dns->source == DNS_HOST) {
                (void)fputs("resolv-file=/etc/resolv.conf\n", file);
                return;
        }
        (void)fputs("no-resolv\n", file);
        for (size_t i = 0; i < dns->n_servers; i++)
                (void)fprintf(file, "server=%s\n", dns->servers[i]);
}

/* rev-server= and local= without a server: answered from the hosts' files, or with "no such name". */
static void print_course(FILE *file, const struct settings *settings, const struct site_course *course) {
        const struct bridge_plan *bridge = &course->bridge;
        struct address subnet = {.ip = address_network(&bridge->address), .prefix = bridge->address.prefix};
        char domain[DOMAIN_SIZE], text[ADDRESS_TEXT_SIZE], text6[ADDRESS6_TEXT_SIZE];
        struct address6 subnet6;

        settings_domain(settings, bridge->course, domain);
        address_format(&subnet, text);
        (void)fprintf(file, "\n# %s\nlocal=/%s/\n", bridge->name, domain);
        if (bridge->address.ip != 0)
                (void)fprintf(file, "rev-server=%s\n", text);
        if (!address6_is_set(&bridge->address6))
                return;
        subnet6 = address6_network(&bridge->address6);
        address6_format(&subnet6, text6);
        (void)fprintf(file, "rev-server=%s\n", text6);
}

char *dns_format_configuration(const struct site *site) {
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return NULL;
        (void)fprintf(file,
                "# Written by coursenet from its settings and rosters; `coursenet-host dns` overwrites it.\n"
                "port=%u\nbind-dynamic\nexcept-interface=lo\nno-hosts\n"
                "cache-size=%u\ndns-forward-max=%u\npid-file\nlog-facility=-\n",
                RULESET_DNS_PORT, CACHE_SIZE, FORWARD_MAX);
        print_upstream(file, &site->settings.dns);
        for (size_t i = 0; i < site->n_courses; i++)
                print_course(file, &site->settings, &site->courses[i]);
        if (fclose(file) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

static void print_host(FILE *file, const struct address *address, const struct address6 *address6,
        const char *name, const char *domain) {
        char text[ADDRESS_TEXT_SIZE], text6[ADDRESS6_TEXT_SIZE];

        address_format_ip(address->ip, text);
        (void)fprintf(file, "%s %s.%s\n", text, name, domain);
        if (!address6_is_set(address6))
                return;
        address6_format_ip(address6, text6);
        (void)fprintf(file, "%s %s.%s\n", text6, name, domain);
}

/* "gateway" is taken. */
static bool student_has_name(const char *student) {
        return label_valid(student, strlen(student)) && strcasecmp(student, DNS_GATEWAY) != 0;
}

/* One line for all of them: a roster may be full of such names. */
static void warn_left_out(const struct site_course *course, struct diagnostics *diagnostics) {
        const char *first = NULL;
        unsigned n = 0;

        for (size_t i = 0; i < course->n_seats; i++)
                if (!student_has_name(course->students[i])) {
                        first = first ? first : course->students[i];
                        n++;
                }
        if (n > 0)
                diagnostics_warning(diagnostics, course->bridge.name, 0,
                        "%u student%s of course %s, for example '%s', %s no name in DNS: a name there has "
                        "letters, digits and inner dashes only, and is not '" DNS_GATEWAY "'",
                        n, n == 1 ? "" : "s", course->bridge.course, first, n == 1 ? "has" : "have");
}

static void print_seats(
        FILE *file, const struct site_course *course, const char *domain, struct diagnostics *diagnostics) {
        for (size_t i = 0; i < course->n_seats; i++)
                if (student_has_name(course->students[i]))
                        print_host(file, &course->seats[i].address, &course->seats[i].address6,
                                course->students[i], domain);
        warn_left_out(course, diagnostics);
}

char *dns_format_hosts(
        const struct site *site, const struct site_course *course, struct diagnostics *diagnostics) {
        char domain[DOMAIN_SIZE], *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return NULL;
        settings_domain(&site->settings, course->bridge.course, domain);
        print_host(file, &course->bridge.address, &course->bridge.address6, DNS_GATEWAY, domain);
        /*
         * With names = none a seat cannot have a name for itself only, because all seats of a course get the
         * same answers.
         */
        if (settings_for_course(&site->settings, course->bridge.course)->names == NAMES_COURSE)
                print_seats(file, course, domain, diagnostics);
        if (fclose(file) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What loaded settings say of a course: its values, its subnets, its domain. Nothing here reads a file:
 * settings-load.c does.
 */

#include "settings.h"
#include "number.h"

void settings_done(struct settings *settings) {
        free(settings->courses);
        *settings = (struct settings){0};
}

const struct course_settings *settings_find_course(const struct settings *settings, const char *course) {
        for (size_t i = 0; i < settings->n_courses; i++)
                if (string_equal(settings->courses[i].course, course))
                        return &settings->courses[i];
        return NULL;
}

const struct course_values *settings_for_course(const struct settings *settings, const char *course) {
        const struct course_settings *own = settings_find_course(settings, course);

        return own ? &own->values : &settings->values;
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

        if (own && own->subnet.prefix > 0) {
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

        /* Read as hexadecimal, so that the address shows the same digits. */
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

void settings_domain(const struct settings *settings, const char *course, char ret[static DOMAIN_SIZE]) {
        const char *domain = settings->dns.domain, *word = strstr(domain, DOMAIN_COURSE);

        if (!word)
                word = domain + strlen(domain); /* settings that were never loaded */
        (void)snprintf(ret, DOMAIN_SIZE, "%.*s%s%s", (int)(word - domain), domain, course,
                word[0] ? word + strlen(DOMAIN_COURSE) : "");
}

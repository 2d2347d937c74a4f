/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loads coursenet.conf with inih. Every setting is one row of a table; what a value may be stands in its
 * setter, what the values must be together in check_together().
 */

#include <ini.h>

#include "number.h"
#include "settings.h"
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
        unsigned seen_site;                /* bit n: the n-th row of site_rows was set */
        struct course_settings *course;    /* the one whose section is read; borrowed */
        struct service_settings *services; /* of the section that is read; borrowed */
        bool bad;
};

static void _printf_(2, 3) parser_error(struct parser *parser, const char *format, ...) {
        char text[1024];
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
        else
                parser_error(parser, "%s = %s: expected cut or kill", name, value);
}

static void set_leftover(struct parser *parser, const char *name, const char *value) {
        parse_leftover(parser, name, value, &parser->settings.leftover);
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
        {"units", set_units},
        {"image", set_image},
        {"bind", set_bind},
        {"environment", set_environment},
        {"memory-max", set_memory_max},
        {"cpu-quota", set_cpu_quota},
        {"tasks-max", set_tasks_max},
};

static void unknown_setting(
        struct parser *parser, const char *name, const char *section, const struct row *rows, size_t n) {
        char names[512];
        size_t length = 0;

        for (size_t i = 0; i < n; i++)
                length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
                        i == 0      ? ""
                        : i + 1 < n ? ", "
                                    : " or ",
                        rows[i].name);
        parser_error(parser, "unknown setting '%s' in [%s]: expected %s", name, section, names);
}

/* Finds the row and sets its value. seen has a bit for each row. */
static void set_row(struct parser *parser, const struct row *rows, size_t n, unsigned *seen,
        const char *section, const char *name, const char *value) {
        for (size_t i = 0; i < n; i++) {
                if (!string_equal(rows[i].name, name))
                        continue;
                if (*seen & (1U << i))
                        parser_error(parser, "%s is set twice in [%s]: keep one of the two", name, section);
                *seen |= 1U << i;
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

static const struct row course_rows[] = {
        {"subnet", set_course_subnet},
        {"test-host", set_course_test_host},
        {"linger", set_course_linger},
        {"leftover", set_course_leftover},
        {"units", set_units},
        {"image", set_image},
        {"bind", set_bind},
        {"environment", set_environment},
        {"memory-max", set_memory_max},
        {"cpu-quota", set_cpu_quota},
        {"tasks-max", set_tasks_max},
};

static void set_site(struct parser *parser, const char *section, const char *name, const char *value) {
        parser->services = &parser->settings.services;
        set_row(parser, site_rows, ELEMENTSOF(site_rows), &parser->seen_site, section, name, value);
}

static void set_course(struct parser *parser, const char *section, const char *name, const char *value) {
        parser->course = find_or_add_course(parser, section + strlen("course "));
        if (!parser->course)
                return;
        parser->services = &parser->course->services;
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

static void check_courses(struct parser *parser) {
        struct settings *settings = &parser->settings;
        char reason[256];

        for (size_t i = 0; i < settings->n_courses; i++) {
                struct course_settings *a = &settings->courses[i];
                struct address subnet_a, subnet_b;

                parser->line = a->line;
                if (settings_check_course(settings, a->course, reason, sizeof(reason)) < 0 ||
                        settings_course_subnet(settings, a->course, &subnet_a, reason, sizeof(reason)) < 0) {
                        parser_error(parser, "[course %s]: %s", a->course, reason);
                        continue;
                }
                if (count_seats(subnet_a.prefix, settings->first_seat) == 0)
                        parser_error(parser, "[course %s]: a /%u has no seat %u (first-seat)", a->course,
                                subnet_a.prefix, settings->first_seat);

                for (size_t j = 0; j < i; j++) {
                        struct course_settings *b = &settings->courses[j];

                        if (settings_course_subnet(settings, b->course, &subnet_b, reason, sizeof(reason)) >=
                                        0 &&
                                address_overlaps(&subnet_a, &subnet_b))
                                parser_error(parser,
                                        "the subnets of courses %s and %s overlap: change one's subnet",
                                        b->course, a->course);
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
                prefer(ret->binds, sizeof(ret->binds), own->binds);
                prefer(ret->environment, sizeof(ret->environment), own->environment);
                prefer(ret->memory_max, sizeof(ret->memory_max), own->memory_max);
                prefer(ret->cpu_quota, sizeof(ret->cpu_quota), own->cpu_quota);
                prefer(ret->tasks_max, sizeof(ret->tasks_max), own->tasks_max);
        }
        if (own && own->has_units) {
                memcpy(ret->units, own->units, sizeof(ret->units));
                ret->n_units = own->n_units;
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

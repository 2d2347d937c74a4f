/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Parses and checks single values of coursenet.conf. settings-table.c says which setting has which syntax.
 * The netsetup programs check names from other sources with the same functions.
 */

#include "setting-value.h"
#include "address.h"
#include "address6.h"
#include "number.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define LABEL_MAX 63U

void alternative_append(char *text, size_t size, size_t i, size_t n, const char *word) {
        const char *separator = i == 0 ? "" : i + 1 < n ? ", " : " or ";
        size_t length = strlen(text);

        (void)snprintf(text + length, size - length, "%s%s", separator, word);
}

static uint64_t rate_unit(char suffix) {
        return suffix == 'K' ? 1000U : suffix == 'M' ? 1000000U : suffix == 'G' ? 1000000000U : 0;
}

int rate_parse(const char *text, struct rate *ret) {
        char number[16];
        unsigned count;
        uint64_t unit, bits;
        size_t digits = strspn(text, DIGITS);

        if (string_equal(text, "none")) {
                *ret = (struct rate){0};
                return 0;
        }

        unit = rate_unit(text[digits]);
        if (unit == 0 || text[digits + 1] != '\0' || digits >= sizeof(number))
                return -EINVAL;
        memcpy(number, text, digits);
        number[digits] = '\0';
        if (number_parse(number, 1, RATE_MAX / 1000U, &count) < 0)
                return -EINVAL;

        bits = count * unit;
        if (bits < RATE_MIN || bits > RATE_MAX)
                return -ERANGE;
        *ret = (struct rate){.bits = bits};
        return 0;
}

int delay_parse(const char *text, unsigned *ret_usec) {
        size_t digits = strspn(text, DIGITS);
        const char *unit = text + digits;
        unsigned usec = string_equal(unit, "us")   ? 1
                        : string_equal(unit, "ms") ? 1000
                        : string_equal(unit, "s")  ? 1000000
                                                   : 0,
                 count;
        char number[16];

        if (string_equal(text, "none")) {
                *ret_usec = 0;
                return 0;
        }
        if (usec == 0 || digits >= sizeof(number))
                return -EINVAL;
        memcpy(number, text, digits);
        number[digits] = '\0';
        if (number_parse(number, 1, IMPAIRMENT_MAX_USEC / usec, &count) < 0)
                return -EINVAL;
        *ret_usec = count * usec;
        return 0;
}

#define LOSS_DECIMALS 4U /* of a percent: a millionth */

int loss_parse(const char *text, unsigned *ret_ppm) {
        size_t whole = strspn(text, DIGITS), decimals = 0;
        const char *rest = text + whole;
        unsigned ppm = 0;

        if (string_equal(text, "none")) {
                *ret_ppm = 0;
                return 0;
        }
        if (*rest == '.')
                decimals = strspn(++rest, DIGITS);
        if (whole == 0 || whole > 3 || (rest != text + whole && decimals == 0) || decimals > LOSS_DECIMALS ||
                !string_equal(rest + decimals, "%"))
                return -EINVAL;
        for (size_t i = 0; i < whole; i++)
                ppm = ppm * 10 + (unsigned)(text[i] - '0');
        for (size_t i = 0; i < LOSS_DECIMALS; i++)
                ppm = ppm * 10 + (i < decimals ? (unsigned)(rest[i] - '0') : 0);
        if (ppm == 0 || ppm > LOSS_ALL)
                return -EINVAL;
        *ret_ppm = ppm;
        return 0;
}

/* Of two names of one unit, duration_format() writes the first. */
static const struct {
        const char *name;
        unsigned seconds;
} duration_units[] = {{"s", 1}, {"", 1}, {"min", 60}, {"m", 60}, {"h", 3600}, {"d", 86400}};

/* 0: there is no such unit. */
static unsigned find_duration_unit(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(duration_units); i++)
                if (string_equal(name, duration_units[i].name))
                        return duration_units[i].seconds;
        return 0;
}

int duration_parse(const char *text, unsigned minimum, unsigned maximum, unsigned *ret_seconds) {
        size_t digits = strspn(text, DIGITS);
        unsigned unit = find_duration_unit(text + digits), count;
        char number[16];

        if (unit == 0 || digits >= sizeof(number))
                return -EINVAL;
        memcpy(number, text, digits);
        number[digits] = '\0';
        if (number_parse(number, 0, UINT32_MAX, &count) < 0)
                return -EINVAL;
        if (count > maximum / unit || count * unit < minimum)
                return -ERANGE;
        *ret_seconds = count * unit;
        return 0;
}

void duration_format(unsigned seconds, char ret_text[static DURATION_TEXT_SIZE]) {
        size_t best = 0;

        for (size_t i = 0; i < ELEMENTSOF(duration_units); i++)
                if (seconds >= duration_units[i].seconds && seconds % duration_units[i].seconds == 0 &&
                        duration_units[i].seconds > duration_units[best].seconds)
                        best = i;
        (void)snprintf(ret_text, DURATION_TEXT_SIZE, "%u%s", seconds / duration_units[best].seconds,
                duration_units[best].name);
}

int port_parse(const char *text, struct port *ret) {
        struct port port = {.any_address = string_starts_with(text, "*:")};
        const char *slash;
        char number[8];
        unsigned value;
        size_t length;

        if (port.any_address)
                text += strlen("*:");
        slash = strchr(text, '/');
        length = slash ? (size_t)(slash - text) : strlen(text);
        port.tcp = !slash || string_equal(slash, "/tcp");
        port.udp = !slash || string_equal(slash, "/udp");
        if (length >= sizeof(number) || (!port.tcp && !port.udp))
                return -EINVAL;

        memcpy(number, text, length);
        number[length] = '\0';
        if (number_parse(number, 1, UINT16_MAX, &value) < 0)
                return -EINVAL;

        port.number = (uint16_t)value;
        *ret = port;
        return 0;
}

bool server_valid(const char *text) {
        struct address6 six;
        struct address four;

        if (strchr(text, '/') || strlen(text) >= INET6_ADDRSTRLEN)
                return false;
        if (address_parse(text, 32, &four) >= 0)
                return four.ip >> 24 != 0 && four.ip < 0xe0000000; /* neither 0.0.0.0 nor multicast */
        return address6_parse(text, 128, &six) >= 0 && address6_is_set(&six) && six.bytes[0] != 0xff;
}

bool label_valid(const char *label, size_t length) {
        return length > 0 && length <= LABEL_MAX && strspn(label, LETTERS DIGITS "-") >= length &&
               label[0] != '-' && label[length - 1] != '-';
}

bool domain_valid(const char *text) {
        const char *word = strstr(text, DOMAIN_COURSE), *label;
        char filled[DOMAIN_SIZE];
        size_t length;

        if (!word || strlen(text) >= sizeof(filled))
                return false;
        (void)snprintf(filled, sizeof(filled), "%.*s%.*s%s", (int)(word - text), text, (int)COURSE_DIGITS_MAX,
                "000000", word + strlen(DOMAIN_COURSE));

        /* A second {course} has characters that no label has. */
        for (label = filled; label_valid(label, length = strcspn(label, ".")); label += length + 1)
                if (label[length] == '\0')
                        return !digits_only(label); /* 7.123 would be an address for inet_aton() */
        return false;
}

bool link_name_valid(const char *name) {
        return name[0] != '\0' && strlen(name) < IFNAMSIZ && !string_equal(name, ".") &&
               !string_equal(name, "..") && !strpbrk(name, "/: \t\n\v\f\r");
}

static bool printable(const char *text) {
        for (; *text; text++)
                if (*text <= ' ' || *text > '~')
                        return false;
        return true;
}

bool uplink_valid(const char *name) {
        return link_name_valid(name) && printable(name) && !strpbrk(name, "\"\\*") &&
               !string_equal(name, "lo") && !string_equal(name, "all") && !string_equal(name, "default");
}

bool user_name_valid(const char *name) {
        return name[0] != '\0' && name[0] != '-' && strlen(name) < USER_NAME_SIZE && printable(name) &&
               !strpbrk(name, ":/,");
}

bool staff_name_valid(const char *name) {
        return user_name_valid(name[0] == STAFF_GROUP ? name + 1 : name);
}

bool host_valid(const char *name) {
        return name[0] != '\0' && name[0] != '-' && strlen(name) < HOST_NAME_SIZE &&
               name[strspn(name, LETTERS DIGITS ".-_")] == '\0';
}

/* Such a character would be run by a terminal that shows the setting. Other UTF-8 is usual in paths. */
static bool has_control_character(const char *text) {
        for (; *text; text++)
                if ((unsigned char)*text < ' ' || *text == '\x7f')
                        return true;
        return false;
}

bool host_member_name_valid(const char *name) {
        size_t length = strlen(name);

        return length > 0 && length < HOST_MEMBER_NAME_SIZE && name[0] != '-' && name[length - 1] != '-' &&
               name[strspn(name, LETTERS DIGITS "-")] == '\0';
}

bool ipv4_valid(const char *text) {
        struct address address;

        return !strchr(text, '/') && address_parse(text, 32, &address) >= 0;
}

bool host_member_valid(const char *text) {
        const char *equals = strchr(text, '=');
        char name[HOST_MEMBER_NAME_SIZE] = "";

        if (!equals || (size_t)(equals - text) >= sizeof(name))
                return false;
        memcpy(name, text, (size_t)(equals - text));
        return host_member_name_valid(name) && ipv4_valid(equals + 1);
}

bool store_url_valid(const char *text) {
        static const char *const loopback[] = {"127.0.0.1:", "[::1]:", "localhost:"};
        const char *host, *port;
        bool encrypted = string_starts_with(text, "https://"), local = false;
        unsigned number;

        if (!encrypted && !string_starts_with(text, "http://"))
                return false;
        host = strstr(text, "//") + 2;
        for (size_t i = 0; i < ELEMENTSOF(loopback); i++)
                local = local || string_starts_with(host, loopback[i]);
        port = strrchr(host, ':');
        if (!port || port == host || host[strspn(host, LETTERS DIGITS ".-[]:")] != '\0')
                return false;
        return (encrypted || local) && number_parse(port + 1, 1, 65535, &number) >= 0;
}

bool handover_valid(const char *text) {
        if (text[0] == '\0' || has_control_character(text))
                return false;
        for (const char *mark = strchr(text, '%'); mark; mark = strchr(mark + 2, '%'))
                if (mark[1] == '\0' || !strchr("uh%", mark[1]))
                        return false;
        return true;
}

bool path_valid(const char *path) {
        return path[0] == '/' && !has_control_character(path);
}

bool bind_valid(const char *word) {
        return word[0] == '/' && !strchr(word, ',') && !has_control_character(word);
}

bool variable_valid(const char *word) {
        size_t name = strspn(word, LETTERS DIGITS "_");

        return name > 0 && word[name] == '=' && strspn(word, DIGITS) == 0 && !strchr(word, ',') &&
               !has_control_character(word);
}

bool template_valid(const char *name) {
        return name[strspn(name, LETTERS DIGITS "_-")] == '\0' && strlen(name) < SERVICE_NAME_SIZE &&
               !string_equal(name, "netbr") && !string_equal(name, "netns") && !string_equal(name, "nsbr");
}

#define WEIGHT_MAX 10000U
#define CPU_PERCENT_MAX 1000000U

/* Digits, and what is behind them. A percentage is from 1 to percent_max. */
static int parse_limit(
        const char *text, unsigned percent_max, struct resource_limit *ret, const char **ret_unit) {
        size_t digits = strspn(text, DIGITS);
        const char *unit = text + digits;
        bool is_percent = string_equal(unit, "%");
        uint64_t number;

        /* 18 digits always fit. */
        if (digits == 0 || digits > 18 || text[0] == '0')
                return -EINVAL;
        number = strtoull(text, NULL, 10);
        if (is_percent && number > percent_max)
                return -EINVAL;
        *ret = (struct resource_limit){.number = number, .is_percent = is_percent};
        *ret_unit = is_percent ? "" : unit;
        return 0;
}

static bool is_infinity(const char *text, struct resource_limit *ret) {
        *ret = (struct resource_limit){.number = LIMIT_INFINITY};
        return string_equal(text, "infinity");
}

/* The number of bytes that a unit stands for; 0: there is no such unit. */
static uint64_t memory_unit(const char *unit) {
        static const char units[] = "KMGT";
        const char *place = strchr(units, unit[0]);

        if (unit[0] == '\0')
                return 1;
        return place && unit[1] == '\0' ? UINT64_C(1024) << (10 * (place - units)) : 0;
}

int memory_max_parse(const char *text, struct resource_limit *ret) {
        const char *unit;
        uint64_t size;

        if (is_infinity(text, ret))
                return 0;
        if (parse_limit(text, 100, ret, &unit) < 0)
                return -EINVAL;
        size = memory_unit(unit);
        if (ret->is_percent)
                return 0;
        if (size == 0 || ret->number > INT64_MAX / size || ret->number * size < MEMORY_MAX_MIN)
                return -EINVAL;
        ret->number *= size;
        return 0;
}

int cpu_quota_parse(const char *text, struct resource_limit *ret) {
        const char *unit;

        if (is_infinity(text, ret))
                return 0;
        return parse_limit(text, CPU_PERCENT_MAX, ret, &unit) >= 0 && ret->is_percent ? 0 : -EINVAL;
}

int tasks_max_parse(const char *text, struct resource_limit *ret) {
        const char *unit;

        if (is_infinity(text, ret))
                return 0;
        if (parse_limit(text, 100, ret, &unit) < 0 || unit[0])
                return -EINVAL;
        return ret->is_percent || (ret->number >= TASKS_MAX_MIN && ret->number <= UINT32_MAX) ? 0 : -EINVAL;
}

int weight_parse(const char *text, struct resource_limit *ret) {
        unsigned weight;

        if (number_parse(text, 1, WEIGHT_MAX, &weight) < 0)
                return -EINVAL;
        *ret = (struct resource_limit){.number = weight};
        return 0;
}

bool memory_max_valid(const char *text) {
        struct resource_limit limit;

        return memory_max_parse(text, &limit) >= 0;
}

bool cpu_quota_valid(const char *text) {
        struct resource_limit limit;

        return cpu_quota_parse(text, &limit) >= 0;
}

bool tasks_max_valid(const char *text) {
        struct resource_limit limit;

        return tasks_max_parse(text, &limit) >= 0;
}

bool weight_valid(const char *text) {
        struct resource_limit limit;

        return weight_parse(text, &limit) >= 0;
}

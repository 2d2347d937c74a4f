/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parses and checks single values of coursenet.conf. */

#include "setting-value.h"
#include "number.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define LABEL_MAX 63U

static uint64_t rate_unit(char suffix) {
        return suffix == 'K' ? 1000U : suffix == 'M' ? 1000000U : suffix == 'G' ? 1000000000U : 0;
}

int rate_parse(const char *text, struct rate *ret) {
        char number[16];
        unsigned count;
        uint64_t unit, bits;
        size_t digits = strspn(text, DIGITS);

        if (string_equal(text, "none")) {
                *ret = (struct rate){.is_set = true};
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
        *ret = (struct rate){.is_set = true, .bits = bits};
        return 0;
}

/* 0: no unit that there is. */
static unsigned duration_unit(const char *suffix) {
        static const struct {
                const char *suffix;
                unsigned seconds;
        } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};

        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (string_equal(suffix, units[i].suffix))
                        return units[i].seconds;
        return 0;
}

int duration_parse(const char *text, unsigned minimum, unsigned maximum, unsigned *ret_seconds) {
        size_t digits = strspn(text, DIGITS);
        unsigned unit = duration_unit(text + digits), count;
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One setter for each kind of setting. A setter reads the value by the row's range, words or valid(), and
 * writes the member that the row names. It knows neither file nor section: settings-parse.c adds the line to
 * what it returns, settings-load.c calls it for defaults.
 */

#include <stdarg.h>

#include "number.h"
#include "setting-set.h"

#define BLANKS " \t"

/* A prefix that no network has: none was written. */
#define NO_PREFIX 33U
#define NO_PREFIX6 129U

/* One value on its way into its member. */
struct assignment {
        const struct setting *setting;
        void *base;
        void *member;
        const char *value;
        char *reason; /* of SETTING_REASON_SIZE */
};

/* Always -EINVAL. */
static int _printf_(2, 3) refuse(const struct assignment *assignment, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(assignment->reason, SETTING_REASON_SIZE, format, arguments);
        va_end(arguments);
        return -EINVAL;
}

static int refuse_value(const struct assignment *assignment, const char *expected) {
        return refuse(
                assignment, "%s = %s: expected %s", assignment->setting->name, assignment->value, expected);
}

static int refuse_word(const struct assignment *assignment, const char *word) {
        return refuse(assignment, "%s: '%s': expected %s", assignment->setting->name, word,
                assignment->setting->expected);
}

static int refuse_empty(const struct assignment *assignment) {
        return refuse(assignment, "%s is empty: expected %s", assignment->setting->name,
                assignment->setting->expected);
}

static int refuse_number(const struct assignment *assignment, size_t n_max, const char *items) {
        return refuse(assignment, "%s: expected at most %zu %s", assignment->setting->name, n_max, items);
}

/* A word's value is stored as unsigned. */
_Static_assert(sizeof(enum choice) == sizeof(unsigned) && sizeof(enum isolation) == sizeof(unsigned) &&
                       sizeof(enum leftover) == sizeof(unsigned) &&
                       sizeof(enum names_told) == sizeof(unsigned),
        "an enum has another size than unsigned");

/* --- single values --- */

static int set_bool(const struct assignment *assignment) {
        bool *member = assignment->member;

        *member = string_equal(assignment->value, "yes");
        if (!*member && !string_equal(assignment->value, "no"))
                return refuse_value(assignment, "yes or no");
        return 0;
}

static const struct setting_word *find_word(const struct assignment *assignment) {
        for (const struct setting_word *word = assignment->setting->words; word->text; word++)
                if (string_equal(assignment->value, word->text))
                        return word;
        return NULL;
}

static int set_enum(const struct assignment *assignment) {
        const struct setting_word *words = assignment->setting->words, *found = find_word(assignment);
        char expected[128] = "";
        size_t n = 0;

        if (found) {
                memcpy(assignment->member, &found->value, sizeof(found->value));
                return 0;
        }
        while (words[n].text)
                n++;
        for (size_t i = 0; i < n; i++)
                alternative_append(expected, sizeof(expected), i, n, words[i].text);
        return refuse_value(assignment, expected);
}

static int set_number(const struct assignment *assignment) {
        const struct setting *setting = assignment->setting;

        if (number_parse(assignment->value, setting->minimum, setting->maximum, assignment->member) < 0)
                return refuse(assignment, "%s = %s: expected %s from %u to %u", setting->name,
                        assignment->value, setting->expected, setting->minimum, setting->maximum);
        return 0;
}

static int set_time(const struct assignment *assignment) {
        const struct setting *setting = assignment->setting;
        char minimum[DURATION_TEXT_SIZE], maximum[DURATION_TEXT_SIZE];

        if (duration_parse(assignment->value, setting->minimum, setting->maximum, assignment->member) >= 0)
                return 0;
        duration_format(setting->minimum, minimum);
        duration_format(setting->maximum, maximum);
        return refuse(assignment, "%s = %s: expected a time such as 90min, 12h or 2d, from %s to %s",
                setting->name, assignment->value, minimum, maximum);
}

static int set_rate(const struct assignment *assignment) {
        if (rate_parse(assignment->value, assignment->member) < 0)
                return refuse_value(
                        assignment, "bits per second from 64K to 16G, a whole number and K, M or G, or none");
        return 0;
}

static int set_delay(const struct assignment *assignment) {
        if (delay_parse(assignment->value, assignment->member) < 0)
                return refuse_value(assignment, "a time from 1us to 10s, such as 50ms, or none");
        return 0;
}

static int set_loss(const struct assignment *assignment) {
        if (loss_parse(assignment->value, assignment->member) < 0)
                return refuse_value(assignment,
                        "a percentage up to 100%, such as 1% or 0.1%, with at most four decimals, or none");
        return 0;
}

static int copy_text(const struct assignment *assignment) {
        const struct setting *setting = assignment->setting;

        if (string_copy(assignment->member, setting->size, assignment->value) < 0)
                return refuse(assignment, "%s = %s: expected at most %zu characters", setting->name,
                        assignment->value, setting->size - 1);
        return 0;
}

static int set_text(const struct assignment *assignment) {
        if (!assignment->setting->valid(assignment->value))
                return refuse_value(assignment, assignment->setting->expected);
        return copy_text(assignment);
}

/* --- values of several words --- */

/* A copy of a value that words_next() takes apart. */
struct words {
        char text[SETTING_VALUE_SIZE];
        char *rest;
        const char *separators;
};

static void words_begin(struct words *words, const char *value, const char *separators) {
        (void)snprintf(words->text, sizeof(words->text), "%s", value);
        words->rest = words->text;
        words->separators = separators;
}

/* NULL behind the last word. */
static const char *words_next(struct words *words) {
        const char *word;

        do
                word = strsep(&words->rest, words->separators);
        while (word && word[0] == '\0');
        return word;
}

static int set_words(const struct assignment *assignment) {
        struct words words;

        words_begin(&words, assignment->value, BLANKS);
        for (const char *word; (word = words_next(&words));)
                if (!assignment->setting->valid(word))
                        return refuse_word(assignment, word);
        return copy_text(assignment);
}

static int set_list(const struct assignment *assignment) {
        const struct setting_list *list = &assignment->setting->list;
        size_t *n = (size_t *)(void *)((char *)assignment->base + list->n_offset);
        char *item = assignment->member;
        struct words words;

        if (!list->repeats)
                *n = 0;
        item += *n * list->item_size;
        if (list->empty && string_equal(assignment->value, list->empty)) {
                *n = 0;
                return 0;
        }

        words_begin(&words, assignment->value, list->separators ? list->separators : BLANKS);
        for (const char *word; (word = words_next(&words)); item += list->item_size, ++*n) {
                if (!assignment->setting->valid(word))
                        return refuse_word(assignment, word);
                if (*n == list->n_max)
                        return refuse_number(assignment, list->n_max, list->items);
                if (string_copy(item, list->item_size, word) < 0)
                        return refuse_word(assignment, word);
        }
        return *n == 0 && list->empty ? refuse_empty(assignment) : 0;
}

static int set_ports(const struct assignment *assignment) {
        struct ports ports = {0}, *member = assignment->member;
        struct words words;

        *member = ports;
        if (string_equal(assignment->value, "none"))
                return 0;

        words_begin(&words, assignment->value, BLANKS);
        for (const char *word; (word = words_next(&words));) {
                struct port port;

                if (port_parse(word, &port) < 0 || (port.any_address && !assignment->setting->any_address))
                        return refuse_word(assignment, word);
                if (ports.n_items == PORTS_MAX)
                        return refuse_number(assignment, PORTS_MAX, "ports");
                ports.items[ports.n_items++] = port;
        }
        *member = ports;
        return ports.n_items == 0 ? refuse_empty(assignment) : 0;
}

/* --- networks --- */

static int refuse_host_bits(const struct assignment *assignment, const char *network) {
        return refuse(assignment, "%s = %s: has bits set behind its prefix; the network is %s",
                assignment->setting->name, assignment->value, network);
}

static int check_prefix(const struct assignment *assignment, unsigned prefix) {
        const struct setting *setting = assignment->setting;

        if (prefix >= setting->minimum && prefix <= setting->maximum)
                return 0;
        if (setting->minimum == setting->maximum)
                return refuse(assignment, "%s = %s: expected a /%u", setting->name, assignment->value,
                        setting->minimum);
        return refuse(assignment, "%s = %s: expected a prefix from %u to %u", setting->name,
                assignment->value, setting->minimum, setting->maximum);
}

static int set_network(const struct assignment *assignment) {
        struct address network, *member = assignment->member;
        char text[ADDRESS_TEXT_SIZE];

        if (address_parse(assignment->value, NO_PREFIX, &network) < 0 || network.prefix == NO_PREFIX)
                return refuse_value(assignment, assignment->setting->expected);
        if (address_network(&network) != network.ip) {
                network.ip = address_network(&network);
                address_format(&network, text);
                return refuse_host_bits(assignment, text);
        }
        *member = network;
        return check_prefix(assignment, network.prefix);
}

static int set_network6(const struct assignment *assignment) {
        struct address6 network, cut, *member = assignment->member;
        char text[ADDRESS6_TEXT_SIZE];

        if (address6_parse(assignment->value, NO_PREFIX6, &network) < 0 || network.prefix == NO_PREFIX6)
                return refuse_value(assignment, assignment->setting->expected);
        if (!address6_is_unique_local(&network) && (network.bytes[0] & 0xe0) != 0x20)
                return refuse_value(assignment, "a global (2000::/3) or a unique local network (fc00::/7)");
        cut = address6_network(&network);
        if (!address6_same_ip(&cut, &network)) {
                address6_format(&cut, text);
                return refuse_host_bits(assignment, text);
        }
        *member = network;
        return check_prefix(assignment, network.prefix);
}

/* --- kinds of one setting --- */

static int set_name_rule(const struct assignment *assignment) {
        struct settings *settings = assignment->base;
        const char *reason;

        if (name_rule_parse(assignment->value, &settings->rule, &reason) < 0)
                return refuse(
                        assignment, "%s = %s: %s", assignment->setting->name, assignment->value, reason);
        return copy_text(assignment);
}

/* With auto, settings_load() computes the network. */
static int set_site_network6(const struct assignment *assignment) {
        struct settings *settings = assignment->base;

        settings->network6_auto = string_equal(assignment->value, "auto");
        settings->network6 = (struct address6){0};
        if (settings->network6_auto || string_equal(assignment->value, "off"))
                return 0;
        return set_network6(assignment);
}

static int set_dns(const struct assignment *assignment) {
        const struct setting_word *word = find_word(assignment);
        struct settings *settings = assignment->base;
        int r;

        settings->dns.n_servers = 0;
        settings->dns.source = word ? (enum dns_source)word->value : DNS_SERVERS;
        if (word)
                return 0;
        r = set_list(assignment);
        return r >= 0 && settings->dns.n_servers == 0 ? refuse_empty(assignment) : r;
}

static int (*const setters[])(const struct assignment *assignment) = {
        [SETTING_BOOL] = set_bool,
        [SETTING_ENUM] = set_enum,
        [SETTING_NUMBER] = set_number,
        [SETTING_TIME] = set_time,
        [SETTING_RATE] = set_rate,
        [SETTING_DELAY] = set_delay,
        [SETTING_LOSS] = set_loss,
        [SETTING_TEXT] = set_text,
        [SETTING_WORDS] = set_words,
        [SETTING_LIST] = set_list,
        [SETTING_PORTS] = set_ports,
        [SETTING_NETWORK] = set_network,
        [SETTING_NETWORK6] = set_network6,
        [SETTING_NAME_RULE] = set_name_rule,
        [SETTING_SITE_NETWORK6] = set_site_network6,
        [SETTING_DNS] = set_dns,
};

int setting_set(const struct setting *setting, void *base, const char *value,
        char ret_reason[static SETTING_REASON_SIZE]) {
        struct assignment assignment = {
                .setting = setting,
                .base = base,
                .member = (char *)base + setting->offset,
                .value = value,
                .reason = ret_reason,
        };

        return setters[setting->kind](&assignment);
}

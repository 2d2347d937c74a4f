/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* coursenet.conf, from the file to checked settings. The input is the file. */

#include "fuzz.h"
#include "settings-table.h"

/* Whether a mistake was reported exactly if the settings are refused. */
static int load(const char *etc, struct settings *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        int r = settings_load(etc, ret, &diagnostics);

        CHECK((r < 0) == (diagnostics.n_errors > 0));
        return r;
}

/* Texts become lines of units and words of commands: no control character may be in them. */
static void check_text(const char *text, size_t size) {
        size_t length = strnlen(text, size);

        CHECK(length < size);
        for (size_t i = 0; i < length; i++)
                CHECK((unsigned char)text[i] >= ' ' && text[i] != '\x7f');
}

static void check_list(const struct setting *setting, const char *base) {
        const char *items = base + setting->offset;
        size_t n;

        memcpy(&n, base + setting->list.n_offset, sizeof(n));
        CHECK(n <= setting->list.n_max);
        for (size_t i = 0; i < n; i++) {
                check_text(items + i * setting->list.item_size, setting->list.item_size);
                CHECK(setting->valid(items + i * setting->list.item_size));
        }
}

static void check_ports(const struct ports *ports) {
        CHECK(ports->n_items <= PORTS_MAX);
        for (size_t i = 0; i < ports->n_items; i++)
                CHECK(ports->items[i].number > 0 && (ports->items[i].tcp || ports->items[i].udp));
}

static void check_value(const struct setting *setting, const char *base) {
        const char *member = base + setting->offset;
        unsigned number;

        if (setting->list.n_max > 0 && setting->kind != SETTING_PORTS)
                check_list(setting, base);
        switch (setting->kind) {
        case SETTING_NUMBER:
        case SETTING_TIME:
                memcpy(&number, member, sizeof(number));
                /* Without a default, 0 says that it is not set. */
                CHECK((number == 0 && !setting->default_value) ||
                        (number >= setting->minimum && number <= setting->maximum));
                break;
        case SETTING_TEXT:
        case SETTING_WORDS:
                check_text(member, setting->size);
                break;
        case SETTING_PORTS:
                check_ports((const struct ports *)(const void *)member);
                break;
        default:
                break;
        }
}

/* Values of two readings of one file. Ports have padding, so they are compared by what they mean. */
static void check_same(const struct setting *setting, const char *a, const char *b) {
        const struct ports *x = (const void *)(a + setting->offset), *y = (const void *)(b + setting->offset);

        if (setting->kind != SETTING_PORTS) {
                CHECK(memcmp(x, y, setting->size) == 0);
                return;
        }
        CHECK(x->n_items == y->n_items);
        for (size_t i = 0; i < x->n_items; i++)
                CHECK(x->items[i].number == y->items[i].number && x->items[i].tcp == y->items[i].tcp &&
                        x->items[i].udp == y->items[i].udp &&
                        x->items[i].any_address == y->items[i].any_address);
}

static void check_values(struct settings *a, struct settings *b, size_t course) {
        struct course_settings *x = course < a->n_courses ? &a->courses[course] : NULL;
        struct course_settings *y = x ? &b->courses[course] : NULL;
        const struct setting *setting;

        for (size_t i = 0; (setting = setting_at(i)); i++) {
                if (!(setting->sections & (x ? SECTION_COURSE : SECTION_SITE | SECTION_HOSTS)))
                        continue;
                check_value(setting, setting_base(setting, a, x));
                check_same(setting, setting_base(setting, a, x), setting_base(setting, b, y));
        }
}

static void check_course(const struct settings *settings, size_t i) {
        const char *course = settings->courses[i].course;
        struct address subnet, other;
        struct address6 subnet6;
        char reason[256], domain[DOMAIN_SIZE];

        CHECK(settings_check_course(settings, course, reason, sizeof(reason)) == 0);
        CHECK(settings_course_subnet(settings, course, &subnet, reason, sizeof(reason)) == 0);
        CHECK(settings_course_subnet6(settings, course, &subnet6, reason, sizeof(reason)) == 0);
        CHECK(subnet.prefix >= SUBNET_PREFIX_MIN && subnet.prefix <= SUBNET_PREFIX_MAX);
        CHECK(address_network(&subnet) == subnet.ip);
        CHECK(settings->first_seat <= (1U << (32U - subnet.prefix)) - 2U);
        for (size_t j = 0; j < i; j++) {
                CHECK(settings_course_subnet(
                              settings, settings->courses[j].course, &other, reason, sizeof(reason)) == 0);
                CHECK(!address_overlaps(&subnet, &other));
        }
        settings_domain(settings, course, domain);
        CHECK(strstr(domain, course) && !strchr(domain, '{'));
}

static void check_rule(const struct settings *settings) {
        char text[NAME_RULE_TEXT_SIZE];

        name_rule_text(&settings->rule, text);
        CHECK(string_equal(text, settings->rule_text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_settings_ struct settings settings = {0}, again = {0};
        _cleanup_free_ char *text = fuzz_text(data, size);
        const char *etc = fuzz_make_folder();
        char path[128];
        int r;

        if (!text)
                return 0;
        (void)snprintf(path, sizeof(path), "%s/" SETTINGS_FILE, etc);
        fuzz_write(path, text);
        r = load(etc, &settings);
        CHECK(load(etc, &again) == r);
        (void)unlink(path);
        if (r < 0)
                return 0;

        CHECK(settings.n_courses == again.n_courses);
        for (size_t i = 0; i <= settings.n_courses; i++)
                check_values(&settings, &again, i);
        for (size_t i = 0; i < settings.n_courses; i++)
                check_course(&settings, i);
        check_rule(&settings);
        return 0;
}

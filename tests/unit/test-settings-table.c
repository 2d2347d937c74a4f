/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of settings, row by row: a right and a wrong value, the wrong section, the setting twice, and
 * values just outside of its range. A row without an example here fails.
 */

#include "fixture.h"

#include "setting-set.h"

#define SITE_TITLE "[site]"
#define COURSE_TITLE "[course 123]"
#define HOSTS_TITLE "[hosts]"

/* low and high lie just outside of the range; every kind with a range has both. */
static const struct example {
        const char *name, *right, *wrong, *low, *high;
} examples[] = {
        {"asn", "64512", "AS64512", "0", "4294967295"},
        {"bind", "/srv/data:/data:ro /home", "srv", NULL, NULL},
        {"capture", "both", "yes", NULL, NULL},
        {"claim-time", "1min", "soon", "9", "601"},
        {"course-digits", "4", "four", "0", "7"},
        {"course-rate", "1G", "1T", "63K", "16001M"},
        {"cpu-quota", "150%", "2", NULL, NULL},
        {"cpu-weight", "50", "10001", NULL, NULL},
        {"delay", "50ms", "50", NULL, NULL},
        {"dns", "192.0.2.53 2001:db8::53", "dns.example.edu", NULL, NULL},
        {"domain", "lab{course}.example.edu", "lab.example.edu", NULL, NULL},
        {"environment", "A=1 B=2", "A", NULL, NULL},
        {"exam", "2026-12-01 09:00-11:00; Fri 14:00-16:00 Europe/Berlin", "2026-12-01", NULL, NULL},
        {"exam-allow", "192.0.2.10:443/tcp, name:www.example.org 2001:db8::1", "www.example.org", NULL, NULL},
        {"fence", "no", "off", NULL, NULL},
        {"fence-except-ports", "88 464/udp", "*:88", "0", "65536"},
        {"fence-except-users", "cs123-grader root", "a,b", NULL, NULL},
        {"first-seat", "20", "1a", "1", "65535"},
        {"flowtable", "yes", "on", NULL, NULL},
        {"handover", "ssh %u@%h.example.edu", "ssh %s", NULL, NULL},
        {"host-name", "hosta", "hosta.example.edu", NULL, NULL},
        {"host-ports", "8000/tcp *:443", "https", "0", "65536"},
        {"image", "/srv/a.sif", "a.sif", NULL, NULL},
        {"inbound", "yes", "on", NULL, NULL},
        {"io-weight", "50", "0", NULL, NULL},
        {"isolation", "seat", "all", NULL, NULL},
        {"jitter", "500us", "11s", NULL, NULL},
        {"leftover", "keep", "stay", NULL, NULL},
        {"leftover-max", "2d", "soon", "0", "2592001"},
        {"linger", "60", "1min", "-1", "86401"},
        {"loss", "0.5%", "101%", NULL, NULL},
        {"members", "hosta=192.0.2.1 hostb=192.0.2.2", "hosta", NULL, NULL},
        {"memory-max", "2G", "2GB", NULL, NULL},
        {"name-rule", "{student}.c{course}", "cs{course}", NULL, NULL},
        {"names", "none", "all", NULL, NULL},
        {"nat", "no", "0", NULL, NULL},
        {"nat6", "yes", "auto", NULL, NULL},
        {"network", "172.16.0.0/12", "172.16.0.1/12", "10.0.0.0/-1", "10.0.0.0/33"},
        {"network6", "2001:db8:42::/48", "fe80::/48", "::/2", "2001:db8::/65"},
        {"prefix", "22", "/22", "15", "31"},
        {"rate", "10M", "10", "63K", "16001M"},
        {"roster-group", "cs123 cs123-guests@ad.example.edu", "a:b", NULL, NULL},
        {"route-reflectors", "192.0.2.8 192.0.2.9", "rr1", NULL, NULL},
        {"schedule", "Mon,Wed 09:00-10:30; 2026-12-01 14:00-16:00 Europe/Berlin", "Mon 9-10", NULL, NULL},
        {"schedule-lead", "30min", "soon", "-1", "25h"},
        {"spread", "yes", "all", NULL, NULL},
        {"staff", "prof, @cs123-staff", "@", NULL, NULL},
        {"staff-enter", "yes", "on", NULL, NULL},
        {"store", "https://192.0.2.1:2379 http://[::1]:2379", "http://192.0.2.1:2379", NULL, NULL},
        {"store-ca", "/etc/coursenet/store/ca.pem", "ca.pem", NULL, NULL},
        {"store-cert", "/etc/coursenet/store/cert.pem", "cert.pem", NULL, NULL},
        {"store-key", "/etc/coursenet/store/key.pem", "key.pem", NULL, NULL},
        {"subnet", "172.16.0.0/22", "172.16.0.1/22", "10.0.0.0/15", "10.0.0.0/31"},
        {"subnet6", "2001:db8:42:123::/64", "off", "2001:db8::/63", "2001:db8::/65"},
        {"tasks-max", "500", "5K", NULL, NULL},
        {"test-host", "gw.example.edu", "-v", NULL, NULL},
        {"units", "cont vnc", "nsbr", NULL, NULL},
        {"uplink", "eth0 bond0.100", "lo", NULL, NULL},
        {"user-manager", "no", "on", NULL, NULL},
        {"vni", "5000", "0x10", "0", "16777216"},
        {"vni-base", "200000", "many", "0", "16777216"},
};

static const struct example *find_example(const struct setting *setting) {
        for (size_t i = 0; i < ELEMENTSOF(examples); i++)
                if (string_equal(examples[i].name, setting->name))
                        return &examples[i];
        fail_msg("%s is in the table, but has no example in tests/unit/test-settings-table.c", setting->name);
        return NULL;
}

/* What some settings need beside them: without it they contradict the defaults. */
static const char *line_beside(const char *name) {
        if (string_equal(name, "jitter"))
                return "delay = 1ms\n";
        if (string_equal(name, "members"))
                return "store = https://192.0.2.1:2379\n";
        if (string_equal(name, "spread"))
                return "[hosts]\nmembers = hosta=192.0.2.1\nstore = https://192.0.2.1:2379\n[site]\nnetwork6 "
                       "= off\n";
        return "";
}

/* Loads the lines "[SECTION]", FIRST and SECOND, the last of which may be NULL, and the one beside them. */
static int load_lines(const char *section, const char *name, const char *first, const char *second,
        struct settings *ret, struct diagnostics *diagnostics) {
        char text[1024];
        int n;

        n = snprintf(text, sizeof(text), "%s\n%s = %s\n", section, name, first);
        if (second)
                n += snprintf(text + n, sizeof(text) - (size_t)n, "%s = %s\n", name, second);
        (void)snprintf(text + n, sizeof(text) - (size_t)n, "%s", line_beside(name));
        write_file(SETTINGS_FILE, text);
        return settings_load(etc, ret, diagnostics);
}

/* The value must be refused, in its line, by a message that begins with the setting's name. */
static void assert_refused(const char *section, const char *name, const char *value) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct settings settings = {.prefix = 7};

        if (load_lines(section, name, value, NULL, &settings, &diagnostics) != -EINVAL)
                fail_msg("accepted: %s %s = %s", section, name, value);
        assert_int_equal(diagnostics.n_items, 1);
        assert_error(&diagnostics, 2, name);
        assert_true(string_starts_with(diagnostics.items[0].text, name));
        assert_int_equal(settings.prefix, 7);
}

static void assert_accepted(const struct setting *setting, const char *section, const char *value) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        const char *course = string_equal(section, COURSE_TITLE) ? "123" : NULL;

        if (load_lines(section, setting->name, value, NULL, &settings, &diagnostics) < 0)
                show_findings(&diagnostics);
        assert_clean(&diagnostics);
        assert_int_equal(settings_line(&settings, course, setting->name), 2);
}

static void assert_refused_twice(const char *section, const char *name, const char *value) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct settings settings;

        assert_int_equal(load_lines(section, name, value, value, &settings, &diagnostics), -EINVAL);
        assert_int_equal(diagnostics.n_items, 1);
        assert_error(&diagnostics, 3, "is set twice in");
}

static void assert_misplaced(const char *section, const char *name, const char *value) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct settings settings;
        char text[1024];

        (void)snprintf(text, sizeof(text), "%s\n%s = %s\n", section, name, value);
        write_file(SETTINGS_FILE, text);
        assert_int_equal(settings_load(etc, &settings, &diagnostics), -EINVAL);
        assert_int_equal(diagnostics.n_items, 1);
        assert_error(&diagnostics, 2, "does not belong in");
}

static bool has_range(const struct setting *setting) {
        return setting->maximum > 0 || setting->kind == SETTING_RATE || setting->kind == SETTING_PORTS;
}

static void test_row_in_section(const struct setting *setting, const char *section) {
        const struct example *example = find_example(setting);

        assert_accepted(setting, section, example->right);
        if (setting->default_value)
                assert_accepted(setting, section, setting->default_value);
        assert_refused(section, setting->name, example->wrong);
        if (!setting->list.repeats)
                assert_refused_twice(section, setting->name, example->right);
        if (!has_range(setting))
                return;
        assert_non_null(example->low);
        assert_non_null(example->high);
        assert_refused(section, setting->name, example->low);
        assert_refused(section, setting->name, example->high);
}

static void test_every_row(void **state) {
        static const struct {
                unsigned section;
                const char *title;
        } titles[] = {
                {SECTION_SITE, SITE_TITLE}, {SECTION_COURSE, COURSE_TITLE}, {SECTION_HOSTS, HOSTS_TITLE}};
        const struct setting *setting;
        size_t n = 0;

        (void)state;
        for (; (setting = setting_at(n)); n++) {
                assert_true(setting->sections & (SECTION_SITE | SECTION_COURSE | SECTION_HOSTS));
                for (size_t i = 0; i < ELEMENTSOF(titles); i++)
                        if (setting->sections & titles[i].section)
                                test_row_in_section(setting, titles[i].title);
                        else
                                assert_misplaced(
                                        titles[i].title, setting->name, find_example(setting)->right);
        }
        assert_int_equal(n, ELEMENTSOF(examples));
}

/* Ports are compared one by one, because there is padding between them. */
static bool same(const struct setting *setting, const void *one, const void *other) {
        const struct ports *a = (const void *)((const char *)one + setting->offset);
        const struct ports *b = (const void *)((const char *)other + setting->offset);

        if (setting->kind != SETTING_PORTS)
                return memcmp(a, b, setting->size) == 0;
        if (a->n_items != b->n_items)
                return false;
        for (size_t i = 0; i < a->n_items; i++)
                if (a->items[i].number != b->items[i].number || a->items[i].tcp != b->items[i].tcp ||
                        a->items[i].udp != b->items[i].udp ||
                        a->items[i].any_address != b->items[i].any_address)
                        return false;
        return true;
}

/* What a course does not set is the site's; what it sets is its own, and no other course's. */
static void test_courses_inherit(void **state) {
        const struct setting *setting;

        (void)state;
        for (size_t i = 0; (setting = setting_at(i)); i++) {
                _cleanup_settings_ struct settings site = {0}, course = {0};
                const char *right = find_example(setting)->right;
                char text[1024];

                if (setting->sections != (SECTION_SITE | SECTION_COURSE))
                        continue;
                (void)snprintf(text, sizeof(text), "[course 124]\nsubnet = 10.9.0.0/24\n[site]\n%s = %s\n%s",
                        setting->name, right, line_beside(setting->name));
                write_file(SETTINGS_FILE, text);
                assert_int_equal(settings_load(etc, &site, &(struct diagnostics){0}), 0);
                (void)snprintf(text, sizeof(text),
                        "[course 124]\n%s = %s\n%s[course 123]\nsubnet = 10.9.0.0/24\n", setting->name, right,
                        line_beside(setting->name));
                write_file(SETTINGS_FILE, text);
                assert_int_equal(settings_load(etc, &course, &(struct diagnostics){0}), 0);

                assert_true(same(setting, &course.courses[0].values, &site.values));
                assert_true(same(setting, &course.courses[1].values, &course.values));
                if (setting->adds)
                        continue;
                assert_true(same(setting, &site.courses[0].values, &site.values));
                assert_false(same(setting, &site.values, &course.values));
        }
}

/* setting_find() needs that order. */
static void test_sorted(void **state) {
        (void)state;
        for (size_t i = 0; setting_at(i); i++) {
                if (i > 0 && strcmp(setting_at(i - 1)->name, setting_at(i)->name) >= 0)
                        fail_msg("%s is in the wrong place", setting_at(i)->name);
                assert_ptr_equal(setting_find(setting_at(i)->name), setting_at(i));
                assert_int_equal(setting_index(setting_at(i)), i);
        }
        assert_null(setting_find("bogus"));
        assert_null(setting_find(""));
}

/* A setter writes the type of its kind into the member; a member of another size would be overrun. */
static void test_members_have_the_size_of_their_kind(void **state) {
        static const size_t sizes[] = {
                [SETTING_BOOL] = sizeof(bool),
                [SETTING_ENUM] = sizeof(unsigned),
                [SETTING_NUMBER] = sizeof(unsigned),
                [SETTING_TIME] = sizeof(unsigned),
                [SETTING_RATE] = sizeof(struct rate),
                [SETTING_PORTS] = sizeof(struct ports),
                [SETTING_NETWORK] = sizeof(struct address),
                [SETTING_NETWORK6] = sizeof(struct address6),
                [SETTING_SITE_NETWORK6] = sizeof(struct address6),
                [SETTING_DNS] = 0,
        };
        const struct setting *setting;

        (void)state;
        for (size_t i = 0; (setting = setting_at(i)); i++) {
                if (sizes[setting->kind] > 0)
                        assert_int_equal(setting->size, sizes[setting->kind]);
                if (setting->kind == SETTING_LIST || setting->kind == SETTING_DNS)
                        assert_int_equal(setting->size, setting->list.item_size * setting->list.n_max);
                else
                        assert_int_equal(setting->list.n_max, 0);
        }
}

/* No value of the longest line is cut: it is taken whole, or refused. */
static void test_long_values(void **state) {
        char value[SETTING_VALUE_SIZE], reason[SETTING_REASON_SIZE];
        struct service_settings *services;
        struct settings settings = {0};

        (void)state;
        memset(value, '1', sizeof(value) - 1);
        value[sizeof(value) - 1] = '\0';
        assert_int_equal(setting_set(setting_find("tasks-max"), &settings.values, value, reason), -EINVAL);
        assert_non_null(strstr(reason, "expected a number of tasks"));
        assert_int_equal(setting_set(setting_find("memory-max"), &settings.values, value, reason), -EINVAL);
        assert_non_null(strstr(reason, "expected at least 16M"));

        services = &settings.values.services;
        value[0] = '/';
        assert_int_equal(setting_set(setting_find("bind"), &settings.values, value, reason), 0);
        assert_string_equal(services->binds, value);
        assert_int_equal(setting_set(setting_find("image"), &settings.values, value, reason), 0);
        assert_string_equal(services->image, value);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_every_row),
                TEST(test_courses_inherit),
                cmocka_unit_test(test_sorted),
                cmocka_unit_test(test_members_have_the_size_of_their_kind),
                cmocka_unit_test(test_long_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

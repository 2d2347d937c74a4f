/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* FRR's part: what the settings want, and how it is compared with what FRR has loaded. */

#include "fixture.h"

#include "base/frr-config.h"

#define HOSTS                                                                                                \
        "[hosts]\nmembers = hosta=192.0.2.1\nmembers = hostb=192.0.2.2\nmembers = hostc=192.0.2.3\n"         \
        "store = https://192.0.2.1:2379\n"

#define OWN 0xc0000202U /* hostb */

/* As FRR 10.3 prints it. */
#define GROUP                                                                                                \
        " neighbor coursenet peer-group\n neighbor coursenet remote-as 65000\n"                              \
        " neighbor coursenet update-source 192.0.2.2\n neighbor coursenet timers 3 9\n"                      \
        " neighbor coursenet timers connect 5\n"
#define NEIGHBOURS " neighbor 192.0.2.1 peer-group coursenet\n neighbor 192.0.2.3 peer-group coursenet\n"
#define EVPN                                                                                                 \
        " address-family l2vpn evpn\n  neighbor coursenet activate\n  advertise-all-vni\n"                   \
        "  no dup-addr-detection\n exit-address-family\n"
#define UNICAST " address-family ipv4 unicast\n  no neighbor coursenet activate\n exit-address-family\n"

static void want(const char *conf, struct frr_router *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};

        write_file(SETTINGS_FILE, conf);
        assert_true(settings_load(etc, &settings, &diagnostics) >= 0);
        assert_clean(&diagnostics);
        assert_int_equal(frr_config_make(&settings, OWN, ret), 0);
}

static void load(const char *text, struct frr_router *ret) {
        _cleanup_fclose_ FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "re");

        assert_non_null(file);
        assert_int_equal(frr_router_read(file, ret), 0);
}

static size_t count_unfulfilled(const struct frr_router *wanted, const struct frr_router *loaded) {
        size_t n = 0;

        for (size_t i = 0; i < wanted->n_lines; i++)
                n += !frr_router_fulfils(loaded, &wanted->lines[i]);
        return n;
}

/* Without its comments. To be freed. */
static char *print(
        const struct frr_router *wanted, const struct frr_router *loaded, const struct frr_router *before) {
        _cleanup_free_ char *text = NULL;
        char *ret = NULL;
        size_t size;
        FILE *whole = open_memstream(&text, &size), *file;

        assert_non_null(whole);
        if (wanted)
                frr_config_print(wanted, loaded, before, whole);
        else
                frr_removal_print(loaded, before, whole);
        assert_int_equal(fclose(whole), 0);
        file = open_memstream(&ret, &size);
        assert_non_null(file);
        for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
                if (line[0] && line[strspn(line, " ")] != '!')
                        (void)fprintf(file, "%s\n", line);
        assert_int_equal(fclose(file), 0);
        return ret;
}

static void test_whole(void **state) {
        _cleanup_frr_router_ struct frr_router wanted = {0}, again = {0};
        _cleanup_free_ char *text = NULL;

        (void)state;
        want(HOSTS, &wanted);
        text = print(&wanted, NULL, NULL);
        assert_string_equal(
                text, "router bgp 65000\n bgp router-id 192.0.2.2\n" GROUP NEIGHBOURS UNICAST EVPN "exit\n");
        load(text, &again);
        assert_int_equal(again.asn, 65000);
        assert_int_equal(count_unfulfilled(&wanted, &again), 0);
        assert_true(frr_router_is_ours(&again));
}

static void test_reflectors(void **state) {
        _cleanup_frr_router_ struct frr_router wanted = {0};

        (void)state;
        want(HOSTS "asn = 4200000000\nroute-reflectors = 198.51.100.7\n", &wanted);
        assert_int_equal(wanted.asn, 4200000000);
        assert_true(frr_router_has(&wanted, FRR_ROUTER, "neighbor coursenet remote-as 4200000000"));
        assert_true(frr_router_has(&wanted, FRR_ROUTER, "neighbor 198.51.100.7 peer-group coursenet"));
        assert_false(frr_router_has(&wanted, FRR_ROUTER, "neighbor 192.0.2.1 peer-group coursenet"));
}

/* The site's own lines stay, and count where they do the same. */
static void test_site(void **state) {
        _cleanup_frr_router_ struct frr_router wanted = {0}, loaded = {0};
        const struct frr_router none = {0};
        _cleanup_free_ char *text = NULL;
        char address[INET_ADDRSTRLEN];
        size_t n_taken = 0;

        (void)state;
        want(HOSTS, &wanted);
        load("frr version 10.3\nhostname hostb\n!\nrouter bgp 65001 vrf red\n neighbor 192.0.2.9 remote-as "
             "1\n"
             "exit\n!\nrouter bgp 65000\n bgp router-id 10.9.9.9\n no bgp default ipv4-unicast\n"
             " neighbor 192.0.2.1 remote-as 65000\n !\n address-family l2vpn evpn\n  advertise-all-vni\n"
             " exit-address-family\nexit\n!\nline vty\n neighbor 192.0.2.3 remote-as 65000\n",
                &loaded);
        assert_int_equal(loaded.asn, 65000);
        assert_false(frr_router_has_group(&loaded));
        assert_false(frr_router_is_ours(&loaded));
        for (size_t i = 0; i < wanted.n_lines; i++)
                if (frr_line_is_taken(&loaded, &wanted.lines[i], address)) {
                        assert_string_equal(address, "192.0.2.1");
                        n_taken++;
                }
        assert_int_equal(n_taken, 1);
        text = print(&wanted, &loaded, &none);
        assert_string_equal(text,
                "router bgp 65000\n" GROUP " neighbor 192.0.2.3 peer-group coursenet\n"
                " address-family ipv4 unicast\n exit-address-family\n"
                " address-family l2vpn evpn\n  neighbor coursenet activate\n  no dup-addr-detection\n"
                " exit-address-family\nexit\n");
}

static void test_member_that_has_gone(void **state) {
        _cleanup_frr_router_ struct frr_router wanted = {0}, loaded = {0};
        char address[INET_ADDRSTRLEN];
        size_t n_stale = 0;

        (void)state;
        want(HOSTS, &wanted);
        load("router bgp 65000\n bgp router-id 192.0.2.2\n" GROUP NEIGHBOURS
             " neighbor 192.0.2.4 peer-group coursenet\n neighbor 192.0.2.5 peer-group rack\n !\n" UNICAST
             " !\n" EVPN "exit\n",
                &loaded);
        assert_int_equal(count_unfulfilled(&wanted, &loaded), 0);
        for (size_t i = 0; i < loaded.n_lines; i++)
                if (frr_line_is_stale(&wanted, &loaded.lines[i], address)) {
                        assert_string_equal(address, "192.0.2.4");
                        n_stale++;
                }
        assert_int_equal(n_stale, 1);
        /* A neighbour in another group is the site's. */
        assert_false(frr_router_is_ours(&loaded));
}

/* What the site had itself stays when coursenet's part goes, and so does all that is in another group. */
static void test_removal(void **state) {
        _cleanup_frr_router_ struct frr_router loaded = {0}, before = {0};
        _cleanup_free_ char *some = NULL, *all = NULL;

        (void)state;
        load("router bgp 65000\n bgp router-id 192.0.2.2\n" GROUP " address-family l2vpn evpn\n"
             "  no dup-addr-detection\n exit-address-family\nexit\n",
                &before);
        load("router bgp 65000\n bgp router-id 192.0.2.2\n" GROUP NEIGHBOURS
             " neighbor 192.0.2.5 peer-group rack\n !\n" EVPN "exit\n",
                &loaded);
        some = print(NULL, &loaded, &before);
        assert_string_equal(some,
                "router bgp 65000\n no neighbor coursenet peer-group\n no bgp router-id 192.0.2.2\n"
                " address-family l2vpn evpn\n  dup-addr-detection\n exit-address-family\nexit\n");
        frr_router_done(&loaded);
        load("router bgp 65000\n bgp router-id 192.0.2.2\n" GROUP NEIGHBOURS EVPN "exit\n", &loaded);
        all = print(NULL, &loaded, &before);
        assert_string_equal(all, "no router bgp 65000\n");
}

/* before is what coursenet had loaded. */
static void test_removal_of_what_was_there(void **state) {
        _cleanup_frr_router_ struct frr_router loaded = {0}, before = {0};
        _cleanup_free_ char *text = NULL;

        (void)state;
        load("router bgp 65000\n" GROUP
             " address-family l2vpn evpn\n  advertise-all-vni\n exit-address-family\n"
             "exit\n",
                &before);
        load("router bgp 65000\n" GROUP " neighbor 192.0.2.5 peer-group rack\n" EVPN "exit\n", &loaded);
        text = print(NULL, &loaded, &before);
        assert_string_equal(text,
                "router bgp 65000\n no neighbor coursenet peer-group\n address-family l2vpn evpn\n"
                "  no advertise-all-vni\n exit-address-family\nexit\n");
}

static void test_nothing_loaded(void **state) {
        _cleanup_frr_router_ struct frr_router wanted = {0}, loaded = {0};

        (void)state;
        want(HOSTS, &wanted);
        load("frr version 8.4.4\nhostname hostb\nlog syslog informational\n!\nend\n", &loaded);
        assert_int_equal(loaded.asn, 0);
        assert_int_equal(count_unfulfilled(&wanted, &loaded), wanted.n_lines);
        assert_false(frr_router_is_ours(&loaded));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole),
                cmocka_unit_test(test_reflectors),
                cmocka_unit_test(test_site),
                cmocka_unit_test(test_member_that_has_gone),
                cmocka_unit_test(test_removal),
                cmocka_unit_test(test_removal_of_what_was_there),
                cmocka_unit_test(test_nothing_loaded),
        };

        return cmocka_run_group_tests(tests, make_etc, remove_etc);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Firewalls of other programs, in the kernel's nftables, and the warning about each. */

#include "netsetup/firewall/foreign-firewall.h"
#include "sandbox.h"

static const struct bridge_plan courses[] = {
        {.course = "123",
                .name = "br-123",
                .address6 = {.bytes = {0xfd, 1}, .prefix = 64},
                .traffic = {.nat = true, .nat6 = CHOICE_YES}},
        {.course = "377", .name = "br-377", .traffic = {.nat = true}},
};

static void check_courses(
        struct sandbox *sandbox, const struct bridge_plan *plans, size_t n_plans, bool dns) {
        _cleanup_free_ char *text = calloc(1, 1U << 20);
        _cleanup_fclose_ FILE *file = NULL;

        diagnostics_done(&sandbox->diagnostics);
        assert_shell("nft -j list ruleset >/run/rules");
        file = fopen("/run/rules", "re");
        assert_non_null(file);
        assert_true(fread(text, 1, (1U << 20) - 1, file) > 0);
        assert_int_equal(foreign_firewall_check(text, plans, n_plans, dns, &sandbox->diagnostics), 0);
}

static void check(struct sandbox *sandbox) {
        check_courses(sandbox, courses, ELEMENTSOF(courses), true);
}

/* Applies rules in nft's language. */
static void apply(const char *rules) {
        write_file("/run/new-rules", rules);
        assert_shell("nft -f /run/new-rules");
}

static void assert_one_warning(struct sandbox *sandbox, const char *text) {
        check(sandbox);
        assert_warning(sandbox, text);
        assert_int_equal(sandbox->diagnostics.n_items, 1);
}

static void assert_nothing_said(struct sandbox *sandbox) {
        check(sandbox);
        assert_silence(sandbox);
}

static void no_firewall_is_no_finding(void **state) {
        assert_nothing_said(*state);
}

static void what_only_accepts_is_no_finding(void **state) {
        apply("table inet a { chain f { type filter hook forward priority 0; policy accept; tcp dport 25 "
              "drop; "
              "iifname eth7 drop; }; chain i { type filter hook input priority 0; ip saddr 192.0.2.1 reject; "
              "}; "
              "chain o { type filter hook output priority 0; policy drop; }; chain unused { drop; }; }");
        apply("table bridge b { chain f { type filter hook forward priority 0; policy drop; }; }");
        assert_nothing_said(*state);
}

static void our_own_tables_are_no_finding(void **state) {
        apply("table inet coursenet { chain f { type filter hook forward priority 0; policy drop; }; }");
        apply("table inet coursenet_fence { chain i { type filter hook input priority 0; policy drop; }; }");
        assert_nothing_said(*state);
}

/* As iptables-nft makes it of Docker's iptables -P FORWARD DROP. */
static void dockers_chain_is_opened_by_its_own_means(void **state) {
        apply("table ip filter { chain DOCKER-USER { counter return; }; chain DOCKER { }; "
              "chain FORWARD { type filter hook forward priority 0; policy drop; counter jump DOCKER-USER; "
              "oifname docker0 ct state related,established counter accept; "
              "iifname docker0 oifname != docker0 counter accept; }; }");
        check(*state);
        assert_warning(*state,
                "table ip filter: warning: Docker's chain FORWARD drops packets by default and has no rule "
                "for the courses' bridges, so seats reach no other network: iptables -I DOCKER-USER -m "
                "devgroup --src-group 25454 -j ACCEPT; iptables -I DOCKER-USER -m devgroup --dst-group 25454 "
                "-j "
                "ACCEPT (to keep them: two ExecStartPost=/usr/sbin/iptables lines, by systemctl edit "
                "docker)");

        apply("insert rule ip filter DOCKER-USER oifgroup 25454 accept");
        check(*state);
        assert_warning(*state, "Docker's chain FORWARD");
        apply("insert rule ip filter DOCKER-USER iifgroup 25454 accept");
        assert_nothing_said(*state);
}

static void one_bridge_that_was_let_through_leaves_the_other(void **state) {
        apply("table ip filter { chain DOCKER-USER { iifname br-123 accept; oifname br-123 accept; }; "
              "chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }; }");
        assert_one_warning(*state, "and has no rule for br-377, so");
        apply("add rule ip filter DOCKER-USER iifname \"br-*\" accept");
        apply("add rule ip filter DOCKER-USER oifname \"br-*\" accept");
        assert_nothing_said(*state);
}

static void a_chain_of_iptables_is_opened_by_it(void **state) {
        apply("table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }");
        assert_one_warning(*state,
                ": iptables -I FORWARD -m devgroup --src-group 25454 -j ACCEPT; iptables -I FORWARD -m "
                "devgroup --dst-group 25454 -j ACCEPT (to keep it: netfilter-persistent save)");
        apply("flush ruleset");
        apply("table ip filter { chain INPUT { type filter hook input priority 0; policy drop; }; }");
        assert_one_warning(*state, ": iptables -I INPUT -m devgroup --src-group 25454 -j ACCEPT (to keep it: "
                                   "netfilter-persistent save)");
}

static void many_bridges_are_not_all_named(void **state) {
        struct bridge_plan plans[40] = {0};

        for (unsigned i = 0; i < ELEMENTSOF(plans); i++) {
                (void)snprintf(plans[i].course, sizeof(plans[i].course), "%u", 100 + i);
                (void)snprintf(plans[i].name, sizeof(plans[i].name), "br-%u", 100 + i);
                plans[i].traffic.nat = true;
        }
        apply("table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; "
              "iifname br-100 accept; oifname br-100 accept; }; }");
        check_courses(*state, plans, ELEMENTSOF(plans), false);
        assert_warning(*state, "br-101, br-102, ");
        assert_warning(*state, ", ..., so");
}

static void ufw_has_commands_for_both_chains(void **state) {
        apply("table ip filter { chain ufw-before-input { ct state related,established accept; }; "
              "chain ufw-before-forward { ct state related,established accept; }; chain ufw-user-forward { "
              "}; "
              "chain ufw-user-input { }; "
              "chain INPUT { type filter hook input priority 0; policy drop; jump ufw-before-input; "
              "jump ufw-user-input; }; "
              "chain FORWARD { type filter hook forward priority 0; policy drop; jump ufw-before-forward; "
              "jump ufw-user-forward; }; }");
        check(*state);
        assert_warning(*state, "ufw's chain FORWARD");
        assert_warning(*state, "seats reach no other network: ufw route allow in on br-+");
        assert_warning(*state, "seats cannot ask the host for names: ufw allow in on br-+");

        apply("add rule ip filter ufw-user-forward iifname \"br-*\" accept");
        apply("add rule ip filter ufw-user-input iifname \"br-*\" accept");
        assert_nothing_said(*state);
}

/* Docker calls the bridges of its networks br- and twelve hexadecimal digits. */
static void beside_docker_no_pattern_is_recommended(void **state) {
        apply("table ip filter { chain DOCKER-USER { iifgroup 25454 accept; oifgroup 25454 accept; }; "
              "chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }; "
              "chain ufw-before-input { }; "
              "chain INPUT { type filter hook input priority 0; policy drop; jump ufw-before-input; }; }");
        assert_one_warning(*state, "names: ufw allow in on br-123; ufw allow in on br-377");
}

/* What firewalld 1.3 makes; 2.3 differs in the names of the chains. */
static void firewalld_is_told_by_its_own_zones(void **state) {
        apply("table inet firewalld { chain filter_FWD_public { jump filter_FWD_public_allow; }; "
              "chain filter_FWD_public_allow { oifname eth0 accept; }; chain filter_FWD_trusted { accept; }; "
              "chain filter_FORWARD_ZONES { goto filter_FWD_public; }; "
              "chain filter_FORWARD { type filter hook forward priority 10; policy accept; "
              "ct state { established, related } accept; ct status dnat accept; iifname lo accept; "
              "ct state invalid drop; jump filter_FORWARD_ZONES; reject with icmpx admin-prohibited; }; "
              "chain filter_INPUT { type filter hook input priority 10; policy accept; "
              "ct state { established, related } accept; ct status dnat accept; "
              "reject with icmpx admin-prohibited; }; }");
        assert_one_warning(*state,
                "table inet firewalld: warning: firewalld's chain filter_FORWARD drops packets by default "
                "and has no rule for the courses' bridges, so seats reach no other network: firewall-cmd "
                "--permanent --zone=trusted --add-interface=br-+; firewall-cmd --reload");

        apply("insert rule inet firewalld filter_FORWARD_ZONES iifname \"br-*\" goto filter_FWD_trusted");
        assert_nothing_said(*state);
}

static void an_admins_own_rules_are_told_in_nfts_words(void **state) {
        apply("table inet campus { chain fw { type filter hook forward priority 0; policy drop; "
              "ct state vmap { established : accept, related : accept, invalid : drop }; }; "
              "chain inp { type filter hook input priority 0; ct state established accept; tcp dport 22 "
              "accept; "
              "log prefix \"lost \" counter drop; }; }");
        check(*state);
        assert_warning(*state,
                "table inet campus: warning: chain fw drops packets by default and has no rule for the "
                "courses' bridges, so seats reach no other network: nft insert rule inet campus fw iifgroup "
                "25454 accept, and the same with oifgroup (to keep it: in that chain of /etc/nftables.conf");
        assert_warning(*state, "chain inp drops packets by default");
        assert_int_equal(((struct sandbox *)*state)->diagnostics.n_items, 2);

        apply("insert rule inet campus inp iifgroup 25454 accept");
        apply("insert rule inet campus fw iifgroup 25454 accept");
        assert_nothing_said(*state);
}

static void every_way_to_name_a_bridge_counts(void **state) {
        static const char *const rules[] = {
                "iifname { br-123, br-377, eth3 } accept",
                "iifname \"br-*\" accept",
                "iifname br-123 accept; iifname br-377 accept",
                "iifgroup { 7, 25454 } accept",
                "iifname vmap { br-123 : accept, br-377 : jump seats }",
                "iifname . oifname { br-123 . eth0, br-377 . eth0 } accept",
                "iifname @courses accept",
                "iifname vmap @verdicts",
                "ip protocol vmap { tcp : jump courses }",
                "jump courses",
        };

        for (size_t i = 0; i < ELEMENTSOF(rules); i++) {
                char text[1024];

                (void)snprintf(text, sizeof(text),
                        "flush ruleset; table ip t { set courses { type ifname; elements = { br-123, br-377 "
                        "}; }; "
                        "map verdicts { type ifname : verdict; elements = { br-123 : accept, br-377 : accept "
                        "}; "
                        "}; chain seats { }; chain courses { iifname { br-123, br-377 } accept; }; "
                        "chain f { type filter hook forward priority 0; policy drop; ct state established "
                        "accept; %s; }; }",
                        rules[i]);
                apply(text);
                print_message("%s\n", rules[i]);
                assert_nothing_said(*state);
        }
}

static void what_names_it_to_drop_or_something_else_does_not_count(void **state) {
        static const char *const rules[] = {
                "iifname \"br-*\" drop",
                "iifname != \"br-*\" accept",
                "iifname br-1234 accept",
                "iifname eth0 accept",
                "oifname \"br-*\" accept",
                "iifgroup 7 accept",
                "iifname @others accept",
        };

        for (size_t i = 0; i < ELEMENTSOF(rules); i++) {
                char text[1024];

                (void)snprintf(text, sizeof(text),
                        "flush ruleset; table ip t { set others { type ifname; elements = { eth1 }; }; "
                        "chain other { iifname \"br-*\" accept; }; "
                        "chain f { type filter hook forward priority 0; policy drop; ct state established "
                        "accept; %s; }; }",
                        rules[i]);
                apply(text);
                print_message("%s\n", rules[i]);
                assert_one_warning(*state, "table ip t: warning: chain f drops");
        }
}

/* Without a rule for what comes back, nothing works either. */
static void the_way_back_is_needed_too(void **state) {
        apply("table ip t { chain f { type filter hook forward priority 0; policy drop; iifgroup 25454 "
              "accept; }; "
              "}");
        assert_one_warning(*state, "chain f drops");
        apply("add rule ip t f oifgroup 25454 accept");
        assert_nothing_said(*state);
}

static void only_what_a_course_uses_matters(void **state) {
        static const struct bridge_plan closed = {.name = "br-1", .traffic = {.nat = false}};
        static const struct bridge_plan routed = {.name = "br-1", .traffic = {.nat = false, .inbound = true}};
        struct sandbox *sandbox = *state;

        apply("table ip6 t { chain f { type filter hook forward priority 0; policy drop; }; }");
        check_courses(sandbox, &courses[1], 1, true);
        assert_silence(sandbox);
        check_courses(sandbox, &courses[0], 1, true);
        assert_warning(sandbox, "table ip6 t: warning: chain f");

        apply("flush ruleset; table inet t { chain f { type filter hook forward priority 0; policy drop; }; "
              "chain i { type filter hook input priority 0; policy drop; }; }");
        check_courses(sandbox, &closed, 1, false);
        assert_silence(sandbox);
        check_courses(sandbox, &closed, 1, true);
        assert_warning(sandbox, "chain i drops");
        assert_int_equal(sandbox->diagnostics.n_items, 1);
        check_courses(sandbox, &routed, 1, false);
        assert_warning(sandbox, "chain f drops");
        assert_int_equal(sandbox->diagnostics.n_items, 1);
}

static void what_is_no_list_is_an_error(void **state) {
        static const char *const texts[] = {
                "", "x", "{}", "[]", "7", "{\"nftables\": 7}", "{\"nftables\": null}"};
        struct sandbox *sandbox = *state;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(
                        foreign_firewall_check(texts[i], courses, 2, true, &sandbox->diagnostics), -EINVAL);
        assert_int_equal(
                foreign_firewall_check("{\"nftables\": [7, null, {\"chain\": 7}, {\"rule\": []}, {\"chain\": "
                                       "{\"hook\": \"input\", \"family\": \"ip\", \"policy\": 7}}]}",
                        courses, 2, true, &sandbox->diagnostics),
                0);
        assert_silence(sandbox);
}

static void legacy_rules_are_said_to_be_unseen(void **state) {
        struct sandbox *sandbox = *state;

        foreign_firewall_check_legacy("/run", &sandbox->diagnostics);
        write_file("/run/ip_tables_names", "nat\n");
        foreign_firewall_check_legacy("/run", &sandbox->diagnostics);
        assert_silence(sandbox);
        write_file("/run/ip6_tables_names", "nat\nfilter\n");
        foreign_firewall_check_legacy("/run", &sandbox->diagnostics);
        assert_warning(sandbox, "/run/ip6_tables_names: warning: there are rules of ip6tables-legacy");
        assert_int_equal(sandbox->diagnostics.n_items, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(no_firewall_is_no_finding),
                sandbox_test(what_only_accepts_is_no_finding),
                sandbox_test(our_own_tables_are_no_finding),
                sandbox_test(dockers_chain_is_opened_by_its_own_means),
                sandbox_test(one_bridge_that_was_let_through_leaves_the_other),
                sandbox_test(ufw_has_commands_for_both_chains),
                sandbox_test(a_chain_of_iptables_is_opened_by_it),
                sandbox_test(many_bridges_are_not_all_named),
                sandbox_test(beside_docker_no_pattern_is_recommended),
                sandbox_test(firewalld_is_told_by_its_own_zones),
                sandbox_test(an_admins_own_rules_are_told_in_nfts_words),
                sandbox_test(every_way_to_name_a_bridge_counts),
                sandbox_test(what_names_it_to_drop_or_something_else_does_not_count),
                sandbox_test(the_way_back_is_needed_too),
                sandbox_test(only_what_a_course_uses_matters),
                sandbox_test(what_is_no_list_is_an_error),
                sandbox_test(legacy_rules_are_said_to_be_unseen),
        };

        return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}

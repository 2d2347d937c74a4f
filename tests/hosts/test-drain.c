/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which members get no new seats, and how the member itself hears of it. */

#include <json-c/json.h>

#include "claim-value.h"
#include "drain.h"
#include "mirror-keys.h"
#include "run-state.h"
#include "tests/unit/fixture.h"

static const struct settings settings = {
        .hosts = {.n_members = 4,
                .members = {"hosta=192.0.2.1", "hostb=192.0.2.2", "hostc=192.0.2.3", "hostd=192.0.2.4"}}};

static char root[128];
static struct mirror mirror;
static struct drain_file file;

static int begin(void **state) {
        if (make_etc(state) < 0)
                return -1;
        (void)snprintf(root, sizeof(root), "%s/hosts", etc);
        mirror = (struct mirror){0};
        file = (struct drain_file){.settings = &settings, .mirror = &mirror, .own = "hostb", .root = root};
        if (sd_event_new(&file.event) < 0 || drain_file_begin(&file) < 0)
                return -1;
        return run_state_make(root);
}

static int end(void **state) {
        mirror_keys_done(&mirror);
        drain_file_done(&file);
        (void)sd_event_unref(file.event);
        return remove_etc(state);
}

/* NULL: there is no file. */
static const char *read_drained(void) {
        static char text[512];
        const char *path = etc_path("hosts/drained");
        FILE *stream = fopen(path, "re");
        size_t n;

        if (!stream)
                return NULL;
        n = fread(text, 1, sizeof(text) - 1, stream);
        text[n] = '\0';
        (void)fclose(stream);
        return text;
}

static void change(const char *key, const char *value) {
        mirror_keys_set(&mirror, key, value);
        drain_file_key_changed(&file, key);
}

static void run_loop(void) {
        while (sd_event_run(file.event, 0) > 0)
                ;
}

static void load(void) {
        mirror.revision = 1;
        drain_file_loaded(&file);
        run_loop();
}

static void test_the_file_follows_the_own_key(void **state) {
        (void)state;
        change(STORE_MEMBERS "hosta", "{}");
        change(STORE_MEMBERS "hostb", "{}");
        change(STORE_MEMBERS "hostd", "{}");
        load();
        assert_null(read_drained());
        change(STORE_DRAIN "hosta", "{}");
        run_loop();
        assert_null(read_drained());
        change(STORE_DRAIN "hostb", "{}");
        run_loop();
        /* hosta is drained, too, and hostc is down. */
        assert_string_equal(read_drained(), "hostd");
        change(STORE_DRAIN "hosta", NULL);
        change(STORE_MEMBERS "hostc", "{}");
        run_loop();
        assert_string_equal(read_drained(), "hosta hostc hostd");
        change(STORE_DRAIN "hostb", NULL);
        run_loop();
        assert_null(read_drained());
}

/* A program that starts while the store cannot be reached. */
static void test_the_file_stays_until_the_store_is_known(void **state) {
        (void)state;
        assert_int_equal(run_state_set_drained(root, "hosta"), 0);
        run_loop();
        assert_string_equal(read_drained(), "hosta");
        /* The first keys of a snapshot. */
        change(STORE_MEMBERS "hosta", "{}");
        assert_string_equal(read_drained(), "hosta");
        load();
        assert_null(read_drained());
}

/* The snapshot has this member's own key last. */
static void test_a_member_that_starts_late(void **state) {
        (void)state;
        assert_int_equal(run_state_set_drained(root, "hosta"), 0);
        change(STORE_MEMBERS "hosta", "{}");
        mirror.revision = 1;
        change(STORE_DRAIN "hostb", "{}");
        run_loop();
        assert_string_equal(read_drained(), "hosta");
}

static void test_nobody_else(void **state) {
        (void)state;
        change(STORE_DRAIN "hostb", "{}");
        load();
        assert_string_equal(read_drained(), "");
}

static bool gets_seats(void *userdata, const char *member) {
        (void)userdata;
        (void)member;
        return true;
}

static void test_names_fit(void **state) {
        struct settings many = {.hosts = {.n_members = DRAIN_NAMED_MAX + 2}};
        char names[DRAIN_NAMES_SIZE];

        (void)state;
        for (size_t i = 0; i < many.hosts.n_members; i++)
                (void)snprintf(many.hosts.members[i], sizeof(many.hosts.members[i]), "%c%031d=192.0.2.1",
                        (int)('a' + i), 0);
        drain_name_others(&many, "x", gets_seats, NULL, names);
        assert_int_equal(strlen(names), DRAIN_NAMES_SIZE - 1);
        assert_int_equal(names[strlen(names) - 32], 'a' + (int)DRAIN_NAMED_MAX - 1);
        drain_name_others(&settings, "hosta", gets_seats, NULL, names);
        assert_string_equal(names, "hostb hostc hostd");
}

static void test_members(void **state) {
        (void)state;
        change(STORE_MEMBERS "other", "{}");
        change(STORE_DRAIN "gone", "{}");
        assert_true(drain_knows(&settings, &mirror, "hostc"));
        assert_true(drain_knows(&settings, &mirror, "other"));
        assert_true(drain_knows(&settings, &mirror, "gone"));
        assert_false(drain_knows(&settings, &mirror, "hoste"));
}

static json_object *member(json_object *object, const char *name) {
        json_object *found = NULL;

        assert_true(json_object_object_get_ex(object, name, &found));
        return found;
}

/* Who drained it first is not overwritten: the key is set only if there is none. */
static void test_bodies(void **state) {
        char *body = drain_body("hostb", true, "root", 7);
        json_object *object = json_tokener_parse(body), *compare;

        (void)state;
        compare = json_object_array_get_idx(member(object, "compare"), 0);
        assert_string_equal(json_text(compare, "target"), "MOD");
        assert_int_equal(json_number(compare, "mod_revision"), 0);
        /* {"by":"root","since":7} */
        assert_non_null(strstr(body, "eyJieSI6InJvb3QiLCJzaW5jZSI6N30="));
        json_object_put(object);
        free(body);
        body = drain_body("hostb", false, "root", 7);
        assert_non_null(strstr(body, "request_delete_range"));
        assert_null(strstr(body, "compare"));
        free(body);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_the_file_follows_the_own_key, begin, end),
                cmocka_unit_test_setup_teardown(test_the_file_stays_until_the_store_is_known, begin, end),
                cmocka_unit_test_setup_teardown(test_a_member_that_starts_late, begin, end),
                cmocka_unit_test_setup_teardown(test_nobody_else, begin, end),
                cmocka_unit_test(test_names_fit),
                cmocka_unit_test_setup_teardown(test_members, begin, end),
                cmocka_unit_test(test_bodies),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `status`: how units, leases and rosters are merged. */

#include "fixture.h"

#include "ctl/status/snapshot.h"

struct world {
        struct site site;
        struct unit_list units;
        struct lease_list leases;
        struct snapshot snapshot;
};

static int setup(void **state) {
        struct world *world = calloc(1, sizeof(*world));

        *state = world;
        if (!world || make_etc(NULL) < 0)
                return -1;
        write_file("roster.d/123", "amy 10\nbob 11\n#removed carl 100\n");
        write_file("roster.d/377", "zed 10\n");
        return 0;
}

static int teardown(void **state) {
        struct world *world = *state;

        snapshot_done(&world->snapshot);
        lease_list_done(&world->leases);
        unit_list_done(&world->units);
        site_done(&world->site);
        free(world);
        return remove_etc(state);
}

static void add_lease(struct world *world, const char *seat, const char *user, uint64_t since_usec) {
        struct lease_list *list = &world->leases;

        list->leases = reallocarray(list->leases, list->n_leases + 1, sizeof(*list->leases));
        assert_non_null(list->leases);
        reply_init(&list->leases[list->n_leases], REPLY_LEASE);
        protocol_copy_text(list->leases[list->n_leases].seat, sizeof(list->leases->seat), seat);
        protocol_copy_text(list->leases[list->n_leases].user, sizeof(list->leases->user), user);
        list->leases[list->n_leases++].since_usec = since_usec;
}

static void add_lingering(struct world *world, const char *seat, const char *user, pid_t pid) {
        struct lease_list *list = &world->leases;
        struct reply *reply;

        list->lingering = reallocarray(list->lingering, list->n_lingering + 1, sizeof(*list->lingering));
        assert_non_null(list->lingering);
        reply = &list->lingering[list->n_lingering++];
        reply_init(reply, REPLY_KEPT);
        protocol_copy_text(reply->seat, sizeof(reply->seat), seat);
        protocol_copy_text(reply->user, sizeof(reply->user), user);
        reply->pid = pid;
        reply->address = 0x0a630001;
        reply->prefix = 16;
}

static void add_unit(struct world *world, const char *name, const char *active_state) {
        assert_int_equal(unit_list_add(&world->units, name, active_state), 0);
}

static void make(struct world *world) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        snapshot_done(&world->snapshot);
        site_done(&world->site);
        assert_int_equal(site_load(etc, &world->site, &diagnostics), 0);
        assert_int_equal(
                snapshot_make(etc, &world->site, &world->units, &world->leases, &world->snapshot), 0);
}

static void assert_address(const struct snapshot_seat *seat, const char *expected) {
        char text[ADDRESS_TEXT_SIZE];

        assert_true(seat->has_address);
        address_format(&seat->address, text);
        assert_string_equal(text, expected);
}

static void test_nothing_is_up(void **state) {
        struct world *world = *state;

        make(world);
        assert_int_equal(world->snapshot.n_seats, 0);

        add_unit(world, "nsbr@12310.service", "inactive");
        add_unit(world, "netns@12310.service", "inactive");
        /* A container that failed lies about, long after its seat is gone. */
        add_unit(world, "cont@12310.service", "failed");
        /* Units of an administrator's own. */
        add_unit(world, "cont@test123.service", "active");
        add_unit(world, "netns@test.service", "active");
        add_unit(world, "netbr@123.service", "active");
        add_unit(world, "sshd@1.service", "active");
        make(world);
        assert_int_equal(world->snapshot.n_seats, 0);
}

static void test_states(void **state) {
        static const struct {
                const char *netns, *nsbr, *cont, *state, *container;
        } rows[] = {
                {"active", "active", "active", "up", "running"},
                {"active", "active", "activating", "up", "starting"},
                {"active", "active", "failed", "up", "failed"},
                {"active", "active", "inactive", "up", "none"},
                {"active", "active", "deactivating", "up", "none"},
                {"active", "activating", "inactive", "starting", "none"},
                {"activating", "inactive", "inactive", "starting", "none"},
                {"active", "deactivating", "inactive", "stopping", "none"},
                {"deactivating", "inactive", "inactive", "stopping", "none"},
                {"active", "failed", "inactive", "failed", "none"},
                {"inactive", "failed", "inactive", "failed", "none"},
                {"failed", "inactive", "inactive", "failed", "none"},
        };
        struct world *world = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                unit_list_done(&world->units);
                add_unit(world, "cont@12310.service", rows[i].cont);
                add_unit(world, "nsbr@12310.service", rows[i].nsbr);
                add_unit(world, "netns@12310.service", rows[i].netns);
                make(world);
                assert_int_equal(world->snapshot.n_seats, 1);
                assert_string_equal(world->snapshot.seats[0].state, rows[i].state);
                assert_string_equal(world->snapshot.seats[0].container, rows[i].container);
        }
}

static void test_names_and_order(void **state) {
        struct world *world = *state;
        const struct snapshot_seat *seats;

        add_unit(world, "nsbr@37710.service", "active");
        add_unit(world, "nsbr@123100.service", "active");
        add_unit(world, "nsbr@12311.service", "active");
        add_unit(world, "nsbr@12350.service", "active");
        make(world);

        seats = world->snapshot.seats;
        assert_int_equal(world->snapshot.n_seats, 4);
        assert_string_equal(seats[0].seat, "12311");
        assert_string_equal(seats[0].user, "cs123-bob");
        assert_string_equal(seats[0].course, "123");
        assert_string_equal(seats[0].netns, "ns12311");
        assert_address(&seats[0], "10.0.123.11/24");

        /* On no roster, started by hand. */
        assert_string_equal(seats[1].seat, "12350");
        assert_string_equal(seats[1].user, "");
        assert_address(&seats[1], "10.0.123.50/24");

        /* Removed, but not gone yet. */
        assert_string_equal(seats[2].seat, "123100");
        assert_string_equal(seats[2].user, "cs123-carl");

        assert_string_equal(seats[3].seat, "37710");
        assert_address(&seats[3], "10.1.121.10/24");
}

static void test_leases(void **state) {
        struct world *world = *state;
        const struct snapshot_seat *seats;

        add_unit(world, "nsbr@12310.service", "active");
        add_unit(world, "nsbr@12311.service", "active");
        add_lease(world, "37710", "cs377-zed", 5);
        add_lease(world, "12310", "cs123-amy", 3);
        add_lease(world, "12310", "cs123-amy", 1);
        add_lease(world, "12310", "cs123-amy", 2);
        make(world);

        seats = world->snapshot.seats;
        assert_int_equal(world->snapshot.n_seats, 3);
        assert_string_equal(seats[0].seat, "12310");
        assert_int_equal(seats[0].n_leases, 3);
        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(seats[0].leases[i].since_usec, i + 1);

        /* It lingers. */
        assert_string_equal(seats[1].seat, "12311");
        assert_int_equal(seats[1].n_leases, 0);

        /* A lease comes before the units that it starts. */
        assert_string_equal(seats[2].seat, "37710");
        assert_int_equal(seats[2].n_leases, 1);
        assert_string_equal(seats[2].state, "starting");
        assert_string_equal(seats[2].user, "cs377-zed");
}

static void test_kept_seats(void **state) {
        struct world *world = *state;
        const struct snapshot_seat *seats;

        add_unit(world, "nsbr@12310.service", "active");
        add_unit(world, "nsbr@12311.service", "active");
        add_unit(world, "nsbr@12350.service", "active");
        add_lingering(world, "12311", "cs123-bob", 0);
        add_lingering(world, "12350", "cs123-old", 4711);
        make(world);

        seats = world->snapshot.seats;
        assert_int_equal(world->snapshot.n_seats, 3);
        assert_null(seats[0].kept);
        /* It only lingers. */
        assert_null(seats[1].kept);
        assert_string_equal(seats[2].seat, "12350");
        assert_non_null(seats[2].kept);
        assert_int_equal(seats[2].kept->pid, 4711);
        assert_int_equal(seats[2].n_leases, 0);
        assert_string_equal(seats[2].user, "cs123-old");
        assert_address(&seats[2], "10.99.0.1/16");
}

/* What is up counts, not what the files say by now. */
static void test_lease_wins_over_files(void **state) {
        struct world *world = *state;

        add_lease(world, "12310", "cs123-old", 1);
        world->leases.leases[0].address = 0x0a630001;
        world->leases.leases[0].prefix = 16;
        make(world);
        assert_string_equal(world->snapshot.seats[0].user, "cs123-old");
        assert_address(&world->snapshot.seats[0], "10.99.0.1/16");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static const char listing[] = "{\"own\":{\"host\":\"hosta\"},\"members\":[],\"claims\":["
                              "{\"seat\":\"12311\",\"user\":\"cs123-bob\",\"host\":\"hostb\",\"since\":7},"
                              "{\"seat\":\"12310\",\"user\":\"cs123-amy\",\"host\":\"hosta\",\"since\":5},"
                              "{\"seat\":\"1239\",\"user\":\"cs123-new\",\"host\":\"hostc\",\"since\":6},"
                              "{\"seat\":\"12\",\"user\":\"none\",\"host\":\"hostc\",\"since\":6}]}";

/* Those of other servers stand among those of this one, without what only their server knows. */
static void test_seats_of_other_servers(void **state) {
        static const char *const expected[] = {"1239", "12310", "12311", "12311", "37710"};
        struct world *world = *state;
        struct hosts_list list;

        add_unit(world, "nsbr@12310.service", "active");
        add_unit(world, "nsbr@12311.service", "deactivating");
        add_unit(world, "nsbr@37710.service", "active");
        make(world);
        assert_int_equal(hosts_list_parse("[]", 3, &list), -EBADMSG);
        assert_int_equal(hosts_list_parse("{\"own\":{},\"members\":[]}", 3, &list), -EBADMSG);
        assert_int_equal(hosts_list_parse(listing, 3, &list), 0);
        assert_int_equal(list.n_claims, 3);
        assert_int_equal(snapshot_add_claims(etc, &world->site, &list, &world->snapshot), 0);

        assert_int_equal(world->snapshot.n_seats, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                assert_string_equal(world->snapshot.seats[i].seat, expected[i]);
        assert_string_equal(world->snapshot.seats[0].claim->host, "hostc");
        assert_string_equal(world->snapshot.seats[0].user, "cs123-new");
        assert_string_equal(world->snapshot.seats[0].netns, "ns1239");
        assert_address(&world->snapshot.seats[0], "10.0.123.9/24");
        assert_null(world->snapshot.seats[1].claim);
        assert_null(world->snapshot.seats[2].claim);
        assert_string_equal(world->snapshot.seats[2].state, "stopping");
        assert_string_equal(world->snapshot.seats[3].claim->host, "hostb");
        assert_int_equal(world->snapshot.seats[3].n_leases, 0);
        hosts_list_done(&list);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_nothing_is_up),
                TEST(test_states),
                TEST(test_names_and_order),
                TEST(test_leases),
                TEST(test_kept_seats),
                TEST(test_seats_of_other_servers),
                TEST(test_lease_wins_over_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

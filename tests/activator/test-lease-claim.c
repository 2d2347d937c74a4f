/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What comes before a lease: who is refused, and the claim of a seat that several servers share.
 * coursenet-hosts answers what a test has it answer.
 */

#include "lease-stand-ins.h"

#include <sched.h>
#include <sys/mount.h>

#include "lease/lease-limit.h"
#include "lease/lease-log.h"
#include "lease/seat-claim.h"
#include "run-files.h"
#include "seat/hosts-client.h"
#include "settings-cache.h"

#define SINCE UINT64_C(1700000000000000)

/* --- coursenet-hosts ---------------------------------------------------------------------------------- */

struct hosts_call {
        struct hosts_call **place;
        hosts_callback_t callback;
        void *userdata;
};

static struct {
        int error; /* of every request: it cannot even be sent */
        struct hosts_call *last;
        unsigned n_released;
} hosts;

void hosts_call_drop(struct hosts_call **place) {
        if (*place && *place == hosts.last)
                hosts.last = NULL;
        free(*place);
        *place = NULL;
}

int hosts_client_claim(struct hosts_client *client, const char *seat, const char *user,
        hosts_callback_t callback, void *userdata, struct hosts_call **place) {
        (void)client;
        (void)user;
        assert_string_equal(seat, "12310");
        if (hosts.error < 0)
                return hosts.error;
        *place = malloc(sizeof(**place));
        assert_non_null(*place);
        **place = (struct hosts_call){place, callback, userdata};
        hosts.last = *place;
        return 0;
}

void hosts_client_release(struct hosts_client *client, const char *seat) {
        (void)client;
        assert_string_equal(seat, "12310");
        hosts.n_released++;
}

static void answer_claim(enum hosts_reply_type type, enum hosts_reason reason, const char *text) {
        struct hosts_reply reply = {.type = (uint16_t)type, .reason = reason, .since_usec = SINCE};
        struct hosts_call copy;

        (void)snprintf(reply.member, sizeof(reply.member), "hostb");
        (void)snprintf(reply.text, sizeof(reply.text), "%s", text);
        assert_non_null(hosts.last);
        copy = *hosts.last;
        hosts_call_drop(copy.place);
        copy.callback(copy.userdata, &reply);
}

static void write_run_file(const char *path, const char *text) {
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        (void)fputs(text, file);
        assert_int_equal(fclose(file), 0);
}

/* --- requests ----------------------------------------------------------------------------------------- */

static struct seat_claim *claim; /* of the one that waits */

static void open_as(struct asker *asker, const char *user, uid_t uid, pid_t opener) {
        const struct lease_waiter waiter = {handle_answer, asker, &asker->lease, &claim};
        const struct ucred peer = {.pid = opener, .uid = 0};
        struct request request;

        request_init(&request, REQUEST_OPEN);
        request.uid = uid;
        request.timeout_ms = 20000;
        (void)snprintf(request.user, sizeof(request.user), "%s", user);
        (void)snprintf(request.service, sizeof(request.service), "sshd");
        lease_open(&table, &waiter, &request, &peer, (int)syscall(SYS_pidfd_open, opener, 0));
}

static void assert_refused(const struct asker *asker, enum reply_type type, const char *words) {
        assert_int_equal(asker->n_answers, 1);
        assert_null(asker->lease);
        if (asker->type != type || !strstr(asker->text, words))
                fail_msg("answer %d, and not %d: %s", (int)asker->type, (int)type, asker->text);
}

static void give_up(struct asker *asker) {
        if (asker->lease)
                lease_abandon(asker->lease);
}

/* --- who gets no lease -------------------------------------------------------------------------------- */

static void who_has_no_seat_is_refused(void **state) {
        struct asker root = {0}, other = {0}, late = {0};
        pid_t opener = start_opener(), dead = start_opener();
        const struct ucred peer = {.pid = dead};
        const struct lease_waiter waiter = {handle_answer, &late, &late.lease, NULL};
        int pidfd = (int)syscall(SYS_pidfd_open, dead, 0);
        struct request request;

        (void)state;
        open_as(&root, "cs123-newellz2", 0, opener);
        assert_refused(&root, REPLY_REFUSED, "this account is root's");
        open_as(&other, "cs123-vle", 5002, opener);
        assert_refused(&other, REPLY_NO_SEAT, "not on the roster");

        end_opener(dead);
        request_init(&request, REQUEST_OPEN);
        (void)snprintf(request.user, sizeof(request.user), "cs123-newellz2");
        lease_open(&table, &waiter, &request, &peer, pidfd);
        assert_refused(&late, REPLY_REFUSED, "has ended");
        end_opener(opener);
}

static void a_seat_whose_former_user_has_it_is_refused(void **state) {
        struct asker former = {0}, next = {0};
        pid_t opener = start_opener();

        (void)state;
        open_as(&former, "cs123-newellz2", 5001, opener);
        world.student = "cs123-vle";
        open_as(&next, "cs123-vle", 5002, opener);
        assert_refused(&next, REPLY_REFUSED, "its former user still has it: coursenetctl stop 12310");
        give_up(&former);
        end_opener(opener);
}

static void a_user_with_too_many_logins_is_refused(void **state) {
        static struct asker askers[LEASES_PER_USER_MAX + 1];
        pid_t opener = start_opener();
        size_t n = 0;

        (void)state;
        memset(askers, 0, sizeof(askers));
        do
                open_as(&askers[n], "cs123-newellz2", 5001, opener);
        while (askers[n++].n_answers == 0 && n < ELEMENTSOF(askers));
        assert_refused(&askers[n - 1], REPLY_REFUSED, "logins");
        while (n-- > 0)
                give_up(&askers[n]);
        end_opener(opener);
}

/* --- a shared seat ------------------------------------------------------------------------------------ */

static void a_claim_comes_before_the_lease(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        world.shared = true;
        open_as(&asker, "cs123-newellz2", 5001, opener);
        assert_null(asker.lease);
        answer_claim(HOSTS_DONE, 0, "");
        assert_non_null(asker.lease);
        assert_null(claim);
        assert_int_equal(hosts.n_released, 0);
        give_up(&asker);
        end_opener(opener);
}

static void who_has_no_claim_reads_why(void **state) {
        struct asker elsewhere = {0}, taken = {0}, cut_off = {0}, hold = {0};
        pid_t opener = start_opener();

        (void)state;
        world.shared = true;
        open_as(&elsewhere, "cs123-newellz2", 5001, opener);
        answer_claim(HOSTS_ELSEWHERE, 0, "");
        assert_refused(&elsewhere, REPLY_NOT_HERE, "Your seat has been in use on hostb since ");
        open_as(&taken, "cs123-newellz2", 5001, opener);
        answer_claim(HOSTS_REFUSED, HOSTS_OTHER_USER, "another user has it there");
        assert_refused(&taken, REPLY_REFUSED, "another user has it there");
        open_as(&cut_off, "cs123-newellz2", 5001, opener);
        answer_claim(HOSTS_REFUSED, HOSTS_NO_STORE, "the store is gone");
        assert_refused(&cut_off, REPLY_NOT_HERE, "This server has lost contact with the others");
        ask_for_hold(&hold, "");
        answer_claim(HOSTS_ELSEWHERE, 0, "");
        assert_refused(&hold, REPLY_NOT_HERE, "There: coursenetctl start cs123-newellz2");
        end_opener(opener);
}

static void a_claim_that_cannot_be_asked_for_is_refused(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        world.shared = true;
        hosts.error = -ENOMEM;
        open_as(&asker, "cs123-newellz2", 5001, opener);
        assert_refused(&asker, REPLY_FAILED, "out of memory");
        end_opener(opener);
}

static void a_claim_is_given_up_if_nobody_waits_for_it(void **state) {
        struct asker asker = {0}, other = {0};
        pid_t opener = start_opener();
        struct seat_claim *first, *second;

        (void)state;
        world.shared = true;
        open_as(&asker, "cs123-newellz2", 5001, opener);
        first = claim;
        open_as(&other, "cs123-newellz2", 5001, opener);
        second = claim;
        assert_ptr_not_equal(first, second);
        seat_claim_drop(&first);
        assert_int_equal(hosts.n_released, 0);
        seat_claim_drop(&second);
        assert_int_equal(hosts.n_released, 1);
        end_opener(opener);
}

/* The roster has changed meanwhile. */
static void a_claim_for_which_there_is_no_lease_is_given_up(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        write_run_file(HOSTS_CLAIM_DIRECTORY "/12310", "");
        world.shared = true;
        open_as(&asker, "cs123-newellz2", 5001, opener);
        world.student = "cs123-vle";
        answer_claim(HOSTS_DONE, 0, "");
        assert_refused(&asker, REPLY_NO_SEAT, "not on the roster");
        assert_int_equal(hosts.n_released, 1);
        assert_int_equal(unlink(HOSTS_CLAIM_DIRECTORY "/12310"), 0);
        end_opener(opener);
}

/* It was killed, perhaps by its user: no fault of the server, which its log need not have as an error. */
static void who_has_ended_meanwhile_gets_no_lease(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        write_run_file(HOSTS_CLAIM_DIRECTORY "/12310", "");
        world.shared = true;
        open_as(&asker, "cs123-newellz2", 5001, opener);
        end_opener(opener);
        answer_claim(HOSTS_DONE, 0, "");
        assert_refused(&asker, REPLY_REFUSED, "has ended");
        assert_int_equal(hosts.n_released, 1);
        assert_int_equal(unlink(HOSTS_CLAIM_DIRECTORY "/12310"), 0);
}

static void a_seat_that_another_server_has_taken_is_stopped(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};
        struct lease *lease = give(&asker, opener);
        struct reply reply;

        (void)state;
        assert_true(lease_fill_status(lease, &reply));
        assert_int_equal(reply.type, REPLY_LEASE);
        lease_take_seat(&table, "12310", "hostb");
        assert_int_equal(lease->state, LEASE_ENDING);
        assert_false(lease_fill_status(lease, &reply));
        assert_int_equal(world.n_told, 1);
        end_opener(opener);
}

/* The terminals of all logins are told at once, and an administrator's hold has none. */
static void what_a_seat_s_logins_read_is_told_once(void **state) {
        pid_t opener = start_opener(), other = start_opener();
        struct asker asker = {0}, second = {0}, hold = {0};

        (void)state;
        (void)give(&asker, opener);
        (void)give(&second, other);
        (void)give(&hold, 0);
        lease_tell_seat(&table, "12310", "hello");
        assert_int_equal(world.n_told, 1);
        assert_int_equal(world.n_consoles_told, 1);
        end_opener(opener);
        end_opener(other);
}

static void claims_end_with_the_activator(void **state) {
        pid_t opener = start_opener();
        struct asker asker = {0};

        (void)state;
        world.shared = true;
        open_as(&asker, "cs123-newellz2", 5001, opener);
        assert_non_null(hosts.last);
        seat_claim_drop_all(&table);
        assert_null(hosts.last);
        assert_int_equal(asker.n_answers, 0);
        assert_int_equal(hosts.n_released, 0);
        end_opener(opener);
}

static void a_drained_server_starts_no_shared_seat(void **state) {
        struct asker asker = {0}, alone = {0};
        pid_t opener = start_opener();

        (void)state;
        world.shared = true;
        write_run_file(HOSTS_DRAINED_FILE, "hostb hostc\n");
        open_as(&asker, "cs123-newellz2", 5001, opener);
        assert_refused(&asker, REPLY_NOT_HERE, "Please log in on another one: hostb hostc.");
        write_run_file(HOSTS_DRAINED_FILE, "\n");
        open_as(&alone, "cs123-newellz2", 5001, opener);
        assert_refused(&alone, REPLY_NOT_HERE, "Please log in on another one.");
        assert_int_equal(unlink(HOSTS_DRAINED_FILE), 0);
        end_opener(opener);
}

/* ------------------------------------------------------------------------------------------------------ */

static struct settings_cache settings = {.etc = "/nonexistent"};

static int begin_without_claim(void **state) {
        int r = begin(state);

        memset(&hosts, 0, sizeof(hosts));
        claim = NULL;
        table.settings = &settings;
        return r;
}

/* The files below /run are this program's own. */
static int cover_run(void **state) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
                return -1;
        if (mkdir(RUN_DIRECTORY, 0755) < 0 || mkdir(HOSTS_DIRECTORY, 0755) < 0 ||
                mkdir(HOSTS_CLAIM_DIRECTORY, 0755) < 0)
                return -1;
        return make_directory(state);
}

static int end_all(void **state) {
        settings_cache_done(&settings);
        return remove_directory(state);
}

#define CLAIM_TEST(test) cmocka_unit_test_setup_teardown(test, begin_without_claim, finish)

int main(void) {
        const struct CMUnitTest tests[] = {
                CLAIM_TEST(who_has_no_seat_is_refused),
                CLAIM_TEST(a_seat_whose_former_user_has_it_is_refused),
                CLAIM_TEST(a_user_with_too_many_logins_is_refused),
                CLAIM_TEST(a_claim_comes_before_the_lease),
                CLAIM_TEST(who_has_no_claim_reads_why),
                CLAIM_TEST(a_claim_that_cannot_be_asked_for_is_refused),
                CLAIM_TEST(a_claim_is_given_up_if_nobody_waits_for_it),
                CLAIM_TEST(a_claim_for_which_there_is_no_lease_is_given_up),
                CLAIM_TEST(who_has_ended_meanwhile_gets_no_lease),
                CLAIM_TEST(a_seat_that_another_server_has_taken_is_stopped),
                CLAIM_TEST(what_a_seat_s_logins_read_is_told_once),
                CLAIM_TEST(claims_end_with_the_activator),
                CLAIM_TEST(a_drained_server_starts_no_shared_seat),
        };

        return cmocka_run_group_tests(tests, cover_run, end_all);
}

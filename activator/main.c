/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * coursenet-activator: the daemon that answers the PAM module, socket-activated, uid 0 without a capability.
 * With one of two options it does one thing and ends: --wire writes the wiring of all seats
 * (coursenet-wiring.service, at boot), --whois prints the name of a uid (the daemon runs it, see whois.h).
 */

#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/record-store.h"
#include "base/seat-owner.h"
#include "lease/lease-log.h"
#include "lease/lease-request.h"
#include "lease/lease-startup.h"
#include "lease/lease-table.h"
#include "lease/seat-claim.h"
#include "number.h"
#include "request/reload.h"
#include "request/restore.h"
#include "request/server.h"
#include "seat/empty-seat.h"
#include "seat/failed-units.h"
#include "seat/hosts-client.h"
#include "seat/slot-release.h"
#include "seat/stale-cable.h"
#include "seat/starting-units.h"
#include "seat/tidy.h"
#include "seat/user-limits.h"
#include "seat/worker-client.h"
#include "seat/worker-revival.h"
#include "settings-cache.h"
#include "systemd/units.h"
#include "worker-protocol.h"

#define CONFIGURATION_DIRECTORY "/etc/coursenet"

/* The layers, from the ground up. */
struct activator {
        sd_event *event;
        struct bus *bus;
        struct settings_cache settings;
        struct seats seats;
        struct lease_table leases;
        struct server server;
};

static void handle_query_line(void *userdata, uid_t uid, const char *text) {
        query_log(userdata, uid, "%s", text);
}

static void wire_layers(struct activator *activator) {
        activator->settings = (struct settings_cache){.etc = CONFIGURATION_DIRECTORY};
        activator->seats = (struct seats){
                .event = activator->event,
                .bus = activator->bus,
                .etc = CONFIGURATION_DIRECTORY,
                .unit_directory = UNIT_DIRECTORY,
                .slot_directory = SLOT_DIRECTORY,
                .owner_directory = OWNER_DIRECTORY,
                .passwd = PASSWD_FILE,
                .seat_has_lease = lease_table_has_seat,
                .user_has_lease = lease_table_has_user,
                .userdata = &activator->leases,
        };
        activator->leases = (struct lease_table){
                .event = activator->event,
                .bus = activator->bus,
                .seats = &activator->seats,
                .settings = &activator->settings,
                .state_directory = STATE_DIRECTORY,
                .log_query = handle_query_line,
                .userdata = &activator->server.services.log,
        };
        server_init(&activator->server, activator->event, &activator->leases, &activator->seats);
}

static int activator_init(struct activator *activator) {
        int r;

        r = sd_event_default(&activator->event);
        if (r < 0) {
                log_error("Cannot make an event loop: %s", strerror(-r));
                return r;
        }
        r = bus_connect(activator->event, &activator->bus);
        if (r < 0)
                log_error("Cannot connect to the system bus: %s", strerror(-r));
        else
                wire_layers(activator);
        return r;
}

static void activator_done(struct activator *activator) {
        lease_forget_all(&activator->leases);
        settings_cache_done(&activator->settings);
        stale_cables_forget(&activator->seats);
        tidy_forget_all(&activator->seats);
        empty_seats_forget(&activator->seats);
        starting_units_forget(&activator->seats);
        user_limits_forget(&activator->seats);
        worker_client_free(activator->seats.worker);
        seat_claim_drop_all(&activator->leases);
        hosts_client_free(activator->leases.hosts);
        worker_revival_drop(&activator->seats);
        server_done(&activator->server);
        bus_close(activator->bus);
        (void)sd_event_unref(activator->event);
}

/* --- other servers --------------------------------------------------------------------------- */

static void handle_push(void *userdata, const struct hosts_reply *push) {
        struct activator *activator = userdata;

        switch ((enum hosts_reply_type)push->type) {
        case HOSTS_TAKEN:
                log_notice("Seat %s is live on %s, so its leases here end", push->seat, push->member);
                lease_take_seat(&activator->leases, push->seat, push->member);
                break;
        case HOSTS_CUT_OFF:
                lease_tell_claimed(&activator->leases,
                        "This server has lost contact with the others. Your seat has no network until it is "
                        "back; your programs go on.");
                break;
        case HOSTS_BACK:
                lease_tell_claimed(&activator->leases,
                        "This server has contact with the others again, and your seat its network.");
                break;
        default:
                break;
        }
}

/* --- --wire ----------------------------------------------------------------------------------------------
 */

static void handle_wired(void *userdata, bool good, const char *text) {
        struct activator *activator = userdata;

        log_message(good ? SD_INFO : SD_ERR, "%s", text);
        (void)sd_event_exit(activator->event, good ? EXIT_SUCCESS : EXIT_FAILURE);
}

static int wire(struct activator *activator) {
        reload(&activator->seats, handle_wired, activator);
        return sd_event_loop(activator->event);
}

/* --- the daemon ------------------------------------------------------------------------------------------
 */

/* The sockets, by their units' FileDescriptorName=. */
struct received {
        int activator, query;
};

/* An activator of an earlier version let systemd keep a descriptor for each lease: systemd closes it. */
static void give_back(const char *name, int fd) {
        (void)sd_notifyf(false, "FDSTOREREMOVE=1\nFDNAME=%s", name);
        (void)close(fd);
}

static int receive_fds(struct received *ret) {
        struct received received = {.activator = -1, .query = -1};
        char **names = NULL;
        int n;

        n = sd_listen_fds_with_names(true, &names);
        for (int i = 0; i < n; i++) {
                int fd = SD_LISTEN_FDS_START + i;

                if (string_equal(names[i], "activator"))
                        received.activator = fd;
                else if (string_equal(names[i], "query"))
                        received.query = fd;
                else
                        give_back(names[i], fd);
                free(names[i]);
        }
        free(names);
        *ret = received;
        return n < 0 ? n : 0;
}

static int handle_signals(sd_event *event) {
        sigset_t signals;
        int r;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        /* With no handler the loop ends. */
        r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
        return r;
}

/* Both have names of students, which are not public. */
static int make_directories(void) {
        static const char *const directories[] = {STATE_DIRECTORY, OWNER_DIRECTORY};

        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (mkdir(directories[i], 0700) < 0 && errno != EEXIST) {
                        int r = -errno;

                        log_error("Cannot make %s: %s", directories[i], strerror(-r));
                        return r;
                }
        return 0;
}

static int prepare(struct activator *activator) {
        struct received received = {0};
        int r;

        r = make_directories();
        if (r >= 0)
                r = receive_fds(&received);
        if (r < 0)
                return r;
        if (received.activator < 0 || received.query < 0) {
                log_error("The sockets are missing: start coursenet-activator.socket and "
                          "coursenet-query.socket instead");
                return -ENOTSOCK;
        }

        r = restore_leases(&activator->leases);
        if (r < 0) {
                log_error("Cannot restore the leases: %s", strerror(-r));
                return r;
        }
        user_limits_release_all(&activator->seats);
        r = lease_log_daily(&activator->leases);
        if (r >= 0)
                r = server_listen(&activator->server, received.activator, true);
        if (r >= 0)
                r = server_listen(&activator->server, received.query, false);
        return r;
}

/* Subscribers to the end of jobs, units and sessions; the leases come first. */
static int subscribe(struct activator *activator) {
        static const unit_job_removed_t callbacks[] = {stale_cable_job_removed, tidy_job_removed,
                tidy_start_cancelled, empty_seat_job_removed, slots_job_removed, failed_units_job_removed};
        int r = lease_subscribe(&activator->leases);

        for (size_t i = 0; i < ELEMENTSOF(callbacks) && r >= 0; i++)
                r = units_on_job_removed(activator->bus, callbacks[i], &activator->seats);
        return r < 0 ? r : units_on_removed(activator->bus, user_limits_unit_removed, &activator->seats);
}

static int serve(struct activator *activator) {
        int r;

        activator->seats.worker = worker_client_new(activator->event, WORKER_SOCKET, PREPARED_DIRECTORY);
        worker_client_on_silence(activator->seats.worker, worker_revival_begin, &activator->seats);
        activator->leases.hosts = hosts_client_new(activator->event, HOSTS_SOCKET, handle_push, activator);
        r = handle_signals(activator->event);
        if (r >= 0)
                r = subscribe(activator);
        if (r >= 0)
                r = prepare(activator);
        if (r < 0)
                return r;
        (void)sd_notify(0, "READY=1");
        r = sd_event_loop(activator->event);
        (void)sd_notify(0, "STOPPING=1");
        return r;
}

static const char usage_text[] = "usage: coursenet-activator [--wire | --whois UID]\n";

static int usage(void) {
        (void)fputs(usage_text, stderr);
        return 2;
}

static int help(void) {
        (void)fputs(usage_text, stdout);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                {"help", no_argument, NULL, 'h'},
                {"wire", no_argument, NULL, 'w'},
                {"whois", required_argument, NULL, 'u'},
                {0},
        };
        struct activator activator = {0};
        bool only_wire = false;
        int option, r;

        if (argc == 2 && string_equal(argv[1], "help"))
                return help();
        while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
                if (option == 'h')
                        return help();
                if (option == 'w')
                        only_wire = true;
                else if (option == 'u')
                        return whois_print(optarg);
                else
                        return usage();
        }
        if (optind < argc)
                return usage();

        r = activator_init(&activator);
        if (r >= 0)
                r = only_wire ? wire(&activator) : serve(&activator);
        activator_done(&activator);
        return r < 0 ? EXIT_FAILURE : r;
}

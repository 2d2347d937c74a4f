/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* D-Bus calls and signals, and nothing else: what they mean is decided by the callers. */

#include <signal.h>

#include "seat/failed-units.h"
#include "seat/slot-release.h"
#include "seat/tidy.h"
#include "units.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define LOGIND_NAME "org.freedesktop.login1"
#define LOGIND_PATH "/org/freedesktop/login1"
#define LOGIND_MANAGER "org.freedesktop.login1.Manager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

static int handle_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *job, *unit, *result;
        int r;

        (void)error;
        r = sd_bus_message_read(message, "uoss", NULL, &job, &unit, &result);
        if (r < 0)
                return r;
        lease_job_removed(userdata, job, unit, result);
        tidy_job_removed(userdata, job, unit, result);
        slots_job_removed(unit);
        failed_units_job_removed(userdata, unit);
        return 0;
}

static int handle_unit_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *unit;
        int r;

        (void)error;
        r = sd_bus_message_read(message, "so", &unit, NULL);
        if (r < 0)
                return r;
        lease_unit_removed(userdata, unit);
        return 0;
}

/* A session ended: leases whose opener died before it are waiting for just that. */
static int handle_session_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct manager *manager = userdata;
        struct lease *lease, *next;

        (void)message;
        (void)error;
        HASH_ITER (hh, manager->leases, lease, next)
                lease_check_opener(lease);
        return 0;
}

static int add_matches(struct manager *manager) {
        int r;

        r = sd_bus_match_signal_async(manager->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "JobRemoved", handle_job_removed, NULL, manager);
        if (r >= 0)
                r = sd_bus_match_signal_async(manager->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                        "UnitRemoved", handle_unit_removed, NULL, manager);
        if (r >= 0)
                r = sd_bus_match_signal_async(manager->bus, NULL, LOGIND_NAME, LOGIND_PATH, LOGIND_MANAGER,
                        "SessionRemoved", handle_session_removed, NULL, manager);
        return r;
}

static int handle_subscribed(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct manager *manager = userdata;

        (void)error;
        if (!sd_bus_message_is_method_error(reply, NULL))
                return 0;
        log_error("systemd does not send its signals: %s", sd_bus_message_get_error(reply)->message);
        return sd_event_exit(manager->event, EXIT_FAILURE);
}

int systemd_connect(struct manager *manager) {
        int r;

        r = sd_bus_open_system(&manager->bus);
        if (r < 0)
                return r;
        /* Without a bus nothing can be done; a restart keeps every lease and waits for the bus to come back.
         */
        r = sd_bus_set_exit_on_disconnect(manager->bus, true);
        if (r >= 0)
                r = sd_bus_attach_event(manager->bus, manager->event, PRIORITY_BUS);
        if (r >= 0)
                r = add_matches(manager);
        if (r >= 0)
                /* systemd sends unit and job signals over the bus only while somebody is subscribed. */
                r = sd_bus_call_method_async(manager->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                        "Subscribe", handle_subscribed, manager, NULL);
        return r;
}

/* One property with an array of unit names, "as". */
static int append_units(sd_bus_message *message, const char *property, char *const *units) {
        int r;

        r = sd_bus_message_open_container(message, 'r', "sv");
        if (r >= 0)
                r = sd_bus_message_append(message, "s", property);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(message, (char **)(uintptr_t)units);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

/*
 * What the lease needs, and what it only wants: a container that fails, or is stopped, does not cost the
 * login. It waits for the container only if it was told to. nsbr@ counts as started before its program has
 * ended, and that may go wrong still: Requires= would leave a lease on a seat that has failed.
 */
static int append_dependencies(sd_bus_message *message, const struct lease *lease) {
        char names[SERVICES_MAX][SERVICE_NAME_SIZE + SEAT_ID_SIZE + sizeof("@.service")];
        char nsbr[sizeof("nsbr@.service") + SEAT_ID_SIZE], cont[sizeof("cont@.service") + SEAT_ID_SIZE];
        char *needed[] = {nsbr, NULL}, *after[] = {nsbr, NULL, NULL}, *wanted[SERVICES_MAX + 1] = {NULL};
        int r;

        (void)snprintf(nsbr, sizeof(nsbr), "nsbr@%s.service", lease->record.seat);
        (void)snprintf(cont, sizeof(cont), SERVICE_CONTAINER "@%s.service", lease->record.seat);
        for (size_t i = 0; i < lease->services.n_units; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "%s@%s.service", lease->services.units[i],
                        lease->record.seat);
                wanted[i] = names[i];
        }
        if (lease_waits_for_container(lease))
                after[1] = cont;

        r = append_units(message, "BindsTo", needed);
        if (r >= 0)
                r = append_units(message, "After", after);
        return r < 0 || lease->services.n_units == 0 ? r : append_units(message, "Wants", wanted);
}

static int append_lease_properties(sd_bus_message *message, const struct lease *lease) {
        char description[64 + USER_NAME_SIZE + SERVICE_SIZE];
        int r;

        /* Without the user's name: everybody may list units. */
        (void)snprintf(description, sizeof(description), "Lease of seat %s (%s)", lease->record.seat,
                lease->record.service);

        r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r >= 0)
                r = sd_bus_message_append(message, "(sv)", "Description", "s", description);
        if (r >= 0)
                r = append_dependencies(message, lease);
        if (r >= 0)
                /* `systemctl isolate` must not end live logins. */
                r = sd_bus_message_append(message, "(sv)", "IgnoreOnIsolate", "b", true);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r;
}

int systemd_start_lease(struct lease *lease, sd_bus_message_handler_t callback, sd_bus_slot **ret_slot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        sd_bus *bus = lease->manager->bus;
        char unit[LEASE_UNIT_SIZE];
        int r;

        lease_unit_name(lease, unit);
        r = sd_bus_message_new_method_call(
                bus, &message, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartTransientUnit");
        if (r >= 0)
                /* replace: a login during the last logout's teardown must win over the stop jobs. */
                r = sd_bus_message_append(message, "ss", unit, "replace");
        if (r >= 0)
                r = append_lease_properties(message, lease);
        if (r >= 0)
                r = sd_bus_message_append(message, "a(sa(sv))", 0);
        if (r >= 0)
                r = sd_bus_call_async(bus, ret_slot, message, callback, lease, 0);
        return r;
}

int systemd_start_needing_slice(struct manager *manager, const char *slice, const char *const *units,
        size_t n, sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        const char *needed[SERVICES_MAX + 1] = {NULL};
        int r;

        for (size_t i = 0; i < n && i < SERVICES_MAX; i++)
                needed[i] = units[i];
        r = sd_bus_message_new_method_call(
                manager->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", slice, "fail");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r >= 0)
                r = append_units(message, "Requisite", (char *const *)(uintptr_t)needed);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r >= 0)
                r = sd_bus_message_append(message, "a(sa(sv))", 0);
        return r < 0 ? r : sd_bus_call_async(manager->bus, ret_slot, message, callback, userdata, 0);
}

/* A call of the manager with a unit's name and nothing else but, maybe, a job mode. */
static int call_with_unit(struct manager *manager, const char *method, const char *unit, const char *mode,
        sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                manager->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
        if (r >= 0)
                r = sd_bus_message_append(message, "s", unit);
        if (r >= 0 && mode)
                r = sd_bus_message_append(message, "s", mode);
        if (r < 0)
                return r;
        if (callback)
                return sd_bus_call_async(manager->bus, ret_slot, message, callback, userdata, 0);

        r = sd_bus_message_set_expect_reply(message, false);
        return r < 0 ? r : sd_bus_send(manager->bus, message, NULL);
}

int systemd_stop_unit(struct manager *manager, const char *unit, const char *mode,
        sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot) {
        return call_with_unit(manager, "StopUnit", unit, mode, callback, userdata, ret_slot);
}

int systemd_reset_failed(struct manager *manager, const char *unit) {
        return call_with_unit(manager, "ResetFailedUnit", unit, NULL, NULL, NULL, NULL);
}

int systemd_kill_unit(struct manager *manager, const char *unit) {
        return sd_bus_call_method_async(manager->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "KillUnit", NULL, NULL, "ssi", unit, "all", SIGKILL);
}

int systemd_list_units(struct manager *manager, const char *const *patterns, size_t n,
        sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                manager->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "ListUnitsByPatterns");
        if (r >= 0)
                r = sd_bus_message_append(message, "as", 0);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "s");
        for (size_t i = 0; i < n && r >= 0; i++)
                r = sd_bus_message_append(message, "s", patterns[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r >= 0)
                r = sd_bus_call_async(manager->bus, ret_slot, message, callback, userdata, 0);
        return r;
}

int systemd_enter_units(sd_bus_message *reply) {
        return sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
}

int systemd_read_unit(sd_bus_message *reply, struct unit_row *ret) {
        /* name, description, load, active and sub state, followed unit, path, job's number, type and path */
        return sd_bus_message_read(reply, "(ssssssouso)", &ret->name, NULL, NULL, &ret->active_state, NULL,
                NULL, NULL, &ret->job, NULL, NULL);
}

/* type: "Unit" or "Service". */
static int get_property(struct manager *manager, const char *unit, const char *type, const char *property,
        sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot) {
        _cleanup_free_ char *path = NULL;
        char interface[64];
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path);
        if (r < 0)
                return r;
        (void)snprintf(interface, sizeof(interface), "org.freedesktop.systemd1.%s", type);
        return sd_bus_call_method_async(manager->bus, ret_slot, SYSTEMD_NAME, path, PROPERTIES, "Get",
                callback, userdata, "ss", interface, property);
}

int systemd_get_property(struct manager *manager, const char *unit, const char *property,
        sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot) {
        return get_property(manager, unit, "Unit", property, callback, userdata, ret_slot);
}

int systemd_get_service_property(struct manager *manager, const char *unit, const char *property,
        sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot) {
        return get_property(manager, unit, "Service", property, callback, userdata, ret_slot);
}

int systemd_wait(struct manager *manager) {
        return sd_bus_call_method(manager->bus, SYSTEMD_NAME, SYSTEMD_PATH, "org.freedesktop.DBus.Peer",
                "Ping", NULL, NULL, NULL);
}

int systemd_reload(
        struct manager *manager, sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot) {
        return sd_bus_call_method_async(manager->bus, ret_slot, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "Reload", callback, userdata, NULL);
}

int logind_list_sessions(
        struct manager *manager, sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot) {
        return sd_bus_call_method_async(manager->bus, ret_slot, LOGIND_NAME, LOGIND_PATH, LOGIND_MANAGER,
                "ListSessions", callback, userdata, NULL);
}

int logind_get_leader(struct manager *manager, const char *session_path, sd_bus_message_handler_t callback,
        void *userdata, sd_bus_slot **ret_slot) {
        return sd_bus_call_method_async(manager->bus, ret_slot, LOGIND_NAME, session_path, PROPERTIES, "Get",
                callback, userdata, "ss", "org.freedesktop.login1.Session", "Leader");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Builds the messages to systemd and reads its replies and signals. */

#include <inttypes.h>
#include <signal.h>
#include <utlist.h>

#include "base/log.h"
#include "bus-call.h"
#include "units.h"

#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

static int new_call(struct bus *bus, const char *method, sd_bus_message **ret) {
        return sd_bus_message_new_method_call(
                bus->connection, ret, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
}

/* --- jobs ------------------------------------------------------------------------------------ */

static void read_job(sd_bus_message *reply, bus_function_t callback, void *userdata, int kind) {
        unit_job_callback_t job_callback = (unit_job_callback_t)callback;
        const char *job = "";
        int r;

        (void)kind;
        r = bus_reply_error(reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &job);
        if (r < 0)
                job_callback(userdata, r, "", bus_reply_text(reply));
        else
                job_callback(userdata, 0, job, "");
}

/* One property with an array of unit names, "as". */
static int append_units(sd_bus_message *message, const char *property, const char *const *units) {
        int r;

        if (!units || !units[0])
                return 0;
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

static int append_properties(sd_bus_message *message, const struct transient_unit *unit) {
        int r;

        r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r >= 0 && unit->description)
                r = sd_bus_message_append(message, "(sv)", "Description", "s", unit->description);
        if (r >= 0)
                r = append_units(message, "BindsTo", unit->binds_to);
        if (r >= 0)
                r = append_units(message, "After", unit->after);
        if (r >= 0)
                r = append_units(message, "Wants", unit->wants);
        if (r >= 0)
                r = append_units(message, "Requisite", unit->requisite);
        if (r >= 0 && unit->ignore_on_isolate)
                r = sd_bus_message_append(message, "(sv)", "IgnoreOnIsolate", "b", true);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

int unit_start_transient(struct bus *bus, const struct transient_unit *unit, unit_job_callback_t callback,
        void *userdata, struct bus_call **call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = new_call(bus, "StartTransientUnit", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", unit->name, unit->mode);
        if (r >= 0)
                r = append_properties(message, unit);
        if (r >= 0)
                r = sd_bus_message_append(message, "a(sa(sv))", 0); /* no other units */
        return r < 0 ? r : bus_call_send(bus, message, read_job, 0, (bus_function_t)callback, userdata, call);
}

int unit_stop(struct bus *bus, const char *unit, unit_job_callback_t callback, void *userdata,
        struct bus_call **call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = new_call(bus, "StopUnit", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", unit, "replace");
        if (r < 0)
                return r;
        if (!callback)
                return bus_send(bus, message);
        return bus_call_send(bus, message, read_job, 0, (bus_function_t)callback, userdata, call);
}

int unit_try_restart(struct bus *bus, const char *unit) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = new_call(bus, "TryRestartUnit", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", unit, "replace");
        return r < 0 ? r : bus_send(bus, message);
}

int unit_reset_failed(struct bus *bus, const char *unit) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = new_call(bus, "ResetFailedUnit", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "s", unit);
        return r < 0 ? r : bus_send(bus, message);
}

int unit_kill(struct bus *bus, const char *unit) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = new_call(bus, "KillUnit", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "ssi", unit, "all", SIGKILL);
        return r < 0 ? r : bus_send(bus, message);
}

int unit_find(struct bus *bus, const char *unit, unit_job_callback_t callback, void *userdata,
        struct bus_call **call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = new_call(bus, "GetUnit", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "s", unit);
        return r < 0 ? r : bus_call_send(bus, message, read_job, 0, (bus_function_t)callback, userdata, call);
}

/* --- the list of units ----------------------------------------------------------------------- */

/* name, description, load, active and sub state, followed unit, path, job's number, type and path */
#define ROW_TYPE "(ssssssouso)"

void unit_job_path(uint32_t job, char ret_path[static UNIT_JOB_PATH_SIZE]) {
        (void)snprintf(ret_path, UNIT_JOB_PATH_SIZE, SYSTEMD_PATH "/job/%" PRIu32, job);
}

static int read_rows(sd_bus_message *reply, struct unit_row **ret_rows, size_t *ret_n) {
        _cleanup_free_ struct unit_row *rows = NULL;
        struct unit_row row, *more;
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', ROW_TYPE);
        while (r >= 0 && (r = sd_bus_message_read(reply, ROW_TYPE, &row.name, NULL, NULL, &row.active_state,
                                  NULL, NULL, NULL, &row.job, &row.job_type, NULL)) > 0) {
                more = reallocarray(rows, n + 1, sizeof(*rows));
                if (!more)
                        return -ENOMEM;
                rows = more;
                rows[n++] = row;
        }
        if (r < 0)
                return r;
        *ret_rows = rows;
        *ret_n = n;
        rows = NULL;
        return 0;
}

static void read_list(sd_bus_message *reply, bus_function_t callback, void *userdata, int kind) {
        unit_list_callback_t list_callback = (unit_list_callback_t)callback;
        _cleanup_free_ struct unit_row *rows = NULL;
        size_t n = 0;
        int r;

        (void)kind;
        r = bus_reply_error(reply);
        if (r >= 0)
                r = read_rows(reply, &rows, &n);
        list_callback(userdata, r < 0 ? r : 0, rows, n);
}

static int append_strings(sd_bus_message *message, const char *const *strings, size_t n) {
        int r;

        r = sd_bus_message_open_container(message, 'a', "s");
        for (size_t i = 0; i < n && r >= 0; i++)
                r = sd_bus_message_append(message, "s", strings[i]);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

int unit_list(struct bus *bus, const char *const *patterns, size_t n, unit_list_callback_t callback,
        void *userdata, struct bus_call **call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = new_call(bus, "ListUnitsByPatterns", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "as", 0); /* in any state */
        if (r >= 0)
                r = append_strings(message, patterns, n);
        return r < 0 ? r
                     : bus_call_send(bus, message, read_list, 0, (bus_function_t)callback, userdata, call);
}

int unit_list_names(struct bus *bus, const char *const *names, size_t n, unit_list_callback_t callback,
        void *userdata, struct bus_call **call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = new_call(bus, "ListUnitsByNames", &message);
        if (r >= 0)
                r = append_strings(message, names, n);
        return r < 0 ? r
                     : bus_call_send(bus, message, read_list, 0, (bus_function_t)callback, userdata, call);
}

/* --- properties ------------------------------------------------------------------------------ */

static const struct {
        const char *interface, *name, *type;
} properties[_UNIT_PROPERTY_MAX] = {
        [UNIT_BINDS_TO] = {"org.freedesktop.systemd1.Unit", "BindsTo", "as"},
        [UNIT_DROP_IN_PATHS] = {"org.freedesktop.systemd1.Unit", "DropInPaths", "as"},
        [UNIT_NEED_DAEMON_RELOAD] = {"org.freedesktop.systemd1.Unit", "NeedDaemonReload", "b"},
        [UNIT_INACTIVE_EXIT] = {"org.freedesktop.systemd1.Unit", "InactiveExitTimestampMonotonic", "t"},
        [UNIT_ACTIVE_EXIT] = {"org.freedesktop.systemd1.Unit", "ActiveExitTimestampMonotonic", "t"},
        [SERVICE_STATUS_TEXT] = {"org.freedesktop.systemd1.Service", "StatusText", "s"},
        [SERVICE_RESULT] = {"org.freedesktop.systemd1.Service", "Result", "s"},
};

static int read_value(sd_bus_message *reply, const char *type, struct unit_value *ret, char ***ret_list) {
        int flag, r;

        switch (type[0]) {
        case 's':
                return sd_bus_message_read(reply, "v", "s", &ret->text);
        case 'b':
                r = sd_bus_message_read(reply, "v", "b", &flag);
                if (r >= 0)
                        ret->flag = flag;
                return r;
        case 't':
                return sd_bus_message_read(reply, "v", "t", &ret->number);
        default:
                r = sd_bus_message_enter_container(reply, 'v', "as");
                return r < 0 ? r : sd_bus_message_read_strv(reply, ret_list);
        }
}

static void free_list(char **list) {
        for (size_t i = 0; list && list[i]; i++)
                free(list[i]);
        free(list);
}

static void read_property(sd_bus_message *reply, bus_function_t callback, void *userdata, int kind) {
        unit_property_callback_t property_callback = (unit_property_callback_t)callback;
        struct unit_value value = {.text = ""};
        char **list = NULL;
        int r;

        r = bus_reply_error(reply);
        if (r >= 0)
                r = read_value(reply, properties[kind].type, &value, &list);
        value.list = list;
        while (list && list[value.n_list])
                value.n_list++;
        property_callback(userdata, r < 0 ? r : 0, r < 0 ? &(struct unit_value){.text = ""} : &value);
        free_list(list);
}

int unit_get_property(struct bus *bus, const char *unit, enum unit_property property,
        unit_property_callback_t callback, void *userdata, struct bus_call **call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus->connection, &message, SYSTEMD_NAME, path,
                        "org.freedesktop.DBus.Properties", "Get");
        if (r >= 0)
                r = sd_bus_message_append(
                        message, "ss", properties[property].interface, properties[property].name);
        return r < 0 ? r
                     : bus_call_send(bus, message, read_property, (int)property, (bus_function_t)callback,
                               userdata, call);
}

static void read_done(sd_bus_message *reply, bus_function_t callback, void *userdata, int kind) {
        unit_done_callback_t done_callback = (unit_done_callback_t)callback;

        (void)kind;
        done_callback(userdata, bus_reply_error(reply));
}

static int append_number(sd_bus_message *message, const struct unit_number *number) {
        if (number->is_scale)
                return sd_bus_message_append(
                        message, "(sv)", number->property, "u", (uint32_t)number->number);
        return sd_bus_message_append(message, "(sv)", number->property, "t", number->number);
}

int unit_set_numbers(struct bus *bus, const char *unit, const struct unit_number *numbers, size_t n,
        unit_done_callback_t callback, void *userdata, struct bus_call **call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = new_call(bus, "SetUnitProperties", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "sb", unit, true);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(sv)");
        for (size_t i = 0; i < n && r >= 0; i++)
                r = append_number(message, &numbers[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r
                     : bus_call_send(bus, message, read_done, 0, (bus_function_t)callback, userdata, call);
}

/* --- daemon-reload --------------------------------------------------------------------------- */

int units_reload(struct bus *bus, unit_done_callback_t callback, void *userdata, struct bus_call **call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = new_call(bus, "Reload", &message);
        return r < 0 ? r
                     : bus_call_send(bus, message, read_done, 0, (bus_function_t)callback, userdata, call);
}

/* --- signals --------------------------------------------------------------------------------- */

static int handle_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error);
static int handle_unit_removed(sd_bus_message *message, void *userdata, sd_bus_error *error);

static const struct bus_signal job_removed = {
        SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved", handle_job_removed};
static const struct bus_signal unit_removed = {
        SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnitRemoved", handle_unit_removed};

static int handle_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const struct bus_subscription *subscription;
        const char *job, *unit, *result;
        struct bus *bus = userdata;
        int r;

        (void)error;
        r = sd_bus_message_read(message, "uoss", NULL, &job, &unit, &result);
        if (r < 0)
                return r;
        DL_FOREACH (bus->subscriptions, subscription)
                if (subscription->signal == &job_removed)
                        ((unit_job_removed_t)subscription->callback)(
                                subscription->userdata, job, unit, result);
        return 0;
}

static int handle_unit_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const struct bus_subscription *subscription;
        struct bus *bus = userdata;
        const char *unit;
        int r;

        (void)error;
        r = sd_bus_message_read(message, "so", &unit, NULL);
        if (r < 0)
                return r;
        DL_FOREACH (bus->subscriptions, subscription)
                if (subscription->signal == &unit_removed)
                        ((unit_removed_t)subscription->callback)(subscription->userdata, unit);
        return 0;
}

static int handle_subscribed(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        struct bus *bus = userdata;

        (void)error;
        if (bus_reply_error(reply) >= 0)
                return 0;
        log_error("systemd does not send its signals: %s", bus_reply_text(reply));
        return sd_event_exit(bus->event, EXIT_FAILURE);
}

/*
 * At a daemon-reexec systemd leaves the bus, and what was asked of it is lost or not, nobody knows. As when
 * the bus goes, the activator ends: the next one finds out what has become of each lease, and the module asks
 * it again for a login that has no answer.
 */
static int handle_owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name, *new_owner;
        struct bus *bus = userdata;
        int r;

        (void)error;
        r = sd_bus_message_read(message, "sss", &name, NULL, &new_owner);
        if (r < 0 || !string_equal(name, SYSTEMD_NAME) || *new_owner)
                return r;
        return bus_end_without_systemd(bus);
}

/* systemd sends the signals of units and jobs over the bus only while somebody is subscribed. */
static int tell_systemd(struct bus *bus) {
        int r;

        if (bus->systemd_told)
                return 0;
        r = sd_bus_add_match_async(bus->connection, NULL,
                "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" SYSTEMD_NAME "'",
                handle_owner_changed, NULL, bus);
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(bus->connection, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "Subscribe", handle_subscribed, bus, NULL);
        bus->systemd_told = r >= 0;
        return r;
}

int units_on_job_removed(struct bus *bus, unit_job_removed_t callback, void *userdata) {
        int r = bus_subscribe(bus, &job_removed, (bus_function_t)callback, userdata);

        return r < 0 ? r : tell_systemd(bus);
}

int units_on_removed(struct bus *bus, unit_removed_t callback, void *userdata) {
        int r = bus_subscribe(bus, &unit_removed, (bus_function_t)callback, userdata);

        return r < 0 ? r : tell_systemd(bus);
}

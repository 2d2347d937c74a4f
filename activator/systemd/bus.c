/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The connection, the calls that are under way over it, and the subscribers to signals. What a call or a
 * signal means is decided by the callers.
 */

#include <utlist.h>

#include "base/event.h"
#include "base/log.h"
#include "bus-call.h"
#include "bus.h"

/*
 * A login waits for as long as its own timeout= says, 300 s at most, and no call may end sooner. If systemd
 * leaves the bus, the bus itself answers the calls, and at once.
 */
#define CALL_TIMEOUT_USEC (600 * USEC_PER_SEC)

int bus_attach(sd_event *event, sd_bus *connection, struct bus **ret_bus) {
        struct bus *bus = malloc(sizeof(*bus));
        int r;

        if (!bus) {
                sd_bus_unref(connection);
                return -ENOMEM;
        }
        *bus = (struct bus){.connection = connection, .event = event};
        /* Nothing works without the bus. A restart keeps every lease and waits until the bus is back.
         */
        r = sd_bus_set_exit_on_disconnect(connection, true);
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(connection, CALL_TIMEOUT_USEC);
        if (r >= 0)
                r = sd_bus_attach_event(connection, event, PRIORITY_BUS);
        if (r < 0) {
                bus_close(bus);
                return r;
        }
        *ret_bus = bus;
        return 0;
}

int bus_connect(sd_event *event, struct bus **ret_bus) {
        sd_bus *connection;
        int r;

        r = sd_bus_open_system(&connection);
        return r < 0 ? r : bus_attach(event, connection, ret_bus);
}

void bus_close(struct bus *bus) {
        struct bus_subscription *subscription, *next;

        if (!bus)
                return;
        while (bus->calls) {
                struct bus_call *call = bus->calls;

                bus_call_drop(call->place);
        }
        DL_FOREACH_SAFE(bus->subscriptions, subscription, next) {
                DL_DELETE(bus->subscriptions, subscription);
                free(subscription);
        }
        sd_bus_flush_close_unref(bus->connection);
        free(bus);
}

/* --- calls ----------------------------------------------------------------------------------- */

void bus_call_drop(struct bus_call **place) {
        struct bus_call *call = *place;

        if (!call)
                return;
        *place = NULL;
        DL_DELETE(call->bus->calls, call);
        sd_bus_slot_unref(call->slot);
        free(call);
}

int bus_end_without_systemd(struct bus *bus) {
        log_notice("systemd has left the bus or does not answer; the activator starts again and restores "
                   "every lease");
        return sd_event_exit(bus->event, EXIT_SUCCESS);
}

static int handle_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const struct bus_call call = *(struct bus_call *)userdata;

        (void)error;
        /* The callback may start another call in the same place, or free what the place is in. */
        bus_call_drop(call.place);
        /* The bus is gone, and this program ends. What became of the call is for the next one to find out. */
        if (sd_bus_is_open(call.bus->connection) <= 0)
                return 0;
        if (call.to_systemd && sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY))
                return bus_end_without_systemd(call.bus);
        call.reader(reply, call.callback, call.userdata, call.kind);
        return 0;
}

int bus_call_send(struct bus *bus, sd_bus_message *message, bus_reader_t reader, int kind,
        bus_function_t callback, void *userdata, struct bus_call **place) {
        struct bus_call *call;
        int r;

        bus_call_drop(place);
        call = malloc(sizeof(*call));
        if (!call)
                return -ENOMEM;
        *call = (struct bus_call){
                .bus = bus,
                .place = place,
                .reader = reader,
                .kind = kind,
                .to_systemd = string_equal(sd_bus_message_get_destination(message), SYSTEMD_NAME),
                .callback = callback,
                .userdata = userdata,
        };
        r = sd_bus_call_async(bus->connection, &call->slot, message, handle_reply, call, 0);
        /* A bus that is gone is no answer, and the event loop has not seen yet that it is: see
         * handle_reply(). */
        if (r < 0 && sd_bus_is_open(bus->connection) > 0) {
                free(call);
                return r;
        }
        DL_APPEND(bus->calls, call);
        *place = call;
        return 0;
}

int bus_send(struct bus *bus, sd_bus_message *message) {
        int r = sd_bus_message_set_expect_reply(message, false);

        return r < 0 ? r : sd_bus_send(bus->connection, message, NULL);
}

int bus_reply_error(sd_bus_message *reply) {
        int r;

        if (!sd_bus_message_is_method_error(reply, NULL))
                return 0;
        /* libsystemd does not know the errors of systemd by number. */
        if (sd_bus_message_is_method_error(reply, "org.freedesktop.systemd1.NoSuchUnit"))
                return -ENOENT;
        r = -sd_bus_message_get_errno(reply);
        /* Callers take -ENOENT for the one error above. */
        return r == -ENOENT ? -EIO : r;
}

const char *bus_reply_text(sd_bus_message *reply) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        return error && error->message ? error->message : "its answer cannot be read";
}

/* --- signals --------------------------------------------------------------------------------- */

static bool has_subscriber(const struct bus *bus, const struct bus_signal *signal) {
        const struct bus_subscription *subscription;

        DL_FOREACH (bus->subscriptions, subscription)
                if (subscription->signal == signal)
                        return true;
        return false;
}

int bus_subscribe(struct bus *bus, const struct bus_signal *signal, bus_function_t callback, void *userdata) {
        struct bus_subscription *subscription;
        int r = 0;

        if (!has_subscriber(bus, signal))
                r = sd_bus_match_signal_async(bus->connection, NULL, signal->program, signal->path,
                        signal->interface, signal->member, signal->handler, NULL, bus);
        if (r < 0)
                return r;
        subscription = malloc(sizeof(*subscription));
        if (!subscription)
                return -ENOMEM;
        *subscription =
                (struct bus_subscription){.signal = signal, .callback = callback, .userdata = userdata};
        DL_APPEND(bus->subscriptions, subscription);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What units.c and logind.c share. Only files of this folder include it. */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "util.h"

/* A callback of any type; it is called as the type that it was given as. */
typedef void (*bus_function_t)(void);

/* Reads the reply, which may be an error, and calls the callback. */
typedef void (*bus_reader_t)(sd_bus_message *reply, bus_function_t callback, void *userdata, int kind);

#define SYSTEMD_NAME "org.freedesktop.systemd1"

struct bus;

struct bus_call {
        struct bus *bus;
        struct bus_call **place;
        sd_bus_slot *slot;
        bus_reader_t reader;
        int kind; /* for the reader */
        bool to_systemd;
        bus_function_t callback;
        void *userdata;
        struct bus_call *prev, *next;
};

/* A signal of a program on the bus. The handler's userdata is the struct bus. */
struct bus_signal {
        const char *program, *path, *interface, *member;
        sd_bus_message_handler_t handler;
};

/* One subscriber to a signal. */
struct bus_subscription {
        const struct bus_signal *signal;
        bus_function_t callback;
        void *userdata;
        struct bus_subscription *prev, *next;
};

struct bus {
        sd_bus *connection;
        sd_event *event;                        /* borrowed */
        struct bus_call *calls;                 /* a utlist */
        struct bus_subscription *subscriptions; /* a utlist, in the order of subscription */
        bool systemd_told;                      /* it was asked to send its signals */
};

/* Takes over a connection that is set up, such as a test's, and attaches it to the event loop. */
int bus_attach(sd_event *event, sd_bus *connection, struct bus **ret_bus);

/*
 * Sends a method call. kind goes to the reader. Negative errno; then nothing is under way at the place.
 * Without a bus the call stays under way until this program ends.
 */
int bus_call_send(struct bus *bus, sd_bus_message *message, bus_reader_t reader, int kind,
        bus_function_t callback, void *userdata, struct bus_call **call);

/*
 * systemd has left the bus, as it does for a daemon-reexec, or hangs: whether it does what it was asked for
 * is not known. As when the bus goes, the program ends. The next activator finds out what has become of each
 * lease, and the module asks it again for a login that has no answer. Negative errno.
 */
int bus_end_without_systemd(struct bus *bus);

/* Sends a method call whose reply nobody waits for. Negative errno. */
int bus_send(struct bus *bus, sd_bus_message *message);

/* Has the signal's handler called from now on, and notes the subscriber. Negative errno. */
int bus_subscribe(struct bus *bus, const struct bus_signal *signal, bus_function_t callback, void *userdata);

/* 0, or the negative errno of an error reply; -ENOENT: systemd has no such unit. */
int bus_reply_error(sd_bus_message *reply);

/* The words of an error reply, or "its answer cannot be read". */
const char *bus_reply_text(sd_bus_message *reply);

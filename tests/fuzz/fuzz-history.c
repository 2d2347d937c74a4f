/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What `coursenetctl history` computes from the journal. The first line of the input is a point in time, as
 * an administrator writes it. Each line below it is an entry: EVENT|LEASE|USER|SEAT|SERVICE|WHEN|SINCE, the
 * last two in microseconds.
 */

#include "fuzz.h"
#include "history/lease-history.h"
#include "protocol.h"

/* Noon of a day. */
#define NOW 1767268800

/* A moment that is written is read as the same moment. */
static void check_moment(const char *text) {
        struct span span, again;
        char written[64];

        if (moment_parse(text, NOW, &span) < 0)
                return;
        CHECK(span.from_usec < span.to_usec);
        moment_format_utc(span.from_usec, written, sizeof(written));
        CHECK(moment_parse(written, NOW, &again) == 0);
        CHECK(again.from_usec == span.from_usec && again.to_usec <= span.to_usec);
}

static char *take_field(char **line) {
        char *field = *line;

        *line += strcspn(*line, "|");
        if (**line)
                *(*line)++ = '\0';
        return field;
}

static void add_line(struct lease_history *history, char *line) {
        struct lease_event event = {
                .address = "10.0.123.10", .address6 = "", .remote_host = "", .host = "hosta"};

        event.what = take_field(&line);
        event.id = take_field(&line);
        event.user = take_field(&line);
        event.seat = take_field(&line);
        event.service = take_field(&line);
        event.usec = strtoull(take_field(&line), NULL, 10);
        event.since_usec = strtoull(take_field(&line), NULL, 10);
        event.boot.bytes[0] = event.user[0] ? (uint8_t)event.user[0] : 0;
        if (event.id[0])
                CHECK(lease_history_add(history, &event, 1000) == 0);
}

static int boot_end(void *userdata, sd_id128_t boot, uint64_t *ret_usec) {
        (void)userdata;
        *ret_usec = 2000;
        return boot.bytes[0] % 3;
}

static bool is_live(void *userdata, const struct past_lease *lease) {
        (void)userdata;
        return lease->id[0] % 2;
}

/* Each lease is there once, in the order of their beginnings, and whether it has ended is known. */
static void check_history(const struct lease_history *history) {
        const struct span always = {.from_usec = 0, .to_usec = UINT64_MAX};
        uint64_t earlier = 0;

        for (const struct past_lease *lease = history->leases; lease; lease = lease->hh.next) {
                const struct past_lease *found;

                HASH_FIND_STR(history->leases, lease->id, found);
                CHECK(found == lease);
                CHECK(lease->since_usec >= earlier);
                CHECK(lease->until_usec == 0 || lease->end != LEASE_END_NONE);
                CHECK(lease->end != LEASE_END_BOOT || lease->until_usec >= lease->since_usec);
                CHECK(past_lease_within(lease, &always) || lease->since_usec == UINT64_MAX);
                earlier = lease->since_usec;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_lease_history_ struct lease_history history = {0};
        _cleanup_free_ char *text = fuzz_text(data, size);
        char *rest = text;

        if (!text)
                return 0;
        (void)setenv("TZ", "UTC", 1);
        check_moment(fuzz_take_line(&rest));
        while (*rest)
                add_line(&history, fuzz_take_line(&rest));
        CHECK(lease_history_end_boots(&history, boot_end, NULL) == 0);
        lease_history_end_unseen(&history, 1500, is_live, NULL);
        lease_history_sort(&history);
        check_history(&history);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compares the counters of each seat's cable with those of the drawing before. */

#include <inttypes.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/byte-count.h"
#include "base/complain.h"
#include "base/table.h"
#include "base/terminal.h"
#include "base/traffic.h"
#include "status-summary.h"
#include "status-view.h"
#include "status-watch.h"

#define INTERVAL_SECONDS 2U

/* What the terminal is told: cursor home; erase to the end of the line, and of the screen. */
#define HOME "\x1b[H"
#define ERASE_LINE "\x1b[K"
#define ERASE_BELOW "\x1b[J"

/* The lines of a drawing that are no seats: summary, headings, and the line of the cursor. */
#define OTHER_LINES 3U

struct row {
        const struct snapshot_seat *seat; /* borrowed */
        char id[SEAT_ID_SIZE];
        struct traffic traffic;
        bool has_rate;
        uint64_t receive_rate, transmit_rate; /* bytes per second */
};

/* The empty value is all zero. */
struct drawing {
        struct row *rows;
        size_t n_rows;
        double seconds; /* when, CLOCK_MONOTONIC */
};

static void drawing_done(struct drawing *drawing) {
        free(drawing->rows);
        *drawing = (struct drawing){0};
}

static double now(void) {
        struct timespec time = {0};

        (void)clock_gettime(CLOCK_MONOTONIC, &time);
        return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static const struct row *find_row(const struct drawing *drawing, const char *id) {
        for (size_t i = 0; i < drawing->n_rows; i++)
                if (string_equal(drawing->rows[i].id, id))
                        return &drawing->rows[i];
        return NULL;
}

/* A counter that is smaller than before is that of a new cable. */
static uint64_t rate(uint64_t before, uint64_t after, double seconds) {
        return after < before || seconds <= 0 ? 0 : (uint64_t)((double)(after - before) / seconds);
}

static void fill_row(
        const struct snapshot_seat *seat, const struct drawing *before, double seconds, struct row *row) {
        const struct row *former = find_row(before, seat->seat);
        char link[sizeof("vl-") + SEAT_ID_SIZE];

        *row = (struct row){.seat = seat};
        (void)string_copy(row->id, sizeof(row->id), seat->seat);
        (void)snprintf(link, sizeof(link), "vl-%s", seat->seat);
        (void)traffic_read(NETWORK_DIRECTORY, link, &row->traffic);
        if (!former)
                return;
        row->has_rate = true;
        row->receive_rate = rate(former->traffic.receive_bytes, row->traffic.receive_bytes, seconds);
        row->transmit_rate = rate(former->traffic.transmit_bytes, row->traffic.transmit_bytes, seconds);
}

/* Those with the most traffic first, others by their ids. */
static int compare(const void *a, const void *b) {
        const struct row *one = a, *other = b;
        uint64_t of_one = one->receive_rate + one->transmit_rate,
                 of_other = other->receive_rate + other->transmit_rate;

        if (of_one != of_other)
                return of_one > of_other ? -1 : 1;
        return one->seat < other->seat ? -1 : one->seat > other->seat;
}

static int make_drawing(const struct status_view *view, const struct drawing *before, struct drawing *ret) {
        struct drawing drawing = {.seconds = now()};

        drawing.rows = calloc(view->snapshot.n_seats + 1, sizeof(*drawing.rows));
        if (!drawing.rows)
                return -ENOMEM;
        for (size_t i = 0; i < view->snapshot.n_seats; i++)
                if (status_view_shows(view, &view->snapshot.seats[i]))
                        fill_row(&view->snapshot.seats[i], before, drawing.seconds - before->seconds,
                                &drawing.rows[drawing.n_rows++]);
        qsort(drawing.rows, drawing.n_rows, sizeof(*drawing.rows), compare);
        *ret = drawing;
        return 0;
}

static int add_row(struct libscols_table *table, const struct row *row) {
        const struct snapshot_seat *seat = row->seat;
        char logins[32], in[BYTE_COUNT_SIZE], out[BYTE_COUNT_SIZE], in_rate[BYTE_COUNT_SIZE] = "-",
                                                                    out_rate[BYTE_COUNT_SIZE] = "-";
        int r;

        (void)snprintf(logins, sizeof(logins), "%zu", seat->n_leases);
        byte_count_format(row->traffic.receive_bytes, in);
        byte_count_format(row->traffic.transmit_bytes, out);
        if (row->has_rate) {
                byte_count_format(row->receive_rate, in_rate);
                byte_count_format(row->transmit_rate, out_rate);
        }
        r = table_add(table,
                (const char *const[]){seat->seat, seat->user[0] ? seat->user : "-", seat->state, logins,
                        in_rate, out_rate, in, out},
                8);
        if (r >= 0 && !string_equal(seat->state, "up"))
                table_color(table, 2, string_equal(seat->state, "failed") ? "red" : "yellow");
        return r;
}

static size_t count_lines(void) {
        struct winsize size;

        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row <= OTHER_LINES
                       ? SIZE_MAX
                       : size.ws_row - OTHER_LINES;
}

static int draw(const struct status_view *view, const struct drawing *drawing) {
        static const char *const headings[] = {
                "SEAT", "USER", "STATE", "LEASES", "RECEIVED/s", "SENT/s", "RECEIVED", "SENT"};
        _cleanup_table_ struct libscols_table *table = NULL;
        _cleanup_free_ char *text = NULL;
        size_t n = count_lines();
        char *rest;
        int r;

        r = table_new(headings, ELEMENTSOF(headings), &table);
        for (size_t i = 0; i < drawing->n_rows && i < n && r >= 0; i++)
                r = add_row(table, &drawing->rows[i]);
        if (r >= 0)
                r = table_print_to_text(table, &text);
        if (r < 0)
                return r;
        (void)fputs(HOME, stdout);
        status_summary_print(view, ERASE_LINE);
        rest = text;
        for (char *line; (line = strsep(&rest, "\n"));)
                if (line[0])
                        (void)printf("%s" ERASE_LINE "\n", line);
        (void)fputs(ERASE_BELOW, stdout);
        return fflush(stdout) != 0 ? -EIO : 0;
}

/* Returns an exit code; keeps the drawing for the next one. */
static int step(const struct paths *paths, const char *word, struct drawing *drawing) {
        _cleanup_status_view_ struct status_view view = {0};
        _cleanup_(drawing_done) struct drawing before = *drawing;
        int r;

        *drawing = (struct drawing){0};
        r = status_view_load(paths, word, &view);
        if (r != EXIT_DONE)
                return r;
        r = make_drawing(&view, &before, drawing);
        if (r >= 0)
                r = draw(&view, drawing);
        if (r < 0) {
                complain("%s", strerror(-r));
                return EXIT_NO;
        }
        return EXIT_DONE;
}

int status_watch(const struct paths *paths, const char *word) {
        const struct timespec interval = {.tv_sec = INTERVAL_SECONDS};
        _cleanup_(drawing_done) struct drawing drawing = {0};
        sigset_t ends;
        int r;

        /* The user ends it by ^C, which is no failure. */
        (void)sigemptyset(&ends);
        (void)sigaddset(&ends, SIGINT);
        (void)sigaddset(&ends, SIGTERM);
        (void)sigprocmask(SIG_BLOCK, &ends, NULL);
        (void)fputs(HOME ERASE_BELOW, stdout);
        do {
                r = step(paths, word, &drawing);
        } while (r == EXIT_DONE && sigtimedwait(&ends, NULL, &interval) < 0);
        return r;
}

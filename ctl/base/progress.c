/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Draws the bar with "\r" and the sequence that clears the rest of a line. */

#include "progress.h"
#include "terminal.h"

#define BAR_WIDTH 40U

static void draw(const struct progress *progress) {
        char bar[BAR_WIDTH + 1];
        size_t n = progress->n_all > 0 ? progress->n_done * BAR_WIDTH / progress->n_all : BAR_WIDTH;

        if (!progress->shown)
                return;
        memset(bar, '.', BAR_WIDTH);
        memset(bar, '#', n);
        bar[BAR_WIDTH] = '\0';
        (void)fprintf(
                stderr, "\r[%s] %zu of %zu %s\x1b[K", bar, progress->n_done, progress->n_all, progress->what);
        (void)fflush(stderr);
}

struct progress progress_begin(const char *what, size_t n_all) {
        struct progress progress = {.what = what, .n_all = n_all, .shown = terminal_has_progress()};

        draw(&progress);
        return progress;
}

void progress_step(struct progress *progress) {
        progress->n_done++;
        draw(progress);
}

void progress_hide(const struct progress *progress) {
        if (progress->shown)
                (void)fputs("\r\x1b[K", stderr);
}

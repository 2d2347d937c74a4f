/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes drop-ins, and asks systemd first whether the unit in question may be changed. */

#include <fcntl.h>
#include <sys/stat.h>
#include <uthash.h>

#include "base/log.h"
#include "systemd/units.h"
#include "wiring.h"

/* Room for the longest path there can be. */
typedef char wiring_path_t[512];

static const char *file_of(const struct wiring *wiring) {
        return wiring->file ? wiring->file : WIRING_FILE;
}

static int format_path(
        wiring_path_t path, const char *directory, const struct wiring *wiring, const char *file) {
        int n = snprintf(
                path, sizeof(wiring_path_t), "%s/%s.d%s%s", directory, wiring->unit, *file ? "/" : "", file);

        return n < 0 || (size_t)n >= sizeof(wiring_path_t) ? -ENAMETOOLONG : 0;
}

static bool has_file(const char *directory, const char *unit, const char *file) {
        wiring_path_t path;
        int n = snprintf(path, sizeof(path), "%s/%s.d/%s", directory, unit, file);

        return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

bool wiring_exists(const char *directory, const char *unit) {
        return has_file(directory, unit, WIRING_FILE);
}

bool wiring_keeps(const char *directory, const char *unit) {
        return has_file(directory, unit, WIRING_KEEP_FILE);
}

bool wiring_limits(const char *directory, const char *unit) {
        return has_file(directory, unit, WIRING_LIMITS_FILE);
}

/* The text of the drop-in that is there, cut to its array. Returns its size, or negative errno. */
static ssize_t read_file(
        const char *directory, const struct wiring *wiring, char ret[static sizeof(wiring->text) + 1]) {
        _cleanup_close_ int fd = -1;
        wiring_path_t path;
        ssize_t n;
        int r;

        r = format_path(path, directory, wiring, file_of(wiring));
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        n = fd < 0 ? -1 : read(fd, ret, sizeof(wiring->text));
        if (n < 0)
                return -errno;
        ret[n] = '\0';
        return n;
}

int wiring_differs(const char *directory, const struct wiring *wiring) {
        char text[sizeof(wiring->text) + 1];
        ssize_t n = read_file(directory, wiring, text);

        if (n == -ENAMETOOLONG)
                return (int)n;
        if (n < 0 || wiring->stand_in)
                return n < 0;
        return (size_t)n != strlen(wiring->text) || memcmp(text, wiring->text, (size_t)n) != 0;
}

/* A drop-in that exists, and that systemd may have loaded, is good enough. */
static bool will_do(const char *directory, const struct wiring *wiring) {
        char text[sizeof(wiring->text) + 1];

        return wiring->will_do[0] && read_file(directory, wiring, text) >= 0 && strstr(text, wiring->will_do);
}

/* Not named *.conf: systemd must not read it before it is whole. */
#define TEMPORARY_FILE ".coursenet-new-"

static int write_file(const char *path, const char *text) {
        _cleanup_close_ int fd = -1;
        size_t size = strlen(text);

        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        return write(fd, text, size) == (ssize_t)size ? 0 : errno > 0 ? -errno : -EIO;
}

int wiring_write(const char *directory, const struct wiring *wiring) {
        wiring_path_t folder, file, temporary;
        char name[64];
        int r;

        /* The daemon and --wire may write at the same time. */
        (void)snprintf(name, sizeof(name), TEMPORARY_FILE "%ld", (long)getpid());

        r = format_path(folder, directory, wiring, "");
        if (r >= 0)
                r = format_path(file, directory, wiring, file_of(wiring));
        if (r >= 0)
                r = format_path(temporary, directory, wiring, name);
        if (r < 0)
                return r;

        /* The folder hides the file; systemd would warn of a file that not everybody may read. */
        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
                return -errno;
        r = write_file(temporary, wiring->text);
        /* If a login has written the file since, that one stays. */
        if (r >= 0 &&
                renameat2(AT_FDCWD, temporary, AT_FDCWD, file, wiring->stand_in ? RENAME_NOREPLACE : 0) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(temporary);
        return r == -EEXIST && wiring->stand_in ? 0 : r;
}

/* 1: it is removed; 0: there was none. Negative errno. */
static int remove_file(const char *directory, const struct wiring *wiring) {
        wiring_path_t path;
        int r;

        r = format_path(path, directory, wiring, file_of(wiring));
        if (r < 0)
                return r;
        if (unlink(path) < 0)
                return errno == ENOENT ? 0 : -errno;
        return 1;
}

int wiring_remove(const char *directory, const struct wiring *wiring) {
        int r = remove_file(directory, wiring);

        return r < 0 ? r : 0;
}

/*
 * The folder goes with the last file in it. One that was empty before stays, because systemd reads all its
 * folders again when one comes or goes: user-folder.h.
 */
static int remove_with_folder(const char *directory, const struct wiring *wiring) {
        wiring_path_t path;
        int r;

        r = remove_file(directory, wiring);
        if (r > 0 && format_path(path, directory, wiring, "") >= 0)
                (void)rmdir(path);
        return r < 0 ? r : 0;
}

static int set_keeping(const char *directory, const struct wiring *wiring, bool keep) {
        if (!keep)
                return remove_with_folder(directory, wiring);
        return wiring_differs(directory, wiring) ? wiring_write(directory, wiring) : 0;
}

int wiring_keep_user(const char *directory, uid_t uid, bool keep) {
        static const struct {
                const char *name, *more;
        } units[] = {
                {"user", ""},
                {"user-runtime-dir", "StopWhenUnneeded=yes\n"},
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(units) && r >= 0; i++) {
                struct wiring wiring = {.file = WIRING_KEEP_FILE};

                (void)snprintf(
                        wiring.unit, sizeof(wiring.unit), "%s@%u.service", units[i].name, (unsigned)uid);
                (void)snprintf(wiring.text, sizeof(wiring.text),
                        "# Written by coursenet-activator: leftover = keep. It ends with the seat, not when "
                        "logind says.\n"
                        "[Unit]\n"
                        "RefuseManualStop=yes\n"
                        "%s",
                        units[i].more);
                r = set_keeping(directory, &wiring, keep);
        }
        return r;
}

/* A drop-in whose file is not as it should be. */
struct pending {
        struct wiring wiring;
        bool will_do;               /* an old version, with which systemd may go on, is good enough */
        const struct unit_row *row; /* while all units are looked through */
        struct bus_call *call;
        struct wiring_update *update;
        UT_hash_handle hh;
};

struct wiring_update {
        struct seats *seats;
        struct pending *pending; /* a uthash by unit */
        struct wiring_result result;
        unsigned n_open; /* drop-ins that are not done yet, and the list of all units */
        wiring_callback_t callback;
        void *userdata;
        struct bus_call *list_call;
};

void wiring_update_free(struct wiring_update *update) {
        struct pending *pending, *next;

        if (!update)
                return;
        HASH_ITER (hh, update->pending, pending, next) {
                HASH_DEL(update->pending, pending);
                bus_call_drop(&pending->call);
                free(pending);
        }
        bus_call_drop(&update->list_call);
        free(update);
}

static void finish_update(struct wiring_update *update) {
        wiring_callback_t callback = update->callback;
        struct wiring_result result = update->result;
        void *userdata = update->userdata;

        wiring_update_free(update);
        callback(userdata, &result);
}

static void note_error(struct wiring_update *update, int error) {
        if (update->result.error == 0)
                update->result.error = error;
}

static void finish_one(struct wiring_update *update) {
        if (--update->n_open == 0)
                finish_update(update);
}

static void finish_check(struct pending *pending, bool stale) {
        pending->update->result.stale += stale;
        finish_one(pending->update);
}

static void finish_failed(struct pending *pending, int error) {
        note_error(pending->update, error);
        finish_one(pending->update);
}

static void handle_need_reload(void *userdata, int error, const struct unit_value *value) {
        /* An error means that the unit is not loaded any more, so that systemd will read it again. */
        finish_check(userdata, error >= 0 && value->flag);
}

static bool has_string(char *const *list, size_t n, const char *wanted) {
        for (size_t i = 0; i < n; i++)
                if (string_equal(list[i], wanted))
                        return true;
        return false;
}

/* NeedDaemonReload of systemd 252 does not see a drop-in whose folder is new: so this is asked before. */
static void handle_drop_ins(void *userdata, int error, const struct unit_value *value) {
        struct pending *pending = userdata;
        struct wiring_update *update = pending->update;
        wiring_path_t path;
        int r;

        if (error < 0) {
                finish_check(pending, false);
                return;
        }
        r = format_path(path, update->seats->unit_directory, &pending->wiring, file_of(&pending->wiring));
        if (r < 0 || !has_string(value->list, value->n_list, path)) {
                finish_check(pending, true);
                return;
        }
        r = unit_get_property(update->seats->bus, pending->wiring.unit, UNIT_NEED_DAEMON_RELOAD,
                handle_need_reload, pending, &pending->call);
        if (r < 0)
                finish_failed(pending, r);
}

/* A failed unit in memory keeps the version that was loaded; ResetFailedUnit makes systemd drop it. */
static void check_loaded(struct pending *pending) {
        struct bus *bus = pending->update->seats->bus;
        int r;

        r = unit_reset_failed(bus, pending->wiring.unit);
        if (r >= 0 && pending->will_do) {
                finish_check(pending, false);
                return;
        }
        if (r >= 0)
                r = unit_get_property(bus, pending->wiring.unit, UNIT_DROP_IN_PATHS, handle_drop_ins, pending,
                        &pending->call);
        if (r < 0)
                finish_failed(pending, r);
}

/* loaded: systemd has the unit in memory, so it may go on with an old version. */
static void write_pending(struct pending *pending, bool loaded) {
        struct wiring_update *update = pending->update;
        int r;

        r = wiring_write(update->seats->unit_directory, &pending->wiring);
        if (r < 0) {
                log_error("Cannot write the wiring of %s below %s: %s", pending->wiring.unit,
                        update->seats->unit_directory, strerror(-r));
                finish_failed(pending, r);
                return;
        }
        update->result.written++;
        if (loaded)
                check_loaded(pending);
        else
                finish_one(update);
}

/* row: NULL if systemd does not have the unit in memory. */
static void handle_state(struct pending *pending, const struct unit_row *row) {
        if (!row || string_equal(row->active_state, "inactive") ||
                string_equal(row->active_state, "failed")) {
                write_pending(pending, row);
                return;
        }
        pending->update->result.kept++;
        finish_one(pending->update);
}

/* --- a few units, each by its name ----------------------------------------------------------- */

static void handle_row(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct pending *pending = userdata;

        if (error < 0)
                finish_failed(pending, error);
        else
                handle_state(pending, n_rows > 0 ? rows : NULL);
}

static void handle_found(void *userdata, int error, const char *object, const char *text) {
        struct pending *pending = userdata;
        const char *unit = pending->wiring.unit;
        int r = error;

        (void)object;
        (void)text;
        if (error == -ENOENT) {
                handle_state(pending, NULL);
                return;
        }
        if (r >= 0)
                r = unit_list_names(
                        pending->update->seats->bus, &unit, 1, handle_row, pending, &pending->call);
        if (r < 0)
                finish_failed(pending, r);
}

/* At a login: a list of units would take systemd longer the more seats there are. */
static int ask_each(struct wiring_update *update) {
        struct pending *pending, *next;
        int r = 0;

        HASH_ITER (hh, update->pending, pending, next) {
                r = unit_find(
                        update->seats->bus, pending->wiring.unit, handle_found, pending, &pending->call);
                if (r < 0)
                        return r;
                update->n_open++;
        }
        return r;
}

/* --- many units at once ---------------------------------------------------------------------- */

static void note_row(struct wiring_update *update, const struct unit_row *row) {
        struct pending *pending;

        HASH_FIND_STR(update->pending, row->name, pending);
        if (pending)
                pending->row = row;
}

static void handle_rows(void *userdata, int error, const struct unit_row *rows, size_t n_rows) {
        struct wiring_update *update = userdata;
        struct pending *pending, *next;

        for (size_t i = 0; i < n_rows; i++)
                note_row(update, &rows[i]);
        if (error < 0)
                note_error(update, error);
        else
                HASH_ITER (hh, update->pending, pending, next) {
                        update->n_open++;
                        handle_state(pending, pending->row);
                }
        finish_one(update);
}

static int ask_all(struct wiring_update *update) {
        static const char *const patterns[] = {"nsbr@*.service"};

        update->n_open = 1;
        return unit_list(update->seats->bus, patterns, 1, handle_rows, update, &update->list_call);
}

/* --- the update ------------------------------------------------------------------------------ */

static int add_pending(struct wiring_update *update, const struct wiring *wiring) {
        struct pending *pending;

        if (!wiring_differs(update->seats->unit_directory, wiring))
                return 0;
        pending = calloc(1, sizeof(*pending));
        if (!pending)
                return -ENOMEM;
        pending->wiring = *wiring;
        pending->will_do = will_do(update->seats->unit_directory, wiring);
        pending->update = update;
        HASH_ADD_STR(update->pending, wiring.unit, pending);
        return 0;
}

int wiring_update(struct seats *seats, const struct wiring *wirings, size_t n, wiring_callback_t callback,
        void *userdata, struct wiring_update **ret_update) {
        struct wiring_update *update;
        int r = 0;

        update = calloc(1, sizeof(*update));
        if (!update)
                return -ENOMEM;
        *update = (struct wiring_update){.seats = seats, .callback = callback, .userdata = userdata};

        for (size_t i = 0; i < n && r >= 0; i++)
                r = add_pending(update, &wirings[i]);
        if (r >= 0 && update->pending)
                r = HASH_COUNT(update->pending) <= WIRING_MAX ? ask_each(update) : ask_all(update);
        if (r < 0 || !update->pending) {
                wiring_update_free(update);
                return r < 0 ? r : 0;
        }

        *ret_update = update;
        return 1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Gathers accounts and applies the fence, in steps: first for the accounts that are known without a
 * directory, then every few seconds while a directory answers, because it may be slow, and then at the end.
 * If this program is killed in between, the fence stays as it is. The next run reads below /run who was
 * fenced.
 */

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <time.h>

#include "base/clock.h"
#include "base/failure.h"
#include "base/runtime-file.h"
#include "fence-route.h"
#include "fence-set.h"
#include "fence-subuid.h"
#include "fence-table.h"
#include "fence.h"
#include "firewall/nftables.h"
#include "number.h"
#include "roster.h"
#include "setting-value.h"
#include "subuid-directory.h"
#include "subuid.h"

#define LOCK_FILE RUN_DIRECTORY "/fence.lock"
#define MEMORY_FILE RUN_DIRECTORY "/fence.uids"

/*
 * If one of these files exists, the kernel's table may differ from FENCE_RULES_FILE: another program has
 * changed it, or a run is applying it. There are two files because both may happen at the same time.
 */
#define STALE_FILE RUN_DIRECTORY "/fence.stale"
#define APPLYING_FILE RUN_DIRECTORY "/fence.applying"

#define WHAT "the fence around course users"

/* The longest time between finding an account and applying the fence to it. */
#define STEP_MS 5000

struct fence {
        const char *etc;
        struct settings settings;
        struct accounts remembered; /* as of the last step */
        struct accounts found;
        unsigned missing; /* students without an account */
        bool knows_missing;
        bool force; /* apply the rules even if they are those that were applied last */
        int error;  /* the error of the user database, negative errno, or 0 */
        int64_t stepped_ms;
};

static void fence_done(struct fence *fence) {
        settings_done(&fence->settings);
        accounts_done(&fence->remembered);
        accounts_done(&fence->found);
}

/* --- memory ----------------------------------------------------------------------------------------- */

static int load_memory(struct accounts *ret, unsigned *ret_missing) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = runtime_file_read(MEMORY_FILE, &text);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        return fence_parse_memory(text, ret, ret_missing);
}

unsigned fence_missing(void) {
        _cleanup_accounts_ struct accounts accounts = {0};
        unsigned missing = 0;

        (void)load_memory(&accounts, &missing);
        return missing;
}

/* Empty if the note has no valid name. */
static void read_note(int directory_fd, const char *note, char ret_name[static USER_NAME_SIZE]) {
        _cleanup_close_ int fd = openat(directory_fd, note, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        char text[USER_NAME_SIZE + 1];
        ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

        text[n > 0 ? n : 0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        (void)snprintf(ret_name, USER_NAME_SIZE, "%s", user_name_valid(text) ? text : "");
}

/* The name of a course user. Empty if the note has no name, or a name that does not match the name rule. */
static void read_login(const struct settings *settings, DIR *directory, const char *note,
        char ret_name[static USER_NAME_SIZE]) {
        read_note(dirfd(directory), note, ret_name);
        if (ret_name[0] != '\0' && account_classify(settings, ret_name) == ACCOUNT_OTHER)
                ret_name[0] = '\0';
}

static bool is_remembered(uint32_t uid, const char *name) {
        _cleanup_accounts_ struct accounts accounts = {0};
        unsigned missing;

        if (load_memory(&accounts, &missing) < 0)
                return false;
        for (size_t i = 0; i < accounts.n_items; i++)
                if (accounts.items[i].uid == uid && string_equal(accounts.items[i].name, name))
                        return true;
        return false;
}

bool fence_has_login(const char *note) {
        _cleanup_close_ int fd = open(COURSE_LOGIN_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC), lock_fd = -1;
        char name[USER_NAME_SIZE];
        unsigned uid;

        if (fd < 0 || number_parse(note, SYSTEM_UID_END, UINT32_MAX - 1, &uid) < 0)
                return false;
        read_note(fd, note, name);
        /* A run is under way, or what is remembered may not be what is applied. */
        if (runtime_lock_try(LOCK_FILE, &lock_fd) < 0 || access(STALE_FILE, F_OK) >= 0 ||
                access(APPLYING_FILE, F_OK) >= 0)
                return false;
        return is_remembered(uid, name);
}

static int add_logins(const struct settings *settings, struct accounts *accounts) {
        DIR *directory = opendir(COURSE_LOGIN_DIRECTORY);
        char name[USER_NAME_SIZE];
        unsigned uid;
        int r = 0;

        if (!directory)
                return errno == ENOENT ? 0 : -errno;
        for (struct dirent *entry; r >= 0 && (entry = readdir(directory));)
                if (number_parse(entry->d_name, SYSTEM_UID_END, UINT32_MAX - 1, &uid) >= 0) {
                        read_login(settings, directory, entry->d_name, name);
                        r = accounts_add(accounts, uid, name);
                }
        (void)closedir(directory);
        return r;
}

/* --- applying --------------------------------------------------------------------------------------- */

/* The caller frees *ret. Accounts are ordered by uid. */
static int list_uids(const struct accounts *accounts, uint32_t **ret, size_t *ret_n) {
        uint32_t *uids = calloc(accounts->n_items + 1, sizeof(*uids));
        size_t n = 0;

        if (!uids)
                return -ENOMEM;
        for (size_t i = 0; i < accounts->n_items; i++)
                if (n == 0 || uids[n - 1] != accounts->items[i].uid)
                        uids[n++] = accounts->items[i].uid;
        *ret = uids;
        *ret_n = n;
        return 0;
}

static int make_marker(const char *path) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

        return fd < 0 ? -errno : 0;
}

void fence_set_stale(void) {
        if (make_marker(STALE_FILE) < 0)
                (void)unlink(FENCE_RULES_FILE);
}

/*
 * The kernel still has the rules that were applied last. So the login of a user who is fenced already costs
 * no more than this check.
 */
static bool is_applied(void) {
        return access(STALE_FILE, F_OK) < 0 && access(APPLYING_FILE, F_OK) < 0 && fence_table_exists() == 1;
}

/* An error is only a warning: the file is only used if the settings have a mistake at the next boot. */
static void keep_for_reboot(const char *rules, struct diagnostics *diagnostics) {
        _cleanup_close_ int fd = -1;
        int r;

        r = runtime_file_write(FENCE_STATE_FILE, rules, 0600);
        if (r > 0) {
                /* Without this the file may be empty after a power failure. */
                fd = open(FENCE_STATE_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
                r = fd < 0 || fsync(fd) < 0 ? -errno : 0;
        }
        /* The directory is missing if this is run by hand before the unit has created it. */
        if (r < 0 && r != -ENOENT)
                diagnostics_warning(diagnostics, FENCE_STATE_FILE, 0, "cannot be written: %s", strerror(-r));
}

/* The table, and the routing rules for packets without an owner. If one fails, the other is still applied. */
static int apply_both(const char *rules, struct diagnostics *diagnostics) {
        int r = nftables_apply(rules, WHAT, diagnostics), route = fence_route_apply(rules, diagnostics);

        return r < 0 ? r : route;
}

static int apply_rules(struct fence *fence, const char *rules, struct diagnostics *diagnostics) {
        _cleanup_free_ char *applied = NULL;
        int r;

        if (!fence->force && runtime_file_read(FENCE_RULES_FILE, &applied) >= 0 &&
                string_equal(applied, rules) && is_applied())
                return 0;
        r = make_marker(APPLYING_FILE);
        if (r >= 0 && unlink(STALE_FILE) < 0 && errno != ENOENT)
                r = -errno;
        if (r >= 0)
                r = runtime_file_write(FENCE_RULES_FILE, rules, 0600);
        if (r < 0)
                return failure(diagnostics, RUN_DIRECTORY, r, "cannot be written to");
        r = apply_both(rules, diagnostics);
        if (r < 0)
                return r;
        (void)unlink(APPLYING_FILE);
        fence->force = false;
        keep_for_reboot(rules, diagnostics);
        return 0;
}

/* From here on until the rules are applied, nobody can rely on what is remembered. */
static int remember(const char *memory) {
        _cleanup_free_ char *before = NULL;
        int r;

        if (runtime_file_read(MEMORY_FILE, &before) >= 0 && string_equal(before, memory))
                return 0;
        r = make_marker(APPLYING_FILE);
        return r < 0 ? r : runtime_file_write(MEMORY_FILE, memory, 0600);
}

/* The uids are saved before the rules are applied, so that no uid that is fenced is forgotten. */
static int apply(struct fence *fence, const struct accounts *fenced, unsigned missing,
        struct diagnostics *diagnostics) {
        static const char *const subuid_files[] = {SUBUID_FILE, DIRECTORY_SUBUID_FILE};
        _cleanup_free_ char *memory = fence_format_memory(fenced, missing), *rules = NULL;
        _cleanup_uid_ranges_ struct uid_ranges subordinates = {0};
        _cleanup_free_ uint32_t *uids = NULL;
        struct fence_uids whose = {0};
        struct fence_members members;
        const char *subuid_file = NULL;
        int r, subuid_error = 0;

        r = memory ? list_uids(fenced, &uids, &whose.n_uids) : -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(subuid_files) && subuid_error >= 0; i++) {
                subuid_file = subuid_files[i];
                subuid_error = fence_subuid_load(subuid_file, &fence->settings, fenced, &subordinates);
        }
        whose.uids = uids;
        whose.subordinates = subordinates;
        fence_members_list(&fence->settings, &members);
        if (r >= 0)
                rules = fence_table_format(&fence->settings.fence, &whose, &members);
        if (!rules)
                return failure(diagnostics, WHAT, -ENOMEM, "cannot be computed");

        r = remember(memory);
        if (r < 0)
                return failure(diagnostics, RUN_DIRECTORY, r, "cannot be written to");
        r = apply_rules(fence, rules, diagnostics);
        if (r >= 0 && subuid_error < 0)
                return failure(diagnostics, subuid_file, subuid_error,
                        "cannot be read, so subordinate ids of course users are not fenced");
        return r;
}

/*
 * Merges the accounts of this run with the saved ones, which another run may have changed, and applies the
 * result. A lock allows one run at a time.
 */
static int step(struct fence *fence, struct diagnostics *diagnostics) {
        _cleanup_accounts_ struct accounts fenced = {0};
        _cleanup_close_ int lock_fd = -1;
        unsigned missing = 0;
        int r;

        r = runtime_lock_take(LOCK_FILE, &lock_fd);
        if (r < 0)
                return failure(diagnostics, LOCK_FILE, r, "cannot be locked");
        accounts_done(&fence->remembered);
        r = load_memory(&fence->remembered, &missing);
        if (r >= 0)
                r = add_logins(&fence->settings, &fence->remembered);
        if (r >= 0)
                r = fence_compute(&fence->settings, &fence->remembered, &fence->found, &fenced);
        if (r < 0)
                return failure(diagnostics, WHAT, r, "cannot be computed");

        fence->stepped_ms = clock_now_ms();
        return apply(fence, &fenced, fence->knows_missing ? fence->missing : missing, diagnostics);
}

/* fence = no. */
static int remove_fence(const struct fence *fence, struct diagnostics *diagnostics) {
        _cleanup_free_ char *rules = fence_table_format(
                &fence->settings.fence, &(struct fence_uids){0}, &(struct fence_members){0});
        _cleanup_close_ int lock_fd = -1;
        int r;

        if (!rules)
                return failure(diagnostics, WHAT, -ENOMEM, "cannot be removed");
        r = runtime_lock_take(LOCK_FILE, &lock_fd);
        if (r < 0)
                return failure(diagnostics, LOCK_FILE, r, "cannot be locked");
        (void)unlink(MEMORY_FILE);
        (void)unlink(FENCE_RULES_FILE);
        (void)unlink(FENCE_STATE_FILE);
        r = fence_route_apply(rules, diagnostics);
        if (r < 0 || fence_table_exists() == 0)
                return r;
        return nftables_apply(rules, WHAT, diagnostics);
}

/*
 * The settings have a mistake, so the rules that were applied last are applied again, also after a flush or a
 * reboot.
 */
static void apply_last(struct diagnostics *diagnostics) {
        _cleanup_free_ char *rules = NULL;
        _cleanup_close_ int lock_fd = -1;

        if (runtime_lock_take(LOCK_FILE, &lock_fd) < 0)
                return;
        if (runtime_file_read(FENCE_RULES_FILE, &rules) >= 0 ||
                runtime_file_read(FENCE_STATE_FILE, &rules) >= 0)
                (void)apply_both(rules, diagnostics);
}

/* --- sources ---------------------------------------------------------------------------------------- */

/* /etc/passwd itself, without a directory behind it. */
static int find_local(struct fence *fence) {
        _cleanup_fclose_ FILE *file = fopen("/etc/passwd", "re");
        int r = 0;

        if (!file)
                return errno == ENOENT ? 0 : -errno;
        for (struct passwd *entry; r >= 0 && (entry = fgetpwent(file));)
                r = accounts_add(&fence->found, entry->pw_uid, entry->pw_name);
        return r;
}

/* The errno of a look-up without a result: whether it means that there is no such account. */
static bool is_lookup_error(int error) {
        return error != 0 && error != ENOENT && error != ESRCH;
}

static int step_now_and_then(struct fence *fence, struct diagnostics *diagnostics) {
        return clock_now_ms() - fence->stepped_ms < STEP_MS ? 0 : step(fence, diagnostics);
}

static int find_listed(struct fence *fence, struct diagnostics *diagnostics) {
        struct passwd *entry;
        int r = 0;

        setpwent();
        for (;;) {
                errno = 0;
                entry = getpwent();
                if (!entry || r < 0)
                        break;
                r = accounts_add(&fence->found, entry->pw_uid, entry->pw_name);
                if (r >= 0)
                        r = step_now_and_then(fence, diagnostics);
        }
        if (!entry && is_lookup_error(errno))
                fence->error = -errno;
        endpwent();
        return r;
}

static int find_user(struct fence *fence, const char *user, struct diagnostics *diagnostics) {
        struct passwd *entry;
        int r;

        errno = 0;
        entry = getpwnam(user);
        if (!entry) {
                if (is_lookup_error(errno))
                        fence->error = -errno;
                fence->missing++;
                return 0;
        }
        /* The name is the one that was asked for, because a directory may return another spelling. */
        r = accounts_add(&fence->found, entry->pw_uid, user);
        return r < 0 ? r : step_now_and_then(fence, diagnostics);
}

/* Names that are in known, which is sorted by name, are not looked up again. */
static int find_roster(struct fence *fence, const struct roster *roster, const struct accounts *known,
        struct diagnostics *diagnostics) {
        char user[USER_NAME_SIZE];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < roster->n_lines; i++) {
                const struct roster_line *line = &roster->lines[i];

                if (line->student[0] == '\0' || line->removed ||
                        name_rule_format(&fence->settings.rule, roster->course, line->student, user) < 0)
                        continue;
                if (!accounts_have_name(known, user))
                        r = find_user(fence, user, diagnostics);
        }
        return r;
}

/* Mistakes in a roster are not reported here: `coursenet-host dns` and `coursenetctl check` report them. */
static int find_rosters(struct fence *fence, const struct accounts *known, struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        char path[256];
        DIR *directory;
        int r = 0;

        (void)snprintf(path, sizeof(path), "%s/" ROSTER_DIRECTORY, fence->etc);
        directory = opendir(path);
        if (!directory)
                return errno == ENOENT ? 0 : -errno;
        for (struct dirent *entry; r >= 0 && (entry = readdir(directory));) {
                _cleanup_roster_ struct roster roster = {0};

                if (digits_only(entry->d_name) &&
                        roster_load(fence->etc, &fence->settings, entry->d_name, &roster, &ignored) >= 0)
                        r = find_roster(fence, &roster, known, diagnostics);
        }
        (void)closedir(directory);
        return r;
}

/* Accounts of earlier runs that this run has not found: does the uid belong to somebody else now? */
static int find_remembered(struct fence *fence) {
        _cleanup_accounts_ struct accounts found = {0};
        int r;

        r = accounts_copy_by_uid(&fence->found, &found);
        for (size_t i = 0; r >= 0 && i < fence->remembered.n_items; i++) {
                uint32_t uid = fence->remembered.items[i].uid;
                struct passwd *entry = accounts_have_uid(&found, uid) ? NULL : getpwuid(uid);

                if (entry)
                        r = accounts_add(&fence->found, entry->pw_uid, entry->pw_name);
        }
        return r;
}

/* This comes last, when all accounts are fenced by their own uids. */
static int find_subordinates(struct fence *fence, struct diagnostics *diagnostics) {
        _cleanup_accounts_ struct accounts fenced = {0};
        _cleanup_free_ char *before = NULL;
        unsigned missing;
        int r;

        /* In this order: everybody whom another run has written into the file is in its memory before. */
        r = subuid_directory_read(&before);
        if (r >= 0)
                r = load_memory(&fenced, &missing);
        if (r < 0)
                return r;
        r = subuid_directory_update(&fenced, before, diagnostics);
        return r > 0 ? step(fence, diagnostics) : r;
}

/*
 * The students of the rosters come first. A directory may list its accounts slowly or without end, and must
 * not delay them.
 */
static int find_all(struct fence *fence, enum fence_scope scope, struct diagnostics *diagnostics) {
        _cleanup_accounts_ struct accounts known = {0};
        int r = 0;

        if (scope == FENCE_NEW)
                r = accounts_copy_by_name(&fence->remembered, &known);
        if (r >= 0)
                r = find_rosters(fence, &known, diagnostics);
        if (r < 0)
                return r;
        fence->knows_missing = true;
        r = step(fence, diagnostics);
        if (r < 0 || scope == FENCE_NEW)
                return r;

        r = find_listed(fence, diagnostics);
        if (r >= 0)
                r = find_remembered(fence);
        return r < 0 ? r : step(fence, diagnostics);
}

static int prepare(void) {
        int r;

        r = runtime_directory_make(RUN_DIRECTORY, 0755);
        if (r >= 0)
                r = runtime_directory_make(COURSE_LOGIN_DIRECTORY, 0700);
        return r;
}

static int update(struct fence *fence, enum fence_scope scope, struct diagnostics *diagnostics) {
        int r;

        if (!fence->settings.fence.enabled)
                return remove_fence(fence, diagnostics);
        r = find_local(fence);
        if (r < 0)
                return failure(diagnostics, "/etc/passwd", r, "cannot be read");
        r = step(fence, diagnostics);
        if (r >= 0 && scope != FENCE_LOCAL)
                r = find_all(fence, scope, diagnostics);
        if (r >= 0 && scope != FENCE_LOCAL)
                r = find_subordinates(fence, diagnostics);
        if (r < 0 && diagnostics->n_errors == 0)
                return failure(diagnostics, WHAT, r, "cannot be computed");
        if (r >= 0 && fence->error < 0)
                return failure(diagnostics, WHAT, fence->error,
                        "not all accounts could be looked up; accounts that were fenced before stay fenced");
        return r;
}

int fence_update(const char *etc, enum fence_scope scope, struct diagnostics *diagnostics) {
        /* FENCE_ALL applies the rules even if they are those that were applied last. */
        _cleanup_(fence_done) struct fence fence = {.etc = etc, .force = scope == FENCE_ALL};
        int r;

        r = prepare();
        if (r < 0)
                return failure(diagnostics, RUN_DIRECTORY, r, "cannot be made");
        r = settings_load(etc, &fence.settings, diagnostics);
        if (r < 0) {
                apply_last(diagnostics);
                return r;
        }
        return update(&fence, scope, diagnostics);
}

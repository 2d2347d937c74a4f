/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sorted arrays: a campus has tens of thousands of accounts, and they are compared with each other. */

#include <limits.h>

#include "fence-set.h"
#include "number.h"

void accounts_done(struct accounts *accounts) {
        for (size_t i = 0; i < accounts->n_items; i++)
                free(accounts->items[i].name);
        free(accounts->items);
        *accounts = (struct accounts){0};
}

int accounts_add(struct accounts *accounts, uint32_t uid, const char *name) {
        struct account *items = accounts->items;
        _cleanup_free_ char *copy = strdup(name);

        if (!copy)
                return -ENOMEM;
        /* The array grows when its size is a power of two. */
        if ((accounts->n_items & (accounts->n_items - 1)) == 0) {
                items = reallocarray(items, accounts->n_items ? 2 * accounts->n_items : 1, sizeof(*items));
                if (!items)
                        return -ENOMEM;
                accounts->items = items;
        }
        items[accounts->n_items++] = (struct account){.uid = uid, .name = copy};
        copy = NULL;
        return 0;
}

static int compare_uids(const void *a, const void *b) {
        const struct account *one = a, *other = b;

        if (one->uid != other->uid)
                return one->uid < other->uid ? -1 : 1;
        return 0;
}

static int compare_names(const void *a, const void *b) {
        const struct account *one = a, *other = b;

        return strcmp(one->name, other->name);
}

static int compare(const void *a, const void *b) {
        int r = compare_uids(a, b);

        return r != 0 ? r : compare_names(a, b);
}

static int copy_sorted(
        const struct accounts *accounts, int (*order)(const void *a, const void *b), struct accounts *ret) {
        _cleanup_accounts_ struct accounts copy = {0};
        int r = 0;

        for (size_t i = 0; i < accounts->n_items && r >= 0; i++)
                r = accounts_add(&copy, accounts->items[i].uid, accounts->items[i].name);
        if (r < 0)
                return r;
        if (copy.n_items > 0)
                qsort(copy.items, copy.n_items, sizeof(*copy.items), order);
        *ret = copy;
        copy = (struct accounts){0};
        return 0;
}

int accounts_copy_by_uid(const struct accounts *accounts, struct accounts *ret) {
        return copy_sorted(accounts, compare, ret);
}

int accounts_copy_by_name(const struct accounts *accounts, struct accounts *ret) {
        return copy_sorted(accounts, compare_names, ret);
}

static bool search(const struct accounts *accounts, const struct account *key,
        int (*order)(const void *a, const void *b)) {
        return accounts->n_items > 0 &&
               bsearch(key, accounts->items, accounts->n_items, sizeof(*accounts->items), order);
}

bool accounts_have_uid(const struct accounts *by_uid, uint32_t uid) {
        struct account key = {.uid = uid};

        return search(by_uid, &key, compare_uids);
}

bool accounts_have_name(const struct accounts *by_name, const char *name) {
        struct account key = {.name = (char *)(uintptr_t)name};

        return search(by_name, &key, compare_names);
}

enum account_kind account_classify(const struct settings *settings, const char *name) {
        char course[COURSE_SIZE], student[USER_NAME_SIZE];

        if (!name_rule_match(&settings->rule, name, course, student) &&
                !name_rule_resembles(&settings->rule, name))
                return ACCOUNT_OTHER;
        for (size_t i = 0; i < settings->fence.n_users; i++)
                if (string_equal(settings->fence.users[i], name))
                        return ACCOUNT_EXCEPT;
        return ACCOUNT_COURSE;
}

/* What this run has found about a uid. */
struct verdict {
        bool known;     /* there is an account */
        bool course;    /* a course user's is among them */
        bool is_except; /* one that must not be fenced is */
};

/* A binary search for the first account with this uid. */
static struct verdict judge(const struct settings *settings, const struct accounts *sorted, uint32_t uid) {
        struct verdict verdict = {0};
        size_t low = 0, high = sorted->n_items;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (sorted->items[middle].uid < uid)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (; low < sorted->n_items && sorted->items[low].uid == uid; low++) {
                enum account_kind kind = account_classify(settings, sorted->items[low].name);

                verdict.known = true;
                verdict.course |= kind == ACCOUNT_COURSE;
                verdict.is_except |= kind == ACCOUNT_EXCEPT;
        }
        return verdict;
}

static bool uid_is_ours(uint32_t uid) {
        return uid >= SYSTEM_UID_END && uid != (uint32_t)-1;
}

/*
 * An account of this run is fenced if it is a course user's, and if no account with the same uid is excepted.
 */
static bool keep_found(
        const struct settings *settings, const struct accounts *found, const struct account *account) {
        return uid_is_ours(account->uid) && account_classify(settings, account->name) == ACCOUNT_COURSE &&
               !judge(settings, found, account->uid).is_except;
}

/* An account of an earlier run, or of a login, is fenced until the uid turns out to be somebody else's. */
static bool keep_remembered(const struct settings *settings, const struct accounts *found,
        const struct accounts *remembered, const struct account *account) {
        struct verdict verdict = judge(settings, found, account->uid);

        if (!uid_is_ours(account->uid) || verdict.is_except || (verdict.known && !verdict.course))
                return false;
        /* A login has named this account. It may be in a directory, which this run has not asked. */
        if (judge(settings, remembered, account->uid).is_except)
                return false;
        /* The name rule and the exceptions may have changed since. */
        return account->name[0] == '\0' || account_classify(settings, account->name) == ACCOUNT_COURSE;
}

/*
 * Removes duplicates: the same account comes from several sources. A uid without a name is dropped if there
 * is one with a name.
 */
static void remove_doubles(struct accounts *accounts) {
        size_t n = 0;

        if (accounts->n_items > 0)
                qsort(accounts->items, accounts->n_items, sizeof(*accounts->items), compare);
        for (size_t i = 0; i < accounts->n_items; i++) {
                struct account *item = &accounts->items[i],
                               *next = i + 1 < accounts->n_items ? item + 1 : NULL;

                /* An empty name is sorted before the other names of its uid. */
                if (next && (compare(item, next) == 0 || (item->name[0] == '\0' && item->uid == next->uid)))
                        free(item->name);
                else
                        accounts->items[n++] = *item;
        }
        accounts->n_items = n;
}

int fence_compute(const struct settings *settings, const struct accounts *remembered,
        const struct accounts *found, struct accounts *ret) {
        _cleanup_accounts_ struct accounts sorted = {0}, earlier = {0}, fenced = {0};
        int r;

        r = accounts_copy_by_uid(found, &sorted);
        if (r >= 0)
                r = accounts_copy_by_uid(remembered, &earlier);
        for (size_t i = 0; r >= 0 && i < sorted.n_items; i++)
                if (keep_found(settings, &sorted, &sorted.items[i]))
                        r = accounts_add(&fenced, sorted.items[i].uid, sorted.items[i].name);
        for (size_t i = 0; r >= 0 && i < earlier.n_items; i++)
                if (keep_remembered(settings, &sorted, &earlier, &earlier.items[i]))
                        r = accounts_add(&fenced, earlier.items[i].uid, earlier.items[i].name);
        if (r < 0)
                return r;

        remove_doubles(&fenced);
        *ret = fenced;
        fenced = (struct accounts){0};
        return 0;
}

char *fence_format_memory(const struct accounts *accounts, unsigned missing) {
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return NULL;
        (void)fprintf(file, "missing %u\n", missing);
        for (size_t i = 0; i < accounts->n_items; i++)
                (void)fprintf(file, "%u %s\n", accounts->items[i].uid,
                        accounts->items[i].name[0] ? accounts->items[i].name : "-");
        if (fclose(file) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

static int parse_line(char *line, struct accounts *accounts, unsigned *missing) {
        char *name = strchr(line, ' ');
        unsigned uid;

        if (!name)
                return 0;
        *name++ = '\0';
        if (string_equal(line, "missing")) {
                (void)number_parse(name, 0, UINT_MAX, missing);
                return 0;
        }
        if (number_parse(line, 0, UINT32_MAX - 1, &uid) < 0 || name[0] == '\0')
                return 0;
        return accounts_add(accounts, uid, string_equal(name, "-") ? "" : name);
}

int fence_parse_memory(const char *text, struct accounts *ret, unsigned *ret_missing) {
        _cleanup_accounts_ struct accounts accounts = {0};
        _cleanup_free_ char *copy = strdup(text);
        unsigned missing = 0;
        char *rest = NULL;
        int r = copy ? 0 : -ENOMEM;

        for (char *line = r >= 0 ? strtok_r(copy, "\n", &rest) : NULL; line && r >= 0;
                line = strtok_r(NULL, "\n", &rest))
                r = parse_line(line, &accounts, &missing);
        if (r < 0)
                return r;

        *ret = accounts;
        accounts = (struct accounts){0};
        *ret_missing = missing;
        return 0;
}

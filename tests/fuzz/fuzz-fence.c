/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who is fenced, and with which rules. The input is coursenet.conf, what an earlier run remembered, and
 * /etc/subuid, with "%%" on a line between them.
 */

#include "fence/fence-table.h"
#include "fuzz.h"
#include "nft-check.h"

static void check_memory(const struct accounts *accounts, unsigned missing) {
        _cleanup_accounts_ struct accounts again = {0};
        _cleanup_free_ char *text = fence_format_memory(accounts, missing), *second = NULL;
        unsigned missing_again;

        CHECK(text && fence_parse_memory(text, &again, &missing_again) == 0);
        CHECK(missing_again == missing && again.n_items == accounts->n_items);
        second = fence_format_memory(&again, missing_again);
        CHECK(second && string_equal(text, second));
}

static void check_accounts(const struct settings *settings, const struct accounts *fenced) {
        for (size_t i = 0; i < fenced->n_items; i++) {
                const struct account *account = &fenced->items[i];

                CHECK(account->uid >= SYSTEM_UID_END);
                CHECK(i == 0 || fenced->items[i - 1].uid < account->uid ||
                        (fenced->items[i - 1].uid == account->uid &&
                                strcmp(fenced->items[i - 1].name, account->name) < 0));
                CHECK(account_classify(settings, account->name) != ACCOUNT_EXCEPT);
        }
}

static void check_ranges(const struct uid_ranges *ranges) {
        for (size_t i = 0; i < ranges->n_items; i++) {
                const struct uid_range *range = &ranges->items[i];

                CHECK(range->first >= SYSTEM_UID_END && range->first <= range->last &&
                        range->last < UINT32_MAX);
                /* nft rejects elements that overlap, and joins those that touch. */
                CHECK(i == 0 || ranges->items[i - 1].last + 1 < range->first);
        }
}

/* The accounts are in the order of their uids; an account may have several names. */
static void check_table(
        const struct settings *settings, const struct accounts *fenced, const struct uid_ranges *ranges) {
        _cleanup_free_ uint32_t *uids = calloc(fenced->n_items + 1, sizeof(*uids));
        struct fence_uids all = {.uids = uids, .subordinates = *ranges};
        struct fence_members members;
        _cleanup_free_ char *text = NULL;

        CHECK(uids);
        for (size_t i = 0; i < fenced->n_items; i++)
                if (i == 0 || fenced->items[i - 1].uid != fenced->items[i].uid)
                        uids[all.n_uids++] = fenced->items[i].uid;
        fence_members_list(settings, &members);
        text = fence_table_format(&settings->fence, &all, &members);
        check_accepted(text);
}

static void check_fence(const struct settings *settings, const char *memory, const char *subuid) {
        _cleanup_accounts_ struct accounts remembered = {0}, fenced = {0};
        _cleanup_uid_ranges_ struct uid_ranges ranges = {0};
        const struct accounts nobody = {0};
        unsigned missing = 0;

        CHECK(fence_parse_memory(memory, &remembered, &missing) == 0);
        check_memory(&remembered, missing);
        CHECK(fence_compute(settings, &remembered, &nobody, &fenced) == 0);
        check_accounts(settings, &fenced);
        CHECK(fence_subuid_load(subuid, settings, &fenced, &ranges) == 0);
        check_ranges(&ranges);
        check_table(settings, &fenced, &ranges);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_free_ char *text = fuzz_text(data, size);
        const char *etc = fuzz_make_folder(), *memory;
        char path[96], subuid[96], *rest = text;

        if (!text)
                return 0;
        (void)snprintf(path, sizeof(path), "%s/" SETTINGS_FILE, etc);
        (void)snprintf(subuid, sizeof(subuid), "%s/subuid", etc);
        fuzz_write(path, fuzz_take_part(&rest));
        memory = fuzz_take_part(&rest);
        fuzz_write(subuid, rest);
        if (settings_load(etc, &settings, &diagnostics) == 0)
                check_fence(&settings, memory, subuid);
        (void)unlink(path);
        (void)unlink(subuid);
        return 0;
}

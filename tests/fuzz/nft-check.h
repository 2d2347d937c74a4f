/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether libnftables and the kernel accept a text: a dry run, which parses and evaluates it, and sends it
 * to the kernel without the end of a transaction, so that nothing comes of it. It is in a network namespace
 * of the fuzzer's own, so the fuzzer runs as root.
 */

#include <nftables/libnftables.h>
#include <sched.h>

#include "fuzz.h"

static void enter_namespace(void) {
        static bool entered;

        CHECK(entered || unshare(CLONE_NEWNET) == 0);
        entered = true;
}

/* A context for each text, as in netsetup/firewall/nftables.c. */
static void check_accepted(const char *commands) {
        struct nft_ctx *context;

        enter_namespace();
        context = nft_ctx_new(NFT_CTX_DEFAULT);
        CHECK(context && commands);
        nft_ctx_set_dry_run(context, true);
        CHECK(nft_ctx_buffer_output(context) == 0 && nft_ctx_buffer_error(context) == 0);
        if (nft_run_cmd_from_buffer(context, commands) != 0) {
                (void)fprintf(stderr, "libnftables does not accept:\n%s\n%s\n", commands,
                        nft_ctx_get_error_buffer(context));
                abort();
        }
        nft_ctx_free(context);
}

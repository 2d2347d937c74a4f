/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The boundary to libnftables: a context for each call, no state. */

#include <nftables/libnftables.h>

#include "firewall.h"

static void free_context(struct nft_ctx **context) {
        if (*context)
                nft_ctx_free(*context);
}

#define _cleanup_context_ _cleanup_(free_context)

/* NULL: out of memory. Nothing is printed: output and errors are kept. */
static struct nft_ctx *new_context(void) {
        _cleanup_context_ struct nft_ctx *context = nft_ctx_new(NFT_CTX_DEFAULT);
        struct nft_ctx *r;

        if (!context || nft_ctx_buffer_output(context) != 0 || nft_ctx_buffer_error(context) != 0)
                return NULL;
        r = context;
        context = NULL;
        return r;
}

/* What is worth telling: the first line, without the words that every one of them begins with. */
static void report(struct nft_ctx *context, const char *what, struct diagnostics *diagnostics) {
        static const char *const openings[] = {"Error: ", "Could not process rule: "};
        const char *text = nft_ctx_get_error_buffer(context);

        for (size_t i = 0; i < ELEMENTSOF(openings); i++) {
                const char *opening = strstr(text, openings[i]);

                if (opening)
                        text = opening + strlen(openings[i]);
        }
        diagnostics_error(
                diagnostics, what, 0, "the firewall cannot be set: %.*s", (int)strcspn(text, "\n"), text);
}

int firewall_apply(const char *commands, const char *what, struct diagnostics *diagnostics) {
        _cleanup_context_ struct nft_ctx *context = new_context();

        if (!context) {
                diagnostics_error(diagnostics, what, 0, "the firewall cannot be set: out of memory");
                return -ENOMEM;
        }
        if (nft_run_cmd_from_buffer(context, commands) == 0)
                return 0;
        report(context, what, diagnostics);
        return -EIO;
}

static int list(const char *object, const char *name, unsigned flags, char **ret) {
        _cleanup_context_ struct nft_ctx *context = new_context();
        _cleanup_free_ char *command = NULL;
        char *text;

        if (!context || asprintf(&command, "list %s %s", object, name) < 0) {
                command = NULL;
                return -ENOMEM;
        }
        nft_ctx_output_set_flags(context, flags);
        if (nft_run_cmd_from_buffer(context, command) != 0)
                return strstr(nft_ctx_get_error_buffer(context), strerror(ENOENT)) ? -ENOENT : -EIO;

        text = strdup(nft_ctx_get_output_buffer(context));
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

int firewall_list_table(const char *table, char **ret) {
        return list("table", table, 0, ret);
}

int firewall_list_chain(const char *chain, char **ret) {
        return list("chain", chain, 0, ret);
}

int firewall_list_all(char **ret) {
        return list("ruleset", "", NFT_CTX_OUTPUT_JSON, ret);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The boundary to libnftables: a context for each call, no state.
 *
 * The library is loaded when it is needed. Most runs of coursenet-net are the start of a seat, for which a
 * login waits and which does not need the library. With it come five others, and to load them takes longer
 * than all the work of such a start.
 */

#include <dlfcn.h>
#include <malloc.h>
#include <nss.h>
#include <stdint.h>
#include <sys/mman.h>

#include <nftables/libnftables.h>

#include "base/failure.h"
#include "child.h"
#include "nftables.h"

/* Debian: libnftables1 */
#define LIBRARY "libnftables.so.1"

#define SYMBOLS(X)                                                                                           \
        X(nft_ctx_buffer_error)                                                                              \
        X(nft_ctx_buffer_output)                                                                             \
        X(nft_ctx_free)                                                                                      \
        X(nft_ctx_get_error_buffer)                                                                          \
        X(nft_ctx_get_output_buffer)                                                                         \
        X(nft_ctx_new)                                                                                       \
        X(nft_ctx_output_set_flags)                                                                          \
        X(nft_run_cmd_from_buffer)

#define DECLARE(symbol) static __typeof__(symbol) *lib_##symbol;
SYMBOLS(DECLARE)

struct symbol {
        const char *name;
        void *pointer; /* to the variable of the same name */
};

/* The size on x86-64, and on all machines with pages of 4 KiB. Without huge pages it does no harm. */
#define HUGE_PAGE ((size_t)2 << 20)

/*
 * libnftables makes half a megabyte of lists for each table that there is, and writes to every page of it.
 * The kernel's part of that, page by page, is half of the time that it takes, and more in a virtual machine;
 * for one huge page it is next to nothing. So the heap grows in one piece, and what is free of it begins
 * where a huge page can. See docs/performance.md.
 */
static void prepare_heap(void) {
        static char *below; /* what is not free */
        char *heap, *start;

        if (below)
                return;
        (void)mallopt(M_MMAP_THRESHOLD, (int)(4 * HUGE_PAGE));
        (void)mallopt(M_TRIM_THRESHOLD, (int)(8 * HUGE_PAGE));
        heap = malloc(3 * HUGE_PAGE);
        if (!heap)
                return;
        start = (char *)(((uintptr_t)heap + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
        (void)madvise(start, 2 * HUGE_PAGE, MADV_HUGEPAGE);
        below = realloc(heap, (size_t)(start - heap));
}

/* Returns 0, or -ELIBACC: dlerror() says why. The library stays loaded. */
static int load_library(void) {
#define SYMBOL(symbol) {#symbol, &lib_##symbol},
        static const struct symbol symbols[] = {SYMBOLS(SYMBOL)};
        static bool loaded;
        void *library;

        if (loaded)
                return 0;
        prepare_heap();
        library = dlopen(LIBRARY, RTLD_NOW | RTLD_NODELETE);
        if (!library)
                return -ELIBACC;
        for (size_t i = 0; i < ELEMENTSOF(symbols); i++) {
                void *address = dlsym(library, symbols[i].name);

                if (!address)
                        return -ELIBACC;
                /* Functions and objects are different kinds of pointer in C; in POSIX they are not. */
                memcpy(symbols[i].pointer, &address, sizeof(address));
        }
        loaded = true;
        return 0;
}

void nftables_load(void) {
        (void)load_library();
}

static void free_context(struct nft_ctx **context) {
        if (*context)
                lib_nft_ctx_free(*context);
}

#define _cleanup_context_ _cleanup_(free_context)

/* NULL: out of memory. Nothing is printed: output and errors are kept. */
static struct nft_ctx *new_context(void) {
        _cleanup_context_ struct nft_ctx *context = lib_nft_ctx_new(NFT_CTX_DEFAULT);
        struct nft_ctx *r;

        if (!context || lib_nft_ctx_buffer_output(context) != 0 || lib_nft_ctx_buffer_error(context) != 0)
                return NULL;
        r = context;
        context = NULL;
        return r;
}

/* The first line of the error, without the prefix that all errors have. */
static void report(struct nft_ctx *context, const char *what, struct diagnostics *diagnostics) {
        static const char *const openings[] = {"Error: ", "Could not process rule: "};
        const char *text = lib_nft_ctx_get_error_buffer(context);

        for (size_t i = 0; i < ELEMENTSOF(openings); i++) {
                const char *opening = strstr(text, openings[i]);

                if (opening)
                        text = opening + strlen(openings[i]);
        }
        diagnostics_error(
                diagnostics, what, 0, "the firewall cannot be set: %.*s", (int)strcspn(text, "\n"), text);
}

static int apply(const char *commands, const char *what, struct diagnostics *diagnostics) {
        _cleanup_context_ struct nft_ctx *context = NULL;
        int r;

        r = load_library();
        if (r < 0) {
                diagnostics_error(diagnostics, what, 0, "the firewall cannot be set: %s", dlerror());
                return r;
        }
        context = new_context();
        if (!context) {
                diagnostics_error(diagnostics, what, 0, "the firewall cannot be set: out of memory");
                return -ENOMEM;
        }
        if (lib_nft_run_cmd_from_buffer(context, commands) == 0)
                return 0;
        report(context, what, diagnostics);
        return -EIO;
}

/*
 * libnftables takes every uid for a name first and asks the user database for it, even for "5001": a
 * directory that hangs would hang the fence, thousands of uids would be as many queries, and an account with
 * such a name would be fenced instead of the uid. A process can tell glibc where to look for accounts, but
 * cannot take that back, so a child does. It names a service that does not exist, so that no account is
 * found.
 */
#define NO_SERVICE "coursenet_none"

static bool has_uids(const char *commands) {
        return strstr(commands, "skuid");
}

struct report {
        char text[1024];
};

static int apply_without_accounts(const char *commands, const char *what, struct report *report) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        int r;

        if (__nss_configure_lookup("passwd", NO_SERVICE) != 0)
                return EXIT_FAILURE;
        r = apply(commands, what, &diagnostics);
        if (r < 0 && diagnostics.n_items > 0)
                (void)snprintf(report->text, sizeof(report->text), "%s", diagnostics.items[0].text);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int apply_in_child(const char *commands, const char *what, struct diagnostics *diagnostics) {
        struct report *report =
                mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int r, status = -1;
        pid_t pid;

        if (report == MAP_FAILED)
                return failure(diagnostics, what, -errno, "the firewall cannot be set");
        pid = fork();
        if (pid == 0)
                _exit(apply_without_accounts(commands, what, report));
        r = pid < 0 ? -errno : child_wait(pid, &status);
        if (r >= 0 && status != 0)
                r = -EIO;
        if (r < 0 && report->text[0])
                diagnostics_error(diagnostics, what, 0, "%s", report->text);
        else if (r < 0)
                (void)failure(diagnostics, what, r, "the firewall cannot be set");
        (void)munmap(report, sizeof(*report));
        return r;
}

int nftables_apply(const char *commands, const char *what, struct diagnostics *diagnostics) {
        return has_uids(commands) ? apply_in_child(commands, what, diagnostics)
                                  : apply(commands, what, diagnostics);
}

static int list(const char *object, const char *name, unsigned flags, char **ret) {
        _cleanup_context_ struct nft_ctx *context = NULL;
        _cleanup_free_ char *command = NULL;
        char *text;
        int r;

        r = load_library();
        if (r < 0)
                return r;
        context = new_context();
        if (!context || asprintf(&command, "list %s %s", object, name) < 0) {
                command = NULL;
                return -ENOMEM;
        }
        lib_nft_ctx_output_set_flags(context, flags);
        if (lib_nft_run_cmd_from_buffer(context, command) != 0)
                return strstr(lib_nft_ctx_get_error_buffer(context), strerror(ENOENT)) ? -ENOENT : -EIO;

        text = strdup(lib_nft_ctx_get_output_buffer(context));
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

int nftables_list_table(const char *table, char **ret) {
        return list("table", table, 0, ret);
}

int nftables_list_all(char **ret) {
        return list("ruleset", "", NFT_CTX_OUTPUT_JSON, ret);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs a fuzzer on the inputs that are kept for it, without libFuzzer. `make check` runs replay-NAME, which
 * reads tests/fuzz/corpus/NAME; arguments name other files. An input that breaks a property ends the program,
 * and the last line names it.
 */

#include <dirent.h>

#include "fuzz.h"
#include "util.h"

#define INPUT_SIZE_MAX (1U << 20)

/* The input is in memory of its own, so that the sanitizer sees a read behind its end. */
static void run_file(const char *path) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        _cleanup_free_ uint8_t *data = malloc(INPUT_SIZE_MAX), *exact = NULL;
        size_t size;

        if (!file || !data) {
                (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
                abort();
        }
        size = fread(data, 1, INPUT_SIZE_MAX, file);
        exact = malloc(size ? size : 1);
        CHECK(exact);
        memcpy(exact, data, size);
        (void)LLVMFuzzerTestOneInput(exact, size);
}

static void run_and_report(const char *path) {
        static unsigned number;

        (void)printf("# %s\n", path);
        run_file(path);
        (void)printf("ok %u - %s\n", ++number, path);
}

static int is_input(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

static void run_folder(const char *folder) {
        struct dirent **entries;
        char path[1024];
        int n = scandir(folder, &entries, is_input, alphasort);

        if (n <= 0) {
                (void)fprintf(stderr, "%s: expected a folder with inputs\n", folder);
                abort();
        }
        (void)printf("1..%d\n", n);
        for (int i = 0; i < n; i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
                run_and_report(path);
                free(entries[i]);
        }
        free(entries);
}

/* The name is that of the program, without "replay-". */
static void run_corpus(const char *program) {
        const char *dash = strchr(program, '-'), *name = dash ? dash + 1 : program;
        char folder[1024];

        (void)snprintf(folder, sizeof(folder), "%s/fuzz/corpus/%s", TESTS_DIRECTORY, name);
        run_folder(folder);
        if (string_equal(name, "class-list"))
                run_folder(TESTS_DIRECTORY "/unit/class-lists");
}

int main(int argc, char **argv) {
        const char *slash = strrchr(argv[0], '/');

        (void)setvbuf(stdout, NULL, _IOLBF, 0);
        if (argc < 2)
                run_corpus(slash ? slash + 1 : argv[0]);
        for (int i = 1; i < argc; i++)
                run_and_report(argv[i]);
        return EXIT_SUCCESS;
}

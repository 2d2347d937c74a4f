/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The filter is compiled here and not by the server: here libpcap's parser has the rights of the user whose
 * text it parses, and the resolver of the user's network.
 */

#include <pcap/pcap.h>

#include "command-line.h"
#include "filter.h"

/* The caller frees it. */
static char *join(char *const *words) {
        size_t size = 1;
        char *text;

        for (size_t i = 0; words[i]; i++)
                size += strlen(words[i]) + 1;
        text = calloc(1, size);
        for (size_t i = 0; text && words[i]; i++) {
                if (i > 0)
                        (void)strcat(text, " ");
                (void)strcat(text, words[i]);
        }
        return text;
}

static int copy_program(const struct bpf_program *program, struct capture_start *ret) {
        if (program->bf_len > ELEMENTSOF(ret->instructions)) {
                complain("The filter is too long.");
                return EXIT_NO;
        }
        ret->n_instructions = program->bf_len;
        memcpy(ret->instructions, program->bf_insns, program->bf_len * sizeof(ret->instructions[0]));
        return EXIT_DONE;
}

static int compile(pcap_t *pcap, const char *text, struct capture_start *ret) {
        struct bpf_program program;
        int r;

        if (pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN) != 0) {
                complain("The filter '%s' is wrong: %s. See pcap-filter(7).", text, pcap_geterr(pcap));
                return EXIT_USAGE;
        }
        r = copy_program(&program, ret);
        pcap_freecode(&program);
        return r;
}

int filter_compile(char *const *words, unsigned snaplen, struct capture_start *ret) {
        _cleanup_free_ char *text = NULL;
        pcap_t *pcap;
        int r = EXIT_NO;

        *ret = (struct capture_start){.snaplen = snaplen};
        if (!words)
                return EXIT_DONE;
        text = join(words);
        pcap = pcap_open_dead(DLT_EN10MB, (int)snaplen);
        if (text && pcap)
                r = compile(pcap, text, ret);
        else
                complain("%s.", strerror(ENOMEM));
        if (pcap)
                pcap_close(pcap);
        return r;
}

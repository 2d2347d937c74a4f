/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kernel's ring is the only queue: packets that nobody takes are dropped there, and counted, and nothing
 * else on the host waits for a slow reader.
 */

#include <net/if.h>
#include <netpacket/packet.h>
#include <sys/socket.h>

#include "link-capture.h"

/* Some seconds of an interactive program, or 0.1 s of a gigabit. */
#define RING_SIZE (2 * 1024 * 1024)

static int activate(pcap_t *pcap, unsigned snaplen) {
        if (pcap_set_snaplen(pcap, (int)snaplen) != 0 || pcap_set_timeout(pcap, LINK_CAPTURE_DELAY_MS) != 0 ||
                pcap_set_buffer_size(pcap, RING_SIZE) != 0)
                return -EINVAL;
        switch (pcap_activate(pcap)) {
        case 0:
                break;
        case PCAP_ERROR_NO_SUCH_DEVICE:
                return -ENODEV;
        case PCAP_ERROR_PERM_DENIED:
                return -EPERM;
        default:
                return -EIO;
        }
        return pcap_datalink(pcap) == DLT_EN10MB ? 0 : -EIO;
}

static int take_message(struct link_capture *capture) {
        long end;

        if (fflush(capture->memory) != 0)
                return -errno;
        end = ftell(capture->memory);
        if (end <= 0 || 1 + (size_t)end > sizeof(capture->message))
                return -EIO;
        capture->message[0] = CAPTURE_DATA;
        capture->size = 1 + (size_t)end;
        return 0;
}

/* libpcap writes the header of the file at once. */
static int open_file(struct link_capture *capture) {
        /* fmemopen() may add a NUL behind what was written. */
        capture->memory = fmemopen(capture->message + 1, sizeof(capture->message) - 1, "w");
        if (!capture->memory)
                return -errno;
        capture->dumper = pcap_dump_fopen(capture->pcap, capture->memory);
        if (!capture->dumper)
                return -EIO;
        return take_message(capture);
}

int link_capture_open(struct link_capture *capture, const char *link, unsigned snaplen) {
        char error[PCAP_ERRBUF_SIZE];
        int r;

        *capture = (struct link_capture){.pcap = pcap_create(link, error)};
        r = capture->pcap ? activate(capture->pcap, snaplen) : -ENOMEM;
        if (r >= 0 && pcap_setnonblock(capture->pcap, 1, error) < 0)
                r = -EIO;
        if (r >= 0)
                r = open_file(capture);
        if (r < 0)
                link_capture_close(capture);
        return r;
}

int link_capture_filter(struct link_capture *capture, const struct sock_filter *instructions, size_t n) {
        struct bpf_program program = {
                .bf_len = (unsigned)n,
                .bf_insns = (struct bpf_insn *)(uintptr_t)instructions,
        };

        _Static_assert(
                sizeof(struct bpf_insn) == sizeof(struct sock_filter), "libpcap has the kernel's format");
        if (!bpf_validate(program.bf_insns, (int)n))
                return -EINVAL;
        return pcap_setfilter(capture->pcap, &program) == 0 ? 0 : -EINVAL;
}

int link_capture_fd(const struct link_capture *capture) {
        return pcap_get_selectable_fd(capture->pcap);
}

/* The kernel takes the number of its link from a packet socket when the link is deleted. */
static bool link_is_gone(const struct link_capture *capture) {
        struct sockaddr_ll address;
        socklen_t size = sizeof(address);

        return getsockname(link_capture_fd(capture), (struct sockaddr *)&address, &size) < 0 ||
               address.sll_ifindex <= 0;
}

int link_capture_next(struct link_capture *capture) {
        struct pcap_pkthdr *header;
        const u_char *data;

        switch (pcap_next_ex(capture->pcap, &header, &data)) {
        case 0:
                return link_is_gone(capture) ? -ENETDOWN : 0;
        case 1:
                rewind(capture->memory);
                pcap_dump((u_char *)capture->dumper, header, data);
                return take_message(capture) < 0 ? -EIO : 1;
        default:
                return -ENETDOWN;
        }
}

unsigned link_capture_lost(const struct link_capture *capture) {
        struct pcap_stat statistics = {0};

        return pcap_stats(capture->pcap, &statistics) == 0 ? statistics.ps_drop : 0;
}

void link_capture_close(struct link_capture *capture) {
        if (capture->dumper)
                pcap_dump_close(capture->dumper); /* closes the memory's stream */
        else if (capture->memory)
                (void)fclose(capture->memory);
        if (capture->pcap)
                pcap_close(capture->pcap);
        capture->pcap = NULL;
        capture->dumper = NULL;
        capture->memory = NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages of the kernel about cables. */

#include <linux/rtnetlink.h>

#include "links.h"
#include "plan.h"
#include "tests/unit/fixture.h"

static void test_names(void **state) {
        struct seat_plan plan;

        (void)state;
        seat_plan_name("12345665534", &plan);
        assert_string_equal(links_seat(plan.link), "12345665534");
        assert_null(links_seat("vl-"));
        assert_null(links_seat("vl-12a"));
        assert_null(links_seat("vl-1234567890123"));
        assert_null(links_seat("vx-123"));
        assert_null(links_seat("eth0"));
        assert_null(links_seat("v"));
}

static union {
        struct nlmsghdr header;
        char bytes[1024];
} buffer;
static size_t size;

static void add_message(unsigned type, const char *name, size_t length) {
        struct nlmsghdr *header = (struct nlmsghdr *)(void *)(buffer.bytes + size);
        struct rtattr *attribute = IFLA_RTA(NLMSG_DATA(header));

        *header = (struct nlmsghdr){.nlmsg_type = (uint16_t)type,
                .nlmsg_len = (uint32_t)(NLMSG_SPACE(sizeof(struct ifinfomsg)) + RTA_LENGTH(length))};
        *attribute = (struct rtattr){.rta_type = IFLA_IFNAME, .rta_len = (unsigned short)RTA_LENGTH(length)};
        memcpy(RTA_DATA(attribute), name, length);
        size += NLMSG_ALIGN(header->nlmsg_len);
}

static char seats[256];

static void note(void *userdata, const char *seat) {
        size_t length = strlen(seats);

        assert_ptr_equal(userdata, &size);
        (void)snprintf(seats + length, sizeof(seats) - length, "%s ", seat);
}

static const char *read_all(size_t length) {
        seats[0] = '\0';
        links_read(&buffer, length, note, &size);
        return seats;
}

static void test_messages(void **state) {
        size_t first;

        (void)state;
        size = 0;
        add_message(RTM_NEWLINK, "vl-12310", sizeof("vl-12310"));
        first = size;
        add_message(RTM_NEWLINK, "eth0", sizeof("eth0"));
        add_message(RTM_DELLINK, "vl-12311", sizeof("vl-12311"));
        /* Of another kind, and without the end of its name. */
        add_message(RTM_NEWADDR, "vl-12312", sizeof("vl-12312"));
        add_message(RTM_NEWLINK, "vl-12313", strlen("vl-12313"));
        assert_string_equal(read_all(size), "12310 12311 ");
        assert_string_equal(read_all(first), "12310 ");
        /* One that is cut off is not read. */
        assert_string_equal(read_all(first - 8), "");
        assert_string_equal(read_all(0), "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_messages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

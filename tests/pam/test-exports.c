/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which symbols the built module exports and needs, read from its ELF tables. */

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>

#include <cmocka.h>

#include "util.h"

#define MODULE BUILD_DIRECTORY "/pam_coursenet.so"

/* The file in memory. Tables point into it. */
struct file {
        const char *start;
        size_t size;
        const ElfW(Shdr) * sections;
        unsigned n_sections;
};

static struct file file;

static int map_module(void **state) {
        int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
        const ElfW(Ehdr) * header;
        struct stat st;
        void *start;

        (void)state;
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        file.size = (size_t)st.st_size;
        start = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
        close_pointer(&fd);
        assert_true(start != MAP_FAILED);
        file.start = start;
        header = start;
        assert_memory_equal(header->e_ident, ELFMAG, SELFMAG);
        file.sections = (const void *)(file.start + header->e_shoff);
        file.n_sections = header->e_shnum;
        return 0;
}

static int unmap_module(void **state) {
        (void)state;
        return munmap((void *)(uintptr_t)file.start, file.size);
}

static const ElfW(Shdr) * find_section(unsigned type) {
        for (unsigned i = 0; i < file.n_sections; i++)
                if (file.sections[i].sh_type == type)
                        return &file.sections[i];
        fail_msg("%s has no section of type %u", MODULE, type);
        return NULL;
}

/* The string at offset in the string table that belongs to section. */
static const char *section_string(const ElfW(Shdr) * section, size_t offset) {
        return file.start + file.sections[section->sh_link].sh_offset + offset;
}

static bool is_entry_point(const char *name) {
        return string_equal(name, "pam_sm_open_session") || string_equal(name, "pam_sm_close_session");
}

static void test_exactly_the_two_entry_points_are_exported(void **state) {
        const ElfW(Shdr) *section = find_section(SHT_DYNSYM);
        const ElfW(Sym) *symbols = (const void *)(file.start + section->sh_offset);
        unsigned n_exported = 0;

        (void)state;
        for (size_t i = 1; i < section->sh_size / sizeof(*symbols); i++) {
                const char *name = section_string(section, symbols[i].st_name);

                if (symbols[i].st_shndx == SHN_UNDEF)
                        continue;
                if (!is_entry_point(name))
                        fail_msg("%s is exported", name);
                n_exported++;
        }
        assert_int_equal(n_exported, 2);
}

/* A build with sanitizers needs their libraries. */
static bool may_be_needed(const char *name) {
#ifdef __SANITIZE_ADDRESS__
        if (string_starts_with(name, "libasan.") || string_starts_with(name, "libubsan."))
                return true;
#endif
        return string_equal(name, "libpam.so.0") || string_equal(name, "libc.so.6");
}

static void test_libpam_and_libc_are_all_it_needs(void **state) {
        const ElfW(Shdr) *section = find_section(SHT_DYNAMIC);
        const ElfW(Dyn) *entry = (const void *)(file.start + section->sh_offset);
        unsigned n_needed = 0;

        (void)state;
        for (; entry->d_tag != DT_NULL; entry++) {
                if (entry->d_tag != DT_NEEDED)
                        continue;
                if (!may_be_needed(section_string(section, entry->d_un.d_val)))
                        fail_msg("%s is needed", section_string(section, entry->d_un.d_val));
                n_needed++;
        }
        assert_true(n_needed >= 2);
}

/* As libpam loads it: with everything resolved. */
static void test_it_loads_and_has_no_other_pam_function(void **state) {
        static const char *const others[] = {
                "pam_sm_authenticate", "pam_sm_setcred", "pam_sm_acct_mgmt", "pam_sm_chauthtok"};
        void *module = dlopen(MODULE, RTLD_NOW);

        (void)state;
        if (!module)
                fail_msg("%s", dlerror());
        assert_non_null(dlsym(module, "pam_sm_open_session"));
        assert_non_null(dlsym(module, "pam_sm_close_session"));
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_null(dlsym(module, others[i]));
        assert_int_equal(dlclose(module), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_exactly_the_two_entry_points_are_exported),
                cmocka_unit_test(test_libpam_and_libc_are_all_it_needs),
                cmocka_unit_test(test_it_loads_and_has_no_other_pam_function),
        };

        return cmocka_run_group_tests_name("pam exports", tests, map_module, unmap_module);
}

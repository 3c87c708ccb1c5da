#include "ipc/secrets.h"

#include "ipc/fd.h"
#include "ipc/task.h"
#include "supervisor/vault.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Owned. */
static struct pairs
some(const char *value)
{
	struct pairs pairs = { .v = NULL };

	ck_assert_int_eq(pairs_set(&pairs, "token", value), 0);
	ck_assert_int_eq(pairs_set(&pairs, "other", "second"), 0);
	return pairs;
}

START_TEST(they_come_back_from_a_sealed_file)
{
	struct pairs given = some("hush"), back = { .v = NULL };
	int fd = -1;

	ck_assert_int_eq(secrets_fd_make(&given, &fd), 0);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	secrets_wipe(&given);
	ck_assert_int_eq(secrets_fd_read(fd, &given), 0); /* as often as one likes */
	secrets_wipe(&given);
	ck_assert_int_eq(secrets_fd_read(fd, &back), 0);
	ck_assert_uint_eq(back.n, 2);
	ck_assert_str_eq(pairs_get(&back, "token"), "hush");
	secrets_wipe(&back);
	ck_assert_uint_eq(back.n, 0);
	fd_close(&fd);
}
END_TEST

/* What could block, or change while it is read. */
START_TEST(only_a_sealed_file_in_memory_is_read)
{
	int fds[2], open_file = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct pairs back;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(secrets_fd_read(fds[0], &back), -EINVAL);
	ck_assert_int_eq(secrets_fd_read(open_file, &back), -EINVAL);
	ck_assert_int_eq(fcntl(open_file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), 0);
	ck_assert_int_eq(secrets_fd_read(open_file, &back), -EINVAL); /* may still shrink */
	fd_close(&open_file);
	open_file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(secrets_fd_read(open_file, &back), -EINVAL);
	fd_close(&open_file);
}
END_TEST

START_TEST(what_is_no_map_of_secrets_is_refused)
{
	static const char *const wrongs[] = { "", "\x80\x80", "\x81\xa1x\x80",
		"\x81\xa7secrets\x81\xa1k\x01", "\x93\x01\x02\x03",
		"\x81\xa7secrets\x81\xa1k\xdd\xff\xff\xff\xff" };

	for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
		int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		struct pairs back;

		ck_assert_int_eq(fd_write_all(fd, wrongs[i], strlen(wrongs[i])), 0);
		ck_assert_int_eq(
		    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK), 0);
		ck_assert_int_lt(secrets_fd_read(fd, &back), 0);
		fd_close(&fd);
	}
}
END_TEST

START_TEST(their_number_of_bytes_has_a_limit)
{
	char *value = malloc(LIMIT_TEXT + 1);
	struct pairs given = { .v = NULL };
	int fd;

	memset(value, 'x', LIMIT_TEXT);
	value[LIMIT_TEXT] = '\0';
	ck_assert_int_eq(pairs_set(&given, "a", value), 0);
	ck_assert_int_eq(secrets_fd_make(&given, &fd), 0);
	fd_close(&fd);
	ck_assert_int_eq(pairs_set(&given, "b", value), 0);
	ck_assert_int_eq(secrets_fd_make(&given, &fd), -EMSGSIZE);
	pairs_free(&given);
	free(value);
}
END_TEST

/* ---- the vault ---------------------------------------------------------------------- */

static struct vault vault;

static void
open_vault(void)
{
	ck_assert_int_eq(vault_open(&vault, -1), 0);
}

static void
close_vault(void)
{
	vault_close(&vault);
}

static void
put(uint64_t id, const char *value)
{
	struct pairs given = some(value);

	ck_assert_int_eq(vault_put(&vault, id, &given), 0);
	secrets_wipe(&given);
}

static void
has(uint64_t id, const char *value)
{
	struct pairs back = { .v = NULL };

	ck_assert_int_eq(vault_get(&vault, id, &back), value ? 0 : -ENOENT);
	if (value)
		ck_assert_str_eq(pairs_get(&back, "token"), value);
	secrets_wipe(&back);
}

START_TEST(each_task_finds_its_own)
{
	put(7, "of seven");
	put(8, "of eight");
	put(7, "of seven, again");
	has(7, "of seven, again");
	has(8, "of eight");
	has(9, NULL);
	vault_drop(&vault, 7);
	has(7, NULL);
	has(8, "of eight");
}
END_TEST

static bool
is_odd(uint64_t id, void *arg)
{
	(void)arg;
	return id % 2 == 1;
}

/* The fd alone goes from one to the next. */
START_TEST(the_next_supervisor_finds_them)
{
	int fd = fcntl(vault.fd, F_DUPFD_CLOEXEC, 3);

	for (uint64_t id = 1; id <= 6; id++)
		put(id, "hush");
	vault_drop(&vault, 3);
	vault_close(&vault);
	ck_assert_int_eq(vault_open(&vault, fd), 0);
	has(1, "hush");
	has(3, NULL);
	has(6, "hush");
	vault_sweep(&vault, is_odd, NULL);
	has(5, "hush");
	has(6, NULL);
}
END_TEST

static bool
holds(const char *text)
{
	struct stat stat;
	char *bytes;
	bool found;

	ck_assert_int_eq(fstat(vault.fd, &stat), 0);
	bytes = malloc((size_t)stat.st_size + 1);
	ck_assert_int_eq(pread(vault.fd, bytes, (size_t)stat.st_size, 0), stat.st_size);
	found = memmem(bytes, (size_t)stat.st_size, text, strlen(text)) != NULL;
	free(bytes);
	return found;
}

START_TEST(what_is_dropped_is_overwritten_and_takes_no_memory)
{
	struct stat stat;

	put(1, "hushhush");
	ck_assert(holds("hushhush"));
	vault_drop(&vault, 1);
	ck_assert(!holds("hushhush"));
	ck_assert_int_eq(fstat(vault.fd, &stat), 0);
	ck_assert_int_eq(stat.st_blocks, 0);
}
END_TEST

START_TEST(a_full_vault_says_so)
{
	struct pairs given = some("hush");

	for (uint64_t id = 1; id <= VAULT_SLOTS; id++)
		ck_assert_int_eq(vault_put(&vault, id, &given), 0);
	ck_assert_int_eq(vault_put(&vault, VAULT_SLOTS + 1, &given), -ENOSPC);
	vault_drop(&vault, 5);
	ck_assert_int_eq(vault_put(&vault, VAULT_SLOTS + 1, &given), 0);
	has(VAULT_SLOTS + 1, "hush");
	secrets_wipe(&given);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("secrets");
	TCase *travel = tcase_create("travel"), *kept = tcase_create("vault");

	tcase_add_test(travel, they_come_back_from_a_sealed_file);
	tcase_add_test(travel, only_a_sealed_file_in_memory_is_read);
	tcase_add_test(travel, what_is_no_map_of_secrets_is_refused);
	tcase_add_test(travel, their_number_of_bytes_has_a_limit);
	tcase_add_checked_fixture(kept, open_vault, close_vault);
	tcase_add_test(kept, each_task_finds_its_own);
	tcase_add_test(kept, the_next_supervisor_finds_them);
	tcase_add_test(kept, what_is_dropped_is_overwritten_and_takes_no_memory);
	tcase_add_test(kept, a_full_vault_says_so);
	suite_add_tcase(suite, travel);
	suite_add_tcase(suite, kept);
	return run_suite(suite);
}

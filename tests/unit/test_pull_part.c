#include "worker/pull/part.h"

#include "ipc/codec.h"
#include "ipc/fd.h"
#include "tests/unit/suite.h"
#include "worker/pull/http.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char url[] = "http://example.org/f";
static char root[] = "/tmp/reeve-part-XXXXXX";
static struct part part;

static void
make_root(void)
{
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static void
remove_root(void)
{
	(void)fd_remove_tree(AT_FDCWD, root);
}

static void
enter_directory(void)
{
	char directory[] = "XXXXXX";

	ck_assert_int_eq(chdir(root), 0);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	setenv("REEVE_BOOT_ID_FILE", "boot_id", 1);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, "boot_id", "boot-one\n", 9, 0600, false), 0);
}

static void
close_part(void)
{
	part_close(&part);
}

static void
nothing(uint64_t done, void *arg)
{
	(void)done;
	(void)arg;
}

static struct meta
describe(const char *etag, uint64_t size)
{
	struct meta meta = { .has_size = size != HTTP_UNKNOWN, .size = size };

	if (!meta.has_size)
		meta.size = 0;
	ck_assert_int_eq(str_set(&meta.url, url), 0);
	ck_assert_int_eq(str_set(&meta.etag, etag), 0);
	return meta;
}

/* A part with TEXT in it, left by a process that was killed. */
static void
leave_part(const char *etag, uint64_t size, const char *text)
{
	struct meta meta = describe(etag, size);

	ck_assert_int_eq(part_open(&part, "f"), 0);
	ck_assert_int_eq(part_lock(&part), 0);
	ck_assert_int_eq(part_restart(&part, &meta), 0);
	ck_assert_int_eq(part_append(&part, text, strlen(text)), 0);
	part_close(&part);
}

static uint64_t
resume(const char *from, bool will_prove)
{
	ck_assert_int_eq(part_open(&part, "f"), 0);
	ck_assert_int_eq(part_lock(&part), 0);
	ck_assert_int_eq(part_resume(&part, from, will_prove), 0);
	return part.have;
}

static void
expect_file(const char *name, const char *text)
{
	char *data;
	size_t len;

	ck_assert_int_eq(fd_read_file(AT_FDCWD, name, 4096, &data, &len), 0);
	ck_assert_str_eq(data, text);
	free(data);
}

START_TEST(what_was_received_becomes_the_file_at_once)
{
	struct meta meta = describe("\"e\"", 6);

	ck_assert_int_eq(fd_write_file(AT_FDCWD, "f", "old", 3, 0644, false), 0);
	ck_assert_int_eq(part_open(&part, "f"), 0);
	ck_assert_int_eq(part_lock(&part), 0);
	ck_assert_int_eq(part_restart(&part, &meta), 0);
	ck_assert_int_eq(part_append(&part, "abc", 3), 0);
	expect_file("f", "old");
	ck_assert_int_eq(part_append(&part, "def", 3), 0);
	/* What a kill while the sidecar was written leaves. */
	ck_assert_int_eq(fd_write_file(AT_FDCWD, "f.part.meta.tmp", "x", 1, 0600, false), 0);
	ck_assert_int_eq(part_commit(&part), 0);
	expect_file("f", "abcdef");
	ck_assert_int_eq(access("f.part.meta.tmp", F_OK), -1);
	ck_assert_int_eq(access("f.part", F_OK), -1);
	ck_assert_int_eq(access("f.part.meta", F_OK), -1);
}
END_TEST

START_TEST(missing_directories_are_made)
{
	ck_assert_int_eq(part_open(&part, "a/b/c/f"), 0);
	ck_assert_int_eq(part_lock(&part), 0);
	ck_assert_int_eq(access("a/b/c/f.part", F_OK), 0);
}
END_TEST

START_TEST(a_directory_is_no_target)
{
	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(part_open(&part, "d"), -EISDIR);
	ck_assert_int_eq(part_open(&part, "d/"), -EISDIR);
	ck_assert_int_eq(part_open(&part, "d/.."), -EISDIR);
	ck_assert_int_eq(part_open(&part, "boot_id/f"), -ENOTDIR);
}
END_TEST

START_TEST(a_killed_download_goes_on_with_the_same_digest)
{
	char whole[DIGEST_TEXT], pieces[DIGEST_TEXT];

	leave_part("\"e\"", 6, "abc");
	ck_assert_uint_eq(resume(url, false), 3);
	ck_assert_uint_eq(part.kept, 3);
	ck_assert_str_eq(meta_validator(&part.meta), "\"e\"");
	ck_assert_int_eq(part_hash_kept(&part, nothing, NULL), 0);
	ck_assert_int_eq(part_append(&part, "def", 3), 0);
	ck_assert_int_eq(digest_hex(&part.digest, pieces), 0);
	ck_assert_int_eq(digest_restart(&part.digest), 0);
	ck_assert_int_eq(digest_update(&part.digest, "abcdef", 6), 0);
	ck_assert_int_eq(digest_hex(&part.digest, whole), 0);
	ck_assert_str_eq(whole, pieces);
}
END_TEST

START_TEST(a_part_of_another_url_is_dropped)
{
	leave_part("\"e\"", 6, "abc");
	ck_assert_uint_eq(resume("http://example.org/g", true), 0);
	ck_assert_ptr_null(part.meta.url);
}
END_TEST

START_TEST(without_a_validator_only_a_digest_allows_going_on)
{
	leave_part(NULL, 6, "abc");
	ck_assert_uint_eq(resume(url, true), 3);
	part_close(&part);
	leave_part(NULL, 6, "abc");
	ck_assert_uint_eq(resume(url, false), 0);
}
END_TEST

START_TEST(a_part_longer_than_the_file_is_dropped)
{
	leave_part("\"e\"", 2, "abc");
	ck_assert_uint_eq(resume(url, true), 0);
}
END_TEST

START_TEST(after_a_crash_of_the_machine_only_synced_bytes_count)
{
	leave_part("\"e\"", 100, "abc");
	ck_assert_uint_eq(resume(url, true), 3);
	ck_assert_int_eq(part_sync(&part), 0);
	ck_assert_int_eq(part_append(&part, "defg", 4), 0);
	part_close(&part);
	ck_assert_uint_eq(resume(url, true), 7);
	part_close(&part);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, "boot_id", "boot-two\n", 9, 0600, false), 0);
	ck_assert_uint_eq(resume(url, true), 3);
	ck_assert_int_eq(part_hash_kept(&part, nothing, NULL), 0);
}
END_TEST

START_TEST(a_sidecar_that_is_none_costs_the_part)
{
	static const char *const sidecars[] = { "", "\xc1", "\x80", "\x81\xa3url\xc0",
		"\x81\xa3url\x2a", "\xdf\xff\xff\xff\xff", "not msgpack at all" };

	leave_part("\"e\"", 6, "abc");
	ck_assert_int_eq(
	    fd_write_file(AT_FDCWD, "f.part.meta", sidecars[_i], strlen(sidecars[_i]), 0600, false),
	    0);
	ck_assert_uint_eq(resume(url, true), 0);
}
END_TEST

START_TEST(two_never_write_the_same_part)
{
	struct part other;

	ck_assert_int_eq(part_open(&part, "f"), 0);
	ck_assert_int_eq(part_lock(&part), 0);
	ck_assert_int_eq(part_open(&other, "f"), 0);
	ck_assert_int_eq(part_lock(&other), -EAGAIN);
	part_close(&part);
	ck_assert_int_eq(part_lock(&other), 0);
	part_close(&other);
}
END_TEST

START_TEST(who_waited_learns_that_the_part_became_the_file)
{
	struct meta meta = describe("\"e\"", 3);
	struct part other;

	ck_assert_int_eq(part_open(&part, "f"), 0);
	ck_assert_int_eq(part_lock(&part), 0);
	ck_assert_int_eq(part_restart(&part, &meta), 0);
	ck_assert_int_eq(part_open(&other, "f"), 0);
	ck_assert_int_eq(part_lock(&other), -EAGAIN);
	ck_assert_int_eq(part_peek(&other, &meta), 0);
	ck_assert_str_eq(meta.url, url);
	meta_free(&meta);
	ck_assert_int_eq(part_append(&part, "abc", 3), 0);
	ck_assert_int_eq(part_commit(&part), 0);
	part_close(&part);
	ck_assert_int_eq(part_lock(&other), -EEXIST);
	/* Asked again, it begins a part of its own: the finished file is never written to. */
	ck_assert_int_eq(part_lock(&other), 0);
	ck_assert_int_eq(part_append(&other, "x", 1), 0);
	expect_file("f", "abc");
	part_close(&other);
}
END_TEST

START_TEST(who_waited_for_a_part_that_was_dropped_takes_a_new_one)
{
	struct part other;

	ck_assert_int_eq(part_open(&part, "f"), 0);
	ck_assert_int_eq(part_lock(&part), 0);
	ck_assert_int_eq(part_open(&other, "f"), 0);
	ck_assert_int_eq(part_lock(&other), -EAGAIN);
	part_discard(&part);
	part_close(&part);
	ck_assert_int_eq(part_lock(&other), 0);
	ck_assert_int_eq(access("f.part", F_OK), 0);
	part_close(&other);
}
END_TEST

START_TEST(a_trap_in_place_of_the_part_is_not_written_to)
{
	ck_assert_int_eq(fd_write_file(AT_FDCWD, "victim", "v", 1, 0600, false), 0);
	ck_assert_int_eq(symlink("victim", "a.part"), 0);
	ck_assert_int_eq(link("victim", "b.part"), 0);
	ck_assert_int_eq(mkfifo("c.part", 0600), 0);
	ck_assert_int_eq(mkdir("d.part", 0700), 0);
	for (char name[] = "a"; name[0] <= 'd'; name[0]++) {
		ck_assert_int_eq(part_open(&part, name), 0);
		ck_assert_msg(part_lock(&part) == -EPERM, "%s", name);
		part_close(&part);
	}
	expect_file("victim", "v");
}
END_TEST

START_TEST(room_is_reserved_beyond_the_end_only)
{
	struct stat info;
	uint64_t missing = 0;

	ck_assert_int_eq(part_open(&part, "f"), 0);
	ck_assert_int_eq(part_lock(&part), 0);
	ck_assert_int_eq(part_append(&part, "abc", 3), 0);
	ck_assert_int_eq(part_reserve(&part, 1 << 20, &missing), 0);
	ck_assert_int_eq(fstat(part.fd, &info), 0);
	ck_assert_int_eq(info.st_size, 3);
	ck_assert_int_eq(part_reserve(&part, UINT64_C(1) << 60, &missing), -ENOSPC);
	ck_assert_uint_gt(missing, UINT64_C(1) << 59);
	ck_assert_int_eq(part_reserve(&part, UINT64_MAX - 1, &missing), -EFBIG);
	ck_assert_int_eq(part_commit(&part), 0);
	ck_assert_int_eq(stat("f", &info), 0);
	ck_assert_int_lt(info.st_blocks, (1 << 20) / 512);
}
END_TEST

START_TEST(a_file_that_is_there_is_read_if_it_can_be_the_one)
{
	char text[DIGEST_TEXT];
	uint64_t bytes = 0;

	ck_assert_int_eq(fd_write_file(AT_FDCWD, "f", "abc", 3, 0600, false), 0);
	ck_assert_int_eq(part_open(&part, "f"), 0);
	ck_assert_int_eq(part_hash_target(&part, HTTP_UNKNOWN, nothing, NULL, text, &bytes), 0);
	ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_uint_eq(bytes, 3);
	ck_assert_int_eq(part_hash_target(&part, 3, nothing, NULL, text, &bytes), 0);
	ck_assert_int_eq(part_hash_target(&part, 4, nothing, NULL, text, &bytes), -ENOENT);
	part_close(&part);
	ck_assert_int_eq(mkfifo("p", 0600), 0);
	ck_assert_int_eq(part_open(&part, "p"), 0);
	ck_assert_int_eq(
	    part_hash_target(&part, HTTP_UNKNOWN, nothing, NULL, text, &bytes), -ENOENT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pull_part");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, what_was_received_becomes_the_file_at_once);
	tcase_add_test(tests, missing_directories_are_made);
	tcase_add_test(tests, a_directory_is_no_target);
	tcase_add_test(tests, a_killed_download_goes_on_with_the_same_digest);
	tcase_add_test(tests, a_part_of_another_url_is_dropped);
	tcase_add_test(tests, without_a_validator_only_a_digest_allows_going_on);
	tcase_add_test(tests, a_part_longer_than_the_file_is_dropped);
	tcase_add_test(tests, after_a_crash_of_the_machine_only_synced_bytes_count);
	tcase_add_loop_test(tests, a_sidecar_that_is_none_costs_the_part, 0, 7);
	tcase_add_test(tests, two_never_write_the_same_part);
	tcase_add_test(tests, who_waited_learns_that_the_part_became_the_file);
	tcase_add_test(tests, who_waited_for_a_part_that_was_dropped_takes_a_new_one);
	tcase_add_test(tests, a_trap_in_place_of_the_part_is_not_written_to);
	tcase_add_test(tests, room_is_reserved_beyond_the_end_only);
	tcase_add_test(tests, a_file_that_is_there_is_read_if_it_can_be_the_one);
	tcase_add_unchecked_fixture(tests, make_root, remove_root);
	tcase_add_checked_fixture(tests, enter_directory, close_part);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}

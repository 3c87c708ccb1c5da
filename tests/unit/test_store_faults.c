/*
 * The disk misbehaves: syncs that fail or do not return, a meta page that cannot be written, no
 * room. LMDB calls fdatasync and pwrite by name, so those of this program come first.
 */
#include "store/env.h"

#include "store/place.h"
#include "tests/unit/store_world.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum fault {
	FAULT_NONE,
	FAULT_SYNC,
	FAULT_META,
	FAULT_SLOW
};

static _Atomic enum fault fault;
static sem_t sync_begun, sync_may_end;

int
fdatasync(int fd)
{
	if (fault == FAULT_SYNC) {
		errno = EIO;
		return -1;
	}
	if (fault == FAULT_SLOW) {
		sem_post(&sync_begun);
		sem_wait(&sync_may_end);
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* LMDB writes meta pages, and only those, through an fd that syncs by itself. */
ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (fault == FAULT_META && fcntl(fd, F_GETFL) & O_DSYNC) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, len, at);
}

/* A batch with task ID and one event. */
static struct store_batch *
submission(uint64_t id)
{
	struct store_batch *batch = world_batch();
	struct record record;

	world_record(&record, id, 1000);
	ck_assert_int_eq(store_batch_put_task(batch, &record), 0);
	world_add_event(batch, id, "submitted");
	codec_free(&record_codec, &record);
	return batch;
}

static int
apply(struct store_batch *batch)
{
	return store_apply(store, &batch, 1);
}

/* ---- a disk that fails ------------------------------------------------------------ */

START_TEST(a_sync_that_fails_is_the_end_of_it)
{
	struct store_batch *batch = submission(1);
	struct store_bytes bytes;

	fault = FAULT_SYNC;
	ck_assert_int_eq(apply(batch), -EIO);
	fault = FAULT_NONE;
	ck_assert_int_eq(store_get_task(store, 1, &bytes), -ENOENT);
	ck_assert_uint_eq(store_last_seq(store), 0);
	store_batch_free(batch);
}
END_TEST

START_TEST(a_meta_page_that_cannot_be_written_is_the_end_of_it)
{
	struct store_batch *batch = submission(1);

	fault = FAULT_META;
	ck_assert_int_eq(apply(batch), -EIO);
	fault = FAULT_NONE;
	ck_assert_int_eq(apply(batch), -EIO);
	world_close();
	world_open();
	ck_assert_int_eq(apply(batch), 0);
	store_batch_free(batch);
	world_check_is_good();
}
END_TEST

static void *
commit_slowly(void *arg)
{
	struct store_batch *batch = arg;
	int r = store_apply(store, &batch, 1);

	return r == 0 ? arg : NULL;
}

START_TEST(readers_do_not_wait_for_a_slow_disk)
{
	struct store_batch *batch = submission(2);
	struct store_bytes bytes;
	struct seen seen = { .n = 0 };
	void *result;
	pthread_t thread;

	world_submit(1, 1, 1000);
	ck_assert_int_eq(sem_init(&sync_begun, 0, 0), 0);
	ck_assert_int_eq(sem_init(&sync_may_end, 0, 0), 0);
	fault = FAULT_SLOW;
	ck_assert_int_eq(pthread_create(&thread, NULL, commit_slowly, batch), 0);
	ck_assert_int_eq(sem_wait(&sync_begun), 0);
	ck_assert_int_eq(store_get_task(store, 1, &bytes), 0);
	store_bytes_free(&bytes);
	ck_assert_int_eq(store_get_task(store, 2, &bytes), -ENOENT);
	ck_assert_int_eq(store_each_active(store, world_see, &seen), 0);
	ASSERT_SEEN(&seen, 1);
	ck_assert_uint_eq(store_last_seq(store), 1);
	ck_assert(!store_is_nearly_full(store));
	fault = FAULT_NONE;
	sem_post(&sync_may_end);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, batch);
	ck_assert_int_eq(store_get_task(store, 2, &bytes), 0);
	store_bytes_free(&bytes);
	store_batch_free(batch);
}
END_TEST

/* Reads the same task until it has seen its last state; every row must be whole. */
static void *
read_until_ended(void *arg)
{
	uint64_t cursor = 0;

	for (bool ended = false; !ended;) {
		struct store_bytes bytes;
		struct record record;

		if (store_get_task(store, 1, &bytes) < 0 ||
		    codec_decode(&record_codec, bytes.data, bytes.len, &record, NULL) < 0)
			return NULL;
		if (record.attempt.cursor < cursor)
			return NULL;
		cursor = record.attempt.cursor;
		ended = record.state == TASK_COMPLETED;
		codec_free(&record_codec, &record);
		store_bytes_free(&bytes);
	}
	return arg;
}

START_TEST(a_reader_beside_the_writer_sees_whole_rows_in_order)
{
	struct record record;
	pthread_t readers[2];
	void *result;

	world_submit(1, 1, 1000);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, read_until_ended, store), 0);
	world_record(&record, 1, 1000);
	for (uint64_t i = 1; i <= 200; i++) {
		record.attempt.cursor = i;
		record.state = i == 200 ? TASK_COMPLETED : TASK_RUNNING;
		world_put(&record);
	}
	codec_free(&record_codec, &record);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(pthread_join(readers[i], &result), 0);
		ck_assert_ptr_eq(result, store);
	}
}
END_TEST

/* ---- a disk that is full ---------------------------------------------------------- */

/* Batches of about 100 kB until one is refused; what was committed is counted. */
static uint64_t
fill(int *ret_error)
{
	static char text[LIMIT_TEXT];
	uint64_t id = store_last_id(store);
	int r = 0;

	memset(text, 't', sizeof text - 1);
	while (r == 0) {
		struct store_batch *batch = submission(id + 1);

		for (int i = 0; i < 6; i++)
			world_add_event(batch, id + 1, text);
		r = apply(batch);
		store_batch_free(batch);
		id += r == 0;
	}
	*ret_error = r;
	return id;
}

/* After the store was found full: nothing is lost, and with the ballast gone work can be finished.
 */
static void
finish_on_full_disk(uint64_t id)
{
	struct store_page page = { .owner_uid = UINT64_MAX, .max_rows = 1000 };
	struct seen seen = { .n = 0 };
	struct record record;

	ck_assert_uint_eq(store_last_id(store), id);
	ck_assert_int_eq(store_each_task(store, &page, world_see, &seen, &page.before_id), 0);
	ck_assert_uint_eq(seen.n, id);
	ck_assert_int_eq(access(world_path("ballast"), F_OK), 0);
	ck_assert_int_eq(store_ballast_release(store), 0);
	for (uint64_t i = 1; i <= id; i++) {
		world_record(&record, i, 1000);
		record.state = TASK_FAILED;
		world_put(&record);
		codec_free(&record_codec, &record);
	}
	world_check_is_good();
}

START_TEST(a_full_map_is_a_full_disk_and_deleting_goes_on)
{
	struct store_options small = {
		.dir = world_dir, .map_bytes = (size_t)4 << 20, .ballast_bytes = 4096
	};
	struct store_error error;
	uint64_t id;
	int r;

	world_close();
	ck_assert_int_eq(store_open(&small, &store, &error), 0);
	ck_assert(!store_is_nearly_full(store));
	id = fill(&r);
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_uint_gt(id, 10);
	ck_assert(store_is_nearly_full(store));
	/* deletes need a page or two themselves: one at a time, until there is room again */
	for (uint64_t seq = 7; store_is_nearly_full(store) && seq < 7 * id; seq += 7) {
		struct store_batch *batch = world_batch();

		ck_assert_int_eq(store_batch_trim_events(batch, seq), 0);
		ck_assert_int_eq(apply(batch), 0);
		store_batch_free(batch);
	}
	ck_assert(!store_is_nearly_full(store));
	world_apply(submission(id + 1));
}
END_TEST

START_TEST(a_limit_on_file_sizes_is_a_full_disk)
{
	struct rlimit old, limit;
	uint64_t id, again;
	int r;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){ (rlim_t)3 << 20, old.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	id = fill(&r);
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_uint_gt(id, 5);
	again = fill(&r);
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	world_submit(again + 1, again + 1, 1000);
	world_check_is_good();
}
END_TEST

/* A mount namespace of this test's own; what is mounted there goes with it. */
static bool
make_mounts_private(void)
{
	bool is_root = geteuid() == 0;
	char map[32];
	int fd;

	snprintf(map, sizeof map, "0 %u 1", (unsigned)geteuid());
	if (unshare(CLONE_NEWNS | (is_root ? 0 : CLONE_NEWUSER)) < 0)
		return false;
	if (!is_root) {
		fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, map, strlen(map)) < 0)
			return false;
		close(fd);
	}
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void
fill_and_finish(void)
{
	uint64_t id, again;
	int r;

	world_open();
	id = fill(&r);
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_uint_gt(id, 5);
	again = fill(&r); /* smaller ones may still fit; it serves on */
	ck_assert_int_eq(r, -ENOSPC);
	finish_on_full_disk(again);
}

START_TEST(on_a_full_tmpfs_accepted_work_can_be_finished)
{
	world_close();
	if (!make_mounts_private() || mount("none", world_dir, "tmpfs", 0, "size=4m,mode=0700") < 0)
		puts("skipped: nothing can be mounted here");
	else
		fill_and_finish();
}
END_TEST

/* Only root has a loop device, and a container's root not always: the tmpfs is the same story. */
START_TEST(on_a_full_ext4_accepted_work_can_be_finished)
{
	char command[512];

	world_close();
	snprintf(command, sizeof command,
	    "{ truncate -s 8M %s.image && mkfs.ext4 -q -m 0 %s.image && "
	    "mount -o loop %s.image %s && rmdir %s/lost+found; } >/dev/null 2>&1",
	    world_dir, world_dir, world_dir, world_dir, world_dir);
	if (geteuid() == 0 && make_mounts_private() && system(command) == 0)
		fill_and_finish();
}
END_TEST

START_TEST(the_ballast_is_real_and_comes_back)
{
	struct stat info;

	ck_assert_int_eq(stat(world_path("ballast"), &info), 0);
	ck_assert_int_eq(info.st_size, 64 * 1024);
	ck_assert_int_ge(info.st_blocks * 512, 64 * 1024);
	ck_assert_int_eq(store_ballast_release(store), 0);
	ck_assert_int_eq(store_ballast_release(store), 0);
	ck_assert_int_eq(stat(world_path("ballast"), &info), -1);
	ck_assert_int_eq(store_ballast_restore(store), 0);
	ck_assert_int_eq(store_ballast_restore(store), 0);
	ck_assert_int_eq(stat(world_path("ballast"), &info), 0);
	ck_assert_int_eq(info.st_size, 64 * 1024);
}
END_TEST

START_TEST(file_systems_of_other_machines_are_known)
{
	ck_assert(place_is_remote(NFS_SUPER_MAGIC));
	ck_assert(place_is_remote(0xff534d42));
	ck_assert(place_is_remote(0x65735546));
	ck_assert(place_is_remote((uint64_t)(int32_t)0xff534d42)); /* as a long of 32 bits */
	ck_assert(!place_is_remote(EXT4_SUPER_MAGIC));
	ck_assert(!place_is_remote(TMPFS_MAGIC));
	ck_assert(!place_is_remote(XFS_SUPER_MAGIC));
	ck_assert(!place_is_remote(BTRFS_SUPER_MAGIC));
	ck_assert(!place_is_remote(OVERLAYFS_SUPER_MAGIC));
}
END_TEST

int
main(void)
{
	TCase *failing = tcase_create("failing"), *full = tcase_create("full");
	TCase *cases[] = { failing, full };

	tcase_add_checked_fixture(failing, world_begin, world_close);
	tcase_add_checked_fixture(full, world_begin, world_close);
	tcase_set_timeout(full, 30);
	tcase_add_test(failing, a_sync_that_fails_is_the_end_of_it);
	tcase_add_test(failing, a_meta_page_that_cannot_be_written_is_the_end_of_it);
	tcase_add_test(failing, readers_do_not_wait_for_a_slow_disk);
	tcase_add_test(failing, a_reader_beside_the_writer_sees_whole_rows_in_order);
	tcase_add_test(full, a_full_map_is_a_full_disk_and_deleting_goes_on);
	tcase_add_test(full, a_limit_on_file_sizes_is_a_full_disk);
	tcase_add_test(full, on_a_full_tmpfs_accepted_work_can_be_finished);
	tcase_add_test(full, on_a_full_ext4_accepted_work_can_be_finished);
	tcase_add_test(full, the_ballast_is_real_and_comes_back);
	tcase_add_test(full, file_systems_of_other_machines_are_known);
	return world_run(suite_create("store_faults"), cases, sizeof cases / sizeof cases[0]);
}

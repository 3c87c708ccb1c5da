#include "store/store.h"

#include "store/env.h"
#include "store/index.h"
#include "tests/unit/store_world.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* What the check says of the directory as it is; the store is closed. */
static char said[sizeof((struct store_error *)0)->text];

static int
check(void)
{
	struct store_error error;
	int r = store_check(world_dir, &error);

	snprintf(said, sizeof said, "%s", error.text);
	return r;
}

static void
assert_damaged(const char *what)
{
	world_close();
	ck_assert_int_eq(check(), -EUCLEAN);
	ck_assert_msg(strstr(said, world_dir) && strstr(said, "data.mdb"), "%s", said);
	ck_assert_msg(strstr(said, what), "%s", said);
}

/* ---- what is in order ------------------------------------------------------------- */

START_TEST(where_there_is_nothing_there_is_no_damage)
{
	world_close();
	ck_assert_int_eq(unlink(world_path("data.mdb")), 0);
	ck_assert_int_eq(check(), 0);
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(a_store_in_order_passes)
{
	world_submit(1, 100, 1000);
	world_check_is_good();
	ck_assert_uint_eq(store_last_id(store), 100);
}
END_TEST

START_TEST(a_newer_builds_store_is_no_damage)
{
	struct store_error error;
	MDB_txn *txn;

	ck_assert_int_eq(mdb_txn_begin(store->env, NULL, 0, &txn), 0);
	ck_assert_int_eq(meta_put_number(txn, store->tables.meta, META_VERSION, 99), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	world_close();
	ck_assert_int_eq(check(), 0);
	ck_assert_int_eq(store_open(&world_options, &store, &error), -EPROTO);
	ck_assert_ptr_nonnull(strstr(error.text, "newer build"));
}
END_TEST

/* ---- entries ---------------------------------------------------------------------- */

/* Flips a bit of the value of KEY in TABLE, at AT from its end. */
static void
flip(MDB_dbi table, struct store_key key, size_t at)
{
	MDB_val where = store_val(&key), value;
	uint8_t copy[1024];
	MDB_txn *txn;

	ck_assert_int_eq(mdb_txn_begin(store->env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_get(txn, table, &where, &value), 0);
	ck_assert_uint_le(value.mv_size, sizeof copy);
	memcpy(copy, value.mv_data, value.mv_size);
	copy[value.mv_size - 1 - at] ^= 0x10;
	value.mv_data = copy;
	ck_assert_int_eq(mdb_put(txn, table, &where, &value, 0), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
}

START_TEST(a_flipped_bit_is_found_in_every_table)
{
	uint8_t token[16];
	struct record record;

	world_token(token, 2);
	world_submit(1, 3, 1000);
	world_record(&record, 3, 1000);
	record.state = TASK_FAILED;
	record.expires_ms = 77;
	world_put(&record);
	codec_free(&record_codec, &record);
	switch (_i) {
	case 0:
		flip(store->tables.task, store_key1(2), 3);
		break;
	case 1:
		flip(store->tables.spec, store_key1(2), 0);
		break;
	case 2:
		flip(store->tables.event, store_key1(2), 3);
		break;
	case 3:
		flip(store->tables.task_event, store_key2(2, 2), 0);
		break;
	case 4:
		flip(store->tables.active, store_key1(2), 0);
		break;
	case 5:
		flip(store->tables.owner, store_key2(1000, 2), 0);
		break;
	case 6:
		flip(store->tables.due, store_key2(77, 3), 0);
		break;
	default:
		flip(store->tables.token, store_key_token(1000, token), 0);
		break;
	}
	assert_damaged("its checksum is wrong");
}
END_TEST

START_TEST(an_index_that_does_not_follow_from_the_rows_is_damage)
{
	struct store_key one = store_key1(1), two = store_key1(2), other = store_key2(1000, 9);
	MDB_val key = store_val(_i == 0 ? &one : &two);
	MDB_txn *txn;

	world_submit(1, 3, 1000);
	ck_assert_int_eq(mdb_txn_begin(store->env, NULL, 0, &txn), 0);
	if (_i < 2)
		ck_assert_int_eq(mdb_del(txn, store->tables.active, &key, NULL), 0);
	else
		ck_assert_int_eq(seal_put(txn, store->tables.owner, store_val(&other), NULL, 0), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	assert_damaged(_i < 2 ? "table active" : "table owner");
}
END_TEST

/* Puts PAYLOAD, rightly sealed, as the row of task 2. */
static void
plant_row(const void *payload, size_t len)
{
	struct store_key key = store_key1(2);
	MDB_txn *txn;

	ck_assert_int_eq(mdb_txn_begin(store->env, NULL, 0, &txn), 0);
	ck_assert_int_eq(seal_put(txn, store->tables.task, store_val(&key), payload, len), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
}

START_TEST(an_active_row_that_cannot_be_decoded_is_damage)
{
	static const uint8_t head_and_no_map[] = { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0,
		0, 3, 0xe8, 0xc0 };

	world_submit(1, 3, 1000);
	plant_row(head_and_no_map, sizeof head_and_no_map);
	assert_damaged("task 2");
}
END_TEST

START_TEST(an_active_row_that_is_another_tasks_is_damage)
{
	/* the id, field 1, is 3; the state, field 12, running */
	static const uint8_t third[] = { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 0xe8,
		0x82, 1, 3, 12, 3 };

	world_submit(1, 3, 1000);
	plant_row(third, sizeof third);
	assert_damaged("another's");
}
END_TEST

START_TEST(a_head_that_makes_no_sense_is_damage)
{
	static const uint8_t none[] = { 1, 0, 0 };

	world_submit(1, 3, 1000);
	plant_row(none, sizeof none);
	assert_damaged("its head");
}
END_TEST

START_TEST(a_key_of_another_length_is_damage)
{
	MDB_val key = { .mv_size = 3, .mv_data = (char[]){ "abc" } };
	MDB_txn *txn;

	world_submit(1, 1, 1000);
	ck_assert_int_eq(mdb_txn_begin(store->env, NULL, 0, &txn), 0);
	ck_assert_int_eq(seal_put(txn, store->tables.spec, key, "x", 1), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	assert_damaged("a key is 3 bytes long");
}
END_TEST

/* ---- pages ------------------------------------------------------------------------ */

/* A store with pages of every kind: branches, leaves, overflow pages, free ones. */
static void
grow(void)
{
	static char spec[20000];
	struct store_batch *batch = world_batch();

	memset(spec, 's', sizeof spec);
	world_submit(1, 60, 1000);
	for (int i = 0; i < 3000; i++)
		world_add_event(batch, 1 + (uint64_t)i % 60, "an event among others");
	ck_assert_int_eq(store_batch_put_spec(batch, 7, spec, sizeof spec), 0);
	ck_assert_int_eq(store_batch_trim_events(batch, 900), 0);
	world_apply(batch);
	world_submit(61, 64, 1000);
}

static size_t
read_data_file(uint8_t **ret_bytes)
{
	FILE *in = fopen(world_path("data.mdb"), "r");
	struct stat info;
	size_t len;

	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(fstat(fileno(in), &info), 0);
	len = (size_t)info.st_size;
	*ret_bytes = malloc(len);
	ck_assert_ptr_nonnull(*ret_bytes);
	ck_assert_uint_eq(fread(*ret_bytes, 1, len, in), len);
	fclose(in);
	return len;
}

static void
write_data_file(const uint8_t *bytes, size_t len)
{
	FILE *out = fopen(world_path("data.mdb"), "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(bytes, 1, len, out), len);
	ck_assert_int_eq(fclose(out), 0);
}

START_TEST(a_file_cut_short_is_damage_and_crashes_nobody)
{
	uint8_t *bytes;
	size_t len;

	grow();
	world_close();
	len = read_data_file(&bytes);
	for (size_t keep = len / 2; keep > 2 * 4096; keep /= 3) {
		write_data_file(bytes, keep & ~(size_t)4095);
		ck_assert_int_eq(check(), -EUCLEAN);
		ck_assert_msg(strstr(said, "data.mdb"), "%s", said);
	}
	free(bytes);
}
END_TEST

START_TEST(a_file_of_something_else_is_damage)
{
	static const uint8_t noise[3 * 4096] = { 'n', 'o', 'i', 's', 'e' };

	world_close();
	write_data_file(noise, sizeof noise);
	ck_assert_int_eq(check(), -EUCLEAN);
	ck_assert_ptr_nonnull(strstr(said, "no data file"));
}
END_TEST

START_TEST(an_emptied_file_is_not_taken_for_a_new_store)
{
	struct store_error error;

	world_submit(1, 1, 1000);
	world_close();
	ck_assert_int_eq(truncate(world_path("data.mdb"), 0), 0);
	ck_assert_int_eq(store_open(&world_options, &store, &error), -EUCLEAN);
	ck_assert_ptr_nonnull(strstr(error.text, "data.mdb"));
}
END_TEST

/* Reads every row, event and spec and compares them with what was written. */
static bool
reads_what_was_written(void)
{
	struct store_error error;
	bool right;

	if (store_open(&world_options, &store, &error) < 0)
		return true; /* refused, with its name */
	right = store_last_id(store) == 64;
	for (uint64_t id = 1; right && id <= 64; id++) {
		struct store_bytes bytes;
		struct record record;

		right = store_get_task(store, id, &bytes) == 0;
		if (!right)
			break;
		right = codec_decode(&record_codec, bytes.data, bytes.len, &record, NULL) == 0 &&
			record.id == id;
		codec_free(&record_codec, &record);
		store_bytes_free(&bytes);
	}
	world_close();
	return right;
}

/* A store that passed the check serves what was written, and crashes nobody who reads it. */
static void
assert_serves(size_t at)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(reads_what_was_written() ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "byte %zu passed the check, then: status %#x", at, status);
}

START_TEST(a_flipped_byte_anywhere_is_found_or_does_not_matter)
{
	uint64_t random = (uint64_t)_i + 1;
	uint8_t *bytes;
	size_t len, found = 0;

	grow();
	world_close();
	len = read_data_file(&bytes);
	for (int n = 0; n < 40; n++) {
		uint8_t old;
		size_t at;

		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		/* half of them in the heads of pages, where they hurt most */
		at = (size_t)(random >> 20) % len;
		if (n % 2)
			at = (at & ~(size_t)4095) + at % 48;
		old = bytes[at];
		bytes[at] ^= (uint8_t)(1 + (random >> 12) % 255);
		write_data_file(bytes, len);
		bytes[at] = old;
		if (check() == 0)
			assert_serves(at);
		else
			found++;
	}
	ck_assert_uint_gt(found, 5);
	free(bytes);
}
END_TEST

int
main(void)
{
	TCase *good = tcase_create("good"), *entries = tcase_create("entries");
	TCase *pages = tcase_create("pages");
	TCase *cases[] = { good, entries, pages };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		tcase_add_checked_fixture(cases[i], world_begin, world_close);
	tcase_set_timeout(pages, 60);
	tcase_add_test(good, where_there_is_nothing_there_is_no_damage);
	tcase_add_test(good, a_store_in_order_passes);
	tcase_add_test(good, a_newer_builds_store_is_no_damage);
	tcase_add_loop_test(entries, a_flipped_bit_is_found_in_every_table, 0, 8);
	tcase_add_loop_test(entries, an_index_that_does_not_follow_from_the_rows_is_damage, 0, 3);
	tcase_add_test(entries, an_active_row_that_cannot_be_decoded_is_damage);
	tcase_add_test(entries, an_active_row_that_is_another_tasks_is_damage);
	tcase_add_test(entries, a_head_that_makes_no_sense_is_damage);
	tcase_add_test(entries, a_key_of_another_length_is_damage);
	tcase_add_test(pages, a_file_cut_short_is_damage_and_crashes_nobody);
	tcase_add_test(pages, a_file_of_something_else_is_damage);
	tcase_add_test(pages, an_emptied_file_is_not_taken_for_a_new_store);
	tcase_add_loop_test(pages, a_flipped_byte_anywhere_is_found_or_does_not_matter, 0, 4);
	return world_run(suite_create("store_check"), cases, sizeof cases / sizeof cases[0]);
}

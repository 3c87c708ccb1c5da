#include "store/migrate.h"

#include "tests/unit/store_world.h"

/* ---- steps that note what they are given ------------------------------------------- */

static char order[8];
static int step_error;

static int
note(MDB_txn *txn, const struct store_tables *tables, char mark)
{
	char *end = order + strlen(order);

	*end = mark;
	end[1] = '\0';
	return seal_put(txn, tables->meta, meta_key(order), "", 0);
}

static int
from_1(MDB_txn *txn, const struct store_tables *tables)
{
	return note(txn, tables, 'a');
}

static int
from_2(MDB_txn *txn, const struct store_tables *tables)
{
	int r = note(txn, tables, 'b');

	return r < 0 ? r : step_error;
}

static int
from_3(MDB_txn *txn, const struct store_tables *tables)
{
	return note(txn, tables, 'c');
}

static const migrate_fn three_steps[] = { NULL, from_1, from_2, from_3 };
static const struct migrations to_4 = { .steps = three_steps, .newest = 4 };

/* Ends TXN as R says. */
static int
finish(MDB_txn *txn, int r)
{
	if (r < 0)
		mdb_txn_abort(txn);
	else
		ck_assert_int_eq(mdb_txn_commit(txn), 0);
	return r;
}

static MDB_txn *
begin(void)
{
	MDB_txn *txn;

	ck_assert_int_eq(mdb_txn_begin(store->env, NULL, 0, &txn), 0);
	return txn;
}

static void
plant_version(uint64_t version)
{
	MDB_txn *txn = begin();

	finish(txn, meta_put_number(txn, store->tables.meta, META_VERSION, version));
}

static uint64_t
version_now(void)
{
	MDB_txn *txn = begin();
	uint64_t version = 0;

	ck_assert_int_eq(
	    finish(txn, meta_get_number(txn, store->tables.meta, META_VERSION, &version)), 0);
	return version;
}

static bool
is_noted(const char *name)
{
	MDB_txn *txn = begin();
	const uint8_t *payload;
	size_t len;
	int r = seal_get(txn, store->tables.meta, meta_key(name), &payload, &len);

	mdb_txn_abort(txn);
	return r == 0;
}

static int
run(const struct migrations *migrations)
{
	MDB_txn *txn = begin();

	return finish(txn, migrate(migrations, txn, &store->tables));
}

/* ---- tests ------------------------------------------------------------------------- */

START_TEST(a_new_store_is_of_the_newest_version)
{
	ck_assert_uint_eq(version_now(), STORE_SCHEMA_VERSION);
	ck_assert_uint_eq(store_migrations.newest, STORE_SCHEMA_VERSION);
}
END_TEST

START_TEST(every_step_that_is_due_is_taken_in_order)
{
	plant_version(1);
	ck_assert_int_eq(run(&to_4), 0);
	ck_assert_str_eq(order, "abc");
	ck_assert_uint_eq(version_now(), 4);
	ck_assert_int_eq(run(&to_4), 0);
	ck_assert_str_eq(order, "abc");
}
END_TEST

START_TEST(steps_that_were_taken_are_not_taken_again)
{
	plant_version(3);
	ck_assert_int_eq(run(&to_4), 0);
	ck_assert_str_eq(order, "c");
	ck_assert_uint_eq(version_now(), 4);
}
END_TEST

START_TEST(a_step_that_fails_leaves_the_store_as_it_was)
{
	plant_version(1);
	step_error = -ENOSPC;
	ck_assert_int_eq(run(&to_4), -ENOSPC);
	ck_assert_uint_eq(version_now(), 1);
	ck_assert(!is_noted("a"));
	step_error = 0;
	order[0] = '\0';
	ck_assert_int_eq(run(&to_4), 0);
	ck_assert_uint_eq(version_now(), 4);
	ck_assert(is_noted("a"));
}
END_TEST

START_TEST(a_newer_builds_store_is_refused_and_not_touched)
{
	struct store_error error;
	uint8_t before[3 * 4096], after[sizeof before];
	FILE *file;

	plant_version(STORE_SCHEMA_VERSION + 1);
	world_close();
	file = fopen(world_path("data.mdb"), "r");
	ck_assert_uint_eq(fread(before, 1, sizeof before, file), sizeof before);
	fclose(file);
	ck_assert_int_eq(store_open(&world_options, &store, &error), -EPROTO);
	ck_assert_ptr_nonnull(strstr(error.text, "newer build"));
	file = fopen(world_path("data.mdb"), "r");
	ck_assert_uint_eq(fread(after, 1, sizeof after, file), sizeof after);
	fclose(file);
	ck_assert_int_eq(memcmp(before, after, sizeof before), 0);
}
END_TEST

START_TEST(a_version_that_never_was_is_damage)
{
	struct store_error error;

	plant_version(0);
	ck_assert_int_eq(run(&to_4), -EUCLEAN);
	world_close();
	ck_assert_int_eq(store_open(&world_options, &store, &error), -EUCLEAN);
}
END_TEST

START_TEST(rows_without_a_version_are_damage)
{
	struct store_error error;
	MDB_val key = meta_key(META_VERSION);
	MDB_txn *txn;

	world_submit(1, 1, 1000);
	txn = begin();
	finish(txn, mdb_del(txn, store->tables.meta, &key, NULL));
	world_close();
	ck_assert_int_eq(store_open(&world_options, &store, &error), -EUCLEAN);
	ck_assert_ptr_nonnull(strstr(error.text, "damaged"));
}
END_TEST

START_TEST(what_may_only_be_read_is_not_migrated)
{
	MDB_txn *txn;

	plant_version(1);
	txn = begin();
	ck_assert_int_eq(migrate_check(&to_4, txn, &store->tables), -EROFS);
	mdb_txn_abort(txn);
	plant_version(4);
	txn = begin();
	ck_assert_int_eq(migrate_check(&to_4, txn, &store->tables), 0);
	mdb_txn_abort(txn);
	plant_version(5);
	txn = begin();
	ck_assert_int_eq(migrate_check(&to_4, txn, &store->tables), -EPROTO);
	mdb_txn_abort(txn);
}
END_TEST

/* As version 1 left it: without the table that came with version 2. */
START_TEST(a_store_of_version_1_gets_a_history)
{
	struct store_options reading = world_options;
	struct store_error error;
	struct history history;
	MDB_txn *txn;

	world_submit(1, 3, 1000);
	plant_version(1);
	txn = begin();
	finish(txn, mdb_drop(txn, store->tables.history, 1));
	world_close();
	ck_assert_int_eq(store_check(world_dir, &error), 0);
	reading.read_only = true;
	ck_assert_int_eq(store_open(&reading, &store, &error), -EROFS);
	world_open();
	ck_assert_uint_eq(version_now(), STORE_SCHEMA_VERSION);
	ck_assert_uint_eq(store_last_id(store), 3);
	ck_assert_int_eq(store_get_history(store, "x", &history), -ENOENT);
	world_check_is_good();
}
END_TEST

/* ---- compaction -------------------------------------------------------------------- */

static off_t
file_size(void)
{
	struct stat info;

	ck_assert_int_eq(stat(world_path("data.mdb"), &info), 0);
	return info.st_size;
}

/* About 100 MB of specs, which are then deleted. */
static void
grow_and_shrink(void)
{
	enum {
		TASKS = 250,
		SPEC = 400 * 1000
	};
	char *spec = calloc(1, SPEC);
	struct store_batch *batch;

	ck_assert_ptr_nonnull(spec);
	world_submit(1, TASKS, 1000);
	for (uint64_t id = 1; id <= TASKS; id += 50) {
		batch = world_batch();
		for (uint64_t i = id; i < id + 50; i++)
			ck_assert_int_eq(store_batch_put_spec(batch, i, spec, SPEC), 0);
		world_apply(batch);
	}
	batch = world_batch();
	for (uint64_t id = 11; id <= TASKS; id++)
		ck_assert_int_eq(store_batch_delete_task(batch, id), 0);
	world_apply(batch);
	free(spec);
}

START_TEST(a_file_that_is_mostly_free_is_made_small_at_the_next_start)
{
	struct seen seen = { .n = 0 };
	char epoch[17];

	grow_and_shrink();
	strcpy(epoch, store_epoch(store));
	ck_assert_int_gt(file_size(), 100 * 1000 * 1000);
	world_close();
	world_open();
	ck_assert_int_lt(file_size(), 10 * 1000 * 1000);
	ck_assert_str_eq(store_epoch(store), epoch);
	ck_assert_int_eq(store_each_active(store, world_see, &seen), 0);
	ASSERT_SEEN(&seen, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
	ck_assert_uint_eq(store_last_id(store), 250);
	ck_assert_uint_eq(store_last_seq(store), 250);
	world_submit(251, 251, 1000);
	world_check_is_good();
	ck_assert_str_eq(store_epoch(store), epoch);
}
END_TEST

START_TEST(a_copy_that_cannot_be_made_changes_nothing)
{
	grow_and_shrink();
	world_close();
	ck_assert_int_eq(mkdir(world_path("data.mdb.new"), 0700), 0);
	world_open();
	ck_assert_int_gt(file_size(), 100 * 1000 * 1000);
	ck_assert_uint_eq(store_last_id(store), 250);
	world_check_is_good();
}
END_TEST

int
main(void)
{
	TCase *versions = tcase_create("versions"), *compaction = tcase_create("compaction");
	TCase *cases[] = { versions, compaction };

	tcase_add_checked_fixture(versions, world_begin, world_close);
	tcase_add_checked_fixture(compaction, world_begin, world_close);
	tcase_set_timeout(compaction, 60);
	tcase_add_test(versions, a_new_store_is_of_the_newest_version);
	tcase_add_test(versions, every_step_that_is_due_is_taken_in_order);
	tcase_add_test(versions, steps_that_were_taken_are_not_taken_again);
	tcase_add_test(versions, a_step_that_fails_leaves_the_store_as_it_was);
	tcase_add_test(versions, a_newer_builds_store_is_refused_and_not_touched);
	tcase_add_test(versions, a_version_that_never_was_is_damage);
	tcase_add_test(versions, rows_without_a_version_are_damage);
	tcase_add_test(versions, what_may_only_be_read_is_not_migrated);
	tcase_add_test(versions, a_store_of_version_1_gets_a_history);
	tcase_add_test(compaction, a_file_that_is_mostly_free_is_made_small_at_the_next_start);
	tcase_add_test(compaction, a_copy_that_cannot_be_made_changes_nothing);
	return world_run(suite_create("migrate"), cases, sizeof cases / sizeof cases[0]);
}

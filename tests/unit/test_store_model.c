/* The store against a model of it: whatever is done, in whatever order, both say the same. */
#include "store/store.h"

#include "tests/unit/store_world.h"

enum {
	TASKS = 24,
	UIDS = 4,
	ROUNDS = 12,
	CHANGES = 120
};

struct model_task {
	bool exists, is_active;
	unsigned uids; /* a bit for each */
	uint64_t expires_ms;
	size_t events; /* not trimmed */
};

static struct model_task model[TASKS + 1];
static struct {
	uint64_t task;
} history[ROUNDS * CHANGES * 2];
static uint64_t last_id, first_seq, last_seq, random_state;

static unsigned
draw(unsigned below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(random_state >> 33) % below;
}

static void
put(struct store_batch *batch, uint64_t id)
{
	struct model_task *task = &model[id];
	struct record record;

	*task = (struct model_task){ .exists = true,
		.is_active = draw(2),
		.uids = 1 + draw((1u << UIDS) - 1),
		.expires_ms = draw(2) ? 100 + draw(50) : 0,
		.events = task->events };
	codec_init(&record_codec, &record);
	record.id = id;
	record.state = task->is_active ? TASK_RUNNING : TASK_FAILED;
	record.expires_ms = task->expires_ms;
	for (unsigned uid = 0; uid < UIDS; uid++)
		if (task->uids & 1u << uid)
			world_add_person(&record, 1000 + uid);
	if (draw(2))
		world_set_token(&record, id);
	ck_assert_int_eq(store_batch_put_task(batch, &record), 0);
	codec_free(&record_codec, &record);
	last_id = id > last_id ? id : last_id;
}

static void
add_event(struct store_batch *batch, uint64_t id)
{
	world_add_event(batch, id, "something");
	history[++last_seq].task = id;
	first_seq = first_seq ? first_seq : 1;
	model[id].events++;
}

static void
trim(struct store_batch *batch, uint64_t seq)
{
	ck_assert_int_eq(store_batch_trim_events(batch, seq), 0);
	for (; first_seq <= seq && first_seq < last_seq; first_seq++)
		if (model[history[first_seq].task].events > 0 && history[first_seq].task > 0)
			model[history[first_seq].task].events--;
}

static void
remove_task(struct store_batch *batch, uint64_t id)
{
	ck_assert_int_eq(store_batch_delete_task(batch, id), 0);
	if (!model[id].exists)
		return;
	model[id] = (struct model_task){ .exists = false };
	for (uint64_t seq = 1; seq <= last_seq; seq++)
		if (history[seq].task == id)
			history[seq].task = 0; /* nobody's any more */
}

static void
change(struct store_batch *batch)
{
	uint64_t id = 1 + draw(TASKS);

	switch (draw(8)) {
	case 0:
		remove_task(batch, id);
		break;
	case 1:
		if (last_seq > 0)
			trim(batch, first_seq + draw(4));
		break;
	case 2:
	case 3:
		if (model[id].exists)
			add_event(batch, id);
		break;
	default:
		put(batch, id);
		break;
	}
}

/* ---- comparing -------------------------------------------------------------------- */

static void
compare_pages(uint64_t uid)
{
	struct store_page page = { .owner_uid = uid, .max_rows = 1 + draw(5) };
	struct seen seen = { .n = 0 };
	size_t n = 0;

	do
		ck_assert_int_eq(
		    store_each_task(store, &page, world_see, &seen, &page.before_id), 0);
	while (page.before_id > 0);
	for (uint64_t id = TASKS; id > 0; id--)
		if (model[id].exists && (uid == UINT64_MAX || model[id].uids & 1u << (uid - 1000)))
			ck_assert_uint_eq(seen.v[n++], id);
	ck_assert_uint_eq(seen.n, n);
}

static void
compare_active(void)
{
	struct seen seen = { .n = 0 };
	size_t n = 0;

	ck_assert_int_eq(store_each_active(store, world_see, &seen), 0);
	for (uint64_t id = 1; id <= TASKS; id++)
		if (model[id].exists && model[id].is_active)
			ck_assert_uint_eq(seen.v[n++], id);
	ck_assert_uint_eq(seen.n, n);
}

static void
compare_due(void)
{
	uint64_t ids[TASKS], now_ms = 100 + draw(60), before = 0;
	size_t n, expected = 0;

	ck_assert_int_eq(store_due(store, now_ms, ids, TASKS, &n), 0);
	for (uint64_t id = 1; id <= TASKS; id++)
		expected +=
		    model[id].exists && model[id].expires_ms > 0 && model[id].expires_ms <= now_ms;
	ck_assert_uint_eq(n, expected);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_le(before, model[ids[i]].expires_ms);
		before = model[ids[i]].expires_ms;
	}
}

static void
compare_events(void)
{
	for (uint64_t id = 1; id <= TASKS; id++) {
		struct seen seen = { .n = 0 };

		ck_assert_int_eq(store_each_event(store, id, 0, 1000, world_see, &seen), 0);
		ck_assert_uint_eq(seen.n, model[id].events);
		for (size_t i = 0; i < seen.n; i++)
			ck_assert_uint_eq(history[seen.v[i]].task, id);
	}
}

static void
compare(void)
{
	ck_assert_uint_eq(store_last_id(store), last_id);
	ck_assert_uint_eq(store_first_seq(store), first_seq);
	ck_assert_uint_eq(store_last_seq(store), last_seq);
	compare_active();
	compare_due();
	compare_events();
	compare_pages(UINT64_MAX);
	for (uint64_t uid = 1000; uid < 1000 + UIDS; uid++)
		compare_pages(uid);
}

START_TEST(whatever_is_done_the_store_says_what_the_model_says)
{
	random_state = (uint64_t)_i + 1;
	for (int round = 0; round < ROUNDS; round++) {
		struct store_batch *group[4] = { world_batch(), world_batch(), world_batch(),
			world_batch() };

		for (size_t i = 0; i < CHANGES; i++)
			change(group[i * 4 / CHANGES]);
		/* a group that failed can be applied again as it is */
		if (draw(2)) {
			world_arm("store.commit.before", "errno:ENOSPC");
			ck_assert_int_eq(store_apply(store, group, 4), -ENOSPC);
		}
		ck_assert_int_eq(store_apply(store, group, 4), 0);
		for (size_t i = 0; i < 4; i++)
			store_batch_free(group[i]);
		compare();
		world_check_is_good();
		compare();
	}
}
END_TEST

int
main(void)
{
	TCase *model_case = tcase_create("model");

	tcase_set_timeout(model_case, 60);
	tcase_add_checked_fixture(model_case, world_begin, world_close);
	tcase_add_loop_test(model_case, whatever_is_done_the_store_says_what_the_model_says, 0, 6);
	return world_run(suite_create("store_model"), &model_case, 1);
}

#include "ipc/clock.h"
#include "tests/unit/commands_kit.h"

enum {
	DAY_MS = 24 * 3600 * 1000
};

/* What the next row has beside the usual. */
struct detail {
	const char *type, *scope, *label; /* the label's value; its name is "l" */
	uint64_t uid, ended_ago_ms;
	enum task_state state;
	bool keep;
};

static void
put(uint64_t id, const struct detail *detail)
{
	uint64_t now_ms = clock_wall_ms();
	struct record record;

	world_record(&record, id, detail->uid ? detail->uid : getuid());
	record.state = detail->state ? detail->state : TASK_QUEUED;
	record.keep = detail->keep;
	if (task_state_is_end(record.state))
		record.ended_ms = now_ms - detail->ended_ago_ms;
	if (detail->type)
		ck_assert_int_eq(str_set(&record.type, detail->type), 0);
	ck_assert_int_eq(str_set(&record.scope, detail->scope), 0);
	if (detail->label)
		ck_assert_int_eq(pairs_set(&record.labels, "l", detail->label), 0);
	world_put(&record);
	codec_free(&record_codec, &record);
}

#define PUT(id, ...) put(id, &(struct detail){ __VA_ARGS__ })

/* The ids that `list` with PARAMS gives, as "3 1 ", and what is next behind them. */
static const char *
ids_of(const char *params)
{
	static char ids[4096];
	const char *at;
	int len = 0;

	ask("list", params);
	ck_assert_msg(!failed, "%s", said);
	at = strstr(said, "\"tasks\":");
	ids[0] = '\0';
	while ((at = strstr(at + 1, "{\"id\":")) != NULL)
		len += snprintf(ids + len, sizeof ids - (size_t)len, "%d ", atoi(at + 6));
	return ids;
}

START_TEST(the_newest_comes_first)
{
	PUT(1, 0);
	PUT(2, 0);
	PUT(3, 0);
	ck_assert_str_eq(ids_of("{}"), "3 2 1 ");
	says("\"next\":null");
}
END_TEST

START_TEST(pages_join_without_a_gap)
{
	for (uint64_t id = 1; id <= 5; id++)
		PUT(id, 0);
	ck_assert_str_eq(ids_of("{\"limit\": 2}"), "5 4 ");
	says("\"next\":4");
	ck_assert_str_eq(ids_of("{\"limit\": 2, \"before\": 4}"), "3 2 ");
	says("\"next\":2");
	ck_assert_str_eq(ids_of("{\"limit\": 2, \"before\": 2}"), "1 ");
	says("\"next\":null");
	ck_assert_str_eq(ids_of("{\"before\": 1}"), "");
}
END_TEST

START_TEST(a_page_has_200_tasks_at_most)
{
	for (uint64_t id = 1; id <= 250; id++)
		PUT(id, 0);
	ids_of("{}");
	says("{\"id\":51,");
	says_not("{\"id\":50,");
	says("\"next\":51");
	ask("list", "{\"limit\": 201}");
	is_refused("invalid", "limit");
}
END_TEST

START_TEST(what_ended_long_ago_is_shown_when_asked_for)
{
	PUT(1, .state = TASK_COMPLETED, .ended_ago_ms = 2 * DAY_MS);
	PUT(2, .state = TASK_COMPLETED, .ended_ago_ms = 2 * DAY_MS, .keep = true);
	PUT(3, .state = TASK_FAILED, .ended_ago_ms = DAY_MS / 2);
	PUT(4, 0);
	ck_assert_str_eq(ids_of("{}"), "4 3 2 ");
	ck_assert_str_eq(ids_of("{\"all\": true}"), "4 3 2 1 ");
	ck_assert_str_eq(ids_of("{\"since_ms\": 1}"), "4 3 2 1 ");
	ck_assert_str_eq(ids_of("{\"since_ms\": 99999999999999}"), "4 ");
}
END_TEST

START_TEST(states_are_chosen_by_name_or_by_kind)
{
	PUT(1, .state = TASK_COMPLETED);
	PUT(2, .state = TASK_FAILED);
	PUT(3, .state = TASK_INTERRUPTED);
	PUT(4, .state = TASK_RUNNING);
	PUT(5, 0);
	ck_assert_str_eq(ids_of("{\"active\": true}"), "5 4 ");
	ck_assert_str_eq(ids_of("{\"failed\": true}"), "3 2 ");
	ck_assert_str_eq(ids_of("{\"active\": true, \"failed\": true}"), "");
	ck_assert_str_eq(ids_of("{\"states\": [\"queued\", \"completed\"]}"), "5 1 ");
	ck_assert_str_eq(ids_of("{\"states\": []}"), "5 4 3 2 1 ");
	ask("list", "{\"states\": [\"queued\", \"qeued\"]}");
	is_refused("invalid", "states");
	ck_assert_ptr_nonnull(strstr(said, "qeued"));
}
END_TEST

START_TEST(every_filter_must_match)
{
	PUT(1, .type = "install", .scope = "vm1", .label = "a");
	PUT(2, .type = "install", .scope = "vm2", .label = "b");
	PUT(3, .type = "remove", .scope = "vm1", .label = "a");
	PUT(4, 0);
	ck_assert_str_eq(ids_of("{\"type\": \"install\"}"), "2 1 ");
	ck_assert_str_eq(ids_of("{\"scope\": \"vm1\"}"), "3 1 ");
	ck_assert_str_eq(ids_of("{\"labels\": {\"l\": \"a\"}}"), "3 1 ");
	ck_assert_str_eq(ids_of("{\"labels\": {\"l\": \"a\", \"m\": \"a\"}}"), "");
	ck_assert_str_eq(ids_of("{\"type\": \"install\", \"scope\": \"vm1\"}"), "1 ");
	ck_assert_str_eq(ids_of("{\"owner\": \"unix:somebody\"}"), "4 3 2 1 ");
	ck_assert_str_eq(ids_of("{\"owner\": \"unix:nobody\"}"), "");
}
END_TEST

START_TEST(everybody_sees_his_own_and_administrators_all)
{
	PUT(1, 0);
	PUT(2, .uid = getuid() + STRANGER);
	PUT(3, .uid = getuid() + STRANGER, .state = TASK_FAILED);
	ck_assert_str_eq(ids_of("{\"all\": true}"), "3 2 1 ");
	come_back(false);
	ck_assert_str_eq(ids_of("{\"all\": true}"), "1 ");
	ck_assert_str_eq(ids_of("{\"failed\": true}"), "");
	ck_assert_str_eq(ids_of("{\"owner\": \"unix:somebody\"}"), "1 ");
}
END_TEST

int
main(void)
{
	TCase *tests = tests_of("list");

	tcase_add_test(tests, the_newest_comes_first);
	tcase_add_test(tests, pages_join_without_a_gap);
	tcase_add_test(tests, a_page_has_200_tasks_at_most);
	tcase_add_test(tests, what_ended_long_ago_is_shown_when_asked_for);
	tcase_add_test(tests, states_are_chosen_by_name_or_by_kind);
	tcase_add_test(tests, every_filter_must_match);
	tcase_add_test(tests, everybody_sees_his_own_and_administrators_all);
	return world_run(suite_create("commands list"), &tests, 1);
}

/* Who follows sees every fact once, whatever dies meanwhile. */
#include "tests/integ/world.h"

#include "ipc/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WATCHED_MAX = 64 * 1024 * 1024,
	FACTS = 240 /* of the task that is followed; one in four is a checkpoint */
};

/*
 * `reeve watch --json IDS` in the background: its lines come into ROOT/watched, ROOT/subscribed is
 * there after the first and ROOT/over after the last.
 */
static void
start_watching(struct world *world, const char *ids)
{
	const char *const words[] = { "-c",
		"{ \"$0\"/reeve watch --json $1 2>watch.err | "
		"while read -r line; do printf '%s\\n' \"$line\" >>watched; >subscribed; done; "
		">over; } >/dev/null 2>&1 </dev/null &",
		world->bin, ids, NULL };

	ck_assert_int_eq(world_exec(world, "sh", words, NULL)->status, 0);
	world_until_file(world, "subscribed");
}

/* The numbers of the facts about task ID that were watched, in order; each line is JSON. */
static json_t *
facts_watched(struct world *world, uint64_t id)
{
	json_t *facts = json_array();
	char *text = NULL, *lines;
	size_t all;

	json_array_append_new(world->docs, facts);
	ck_assert_int_eq(
	    fd_read_file(AT_FDCWD, world_path(world, "watched"), WATCHED_MAX, &text, &all), 0);
	for (lines = text; *lines;) {
		size_t len = strcspn(lines, "\n");
		json_error_t error;
		json_t *line = json_loadb(lines, len, 0, &error);

		ck_assert_msg(line != NULL, "%s: %.*s", error.text, (int)len, lines);
		if (json_is_integer(json_object_get(line, "seq")) &&
		    (uint64_t)json_integer_value(doc_at(line, "task.id")) == id)
			json_array_append(facts, json_object_get(line, "seq"));
		json_decref(line);
		lines += len + (lines[len] == '\n');
	}
	free(text);
	return facts;
}

/* The same from its history, without its submission. */
static json_t *
facts_of(struct world *world, uint64_t id)
{
	json_t *facts = json_array(), *event;
	size_t i;

	json_array_append_new(world->docs, facts);
	json_array_foreach(doc_at(world_events(world, id), "events"), i, event)
	{
		if (strcmp(doc_text(event, "1.event"), "submitted") != 0)
			json_array_append(facts, json_array_get(event, 0));
	}
	return facts;
}

static uint64_t
submit_talker(struct world *world)
{
	char actor[2 * WORLD_PATH];

	snprintf(actor, sizeof actor, "%s/actor", world->fake);
	return SUBMIT(world, "--", actor, world_path(world, "ran"), world_word(world, FACTS),
	    "1500", "exit:0");
}

/* _i: how many tasks are followed at once; one is looked up in another way than several. */
START_TEST(a_follower_sees_every_fact_once_over_kills_of_the_supervisor)
{
	struct world world;
	uint64_t blocker, id;
	char ids[32];
	json_t *seen;

	world_open(&world, __func__);
	world.slots = "1";
	world_start(&world);
	blocker = SUBMIT(&world, "--", "sh", "-c", "while [ ! -e go ]; do sleep .02; done");
	id = submit_talker(&world);
	snprintf(ids, sizeof ids, _i ? "%d %d" : "%d", (int)id, (int)blocker);
	start_watching(&world, ids);
	world_file(&world, "go", "");
	for (size_t i = 1; i <= 4; i++) {
		world_until_event(&world, id, "checkpoint", i * FACTS / 4 / 5);
		world_kill_supervisor(&world);
		world_wait_served(&world);
	}
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	world_until_file(&world, "over");
	ck_assert_str_eq(world_read(&world, "watch.err"), "");
	seen = facts_watched(&world, id);
	ck_assert_int_gt((int)json_array_size(seen), FACTS);
	ck_assert_msg(
	    json_equal(seen, facts_of(&world, id)), "it saw %s", json_dumps(seen, JSON_COMPACT));
	world_close(&world);
}
END_TEST

/* ---- far behind ---------------------------------------------------------------------------- */

/* Commands with labels of 8 KiB, which go out with every event: a hundred of them are more than
 * the service keeps for a client that does not read. */
static uint64_t
submit_heavy(struct world *world, int count)
{
	char token[17], value[512];
	struct client client;
	uint64_t last = 0;

	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	world_connect(world, &client);
	for (int i = 0; i < count; i++) {
		json_t *labels = json_object(), *reply;
		bool is_error;

		for (int k = 0; k < 16; k++)
			json_object_set_new(
			    labels, world_word(world, (uint64_t)k), json_string(value));
		snprintf(token, sizeof token, "task number %04d", i);
		reply = world_call_with(world, &client, "submit",
		    json_pack("{sss[s]so}", "token", token, "command", "true", "labels", labels),
		    open("/", O_PATH | O_CLOEXEC), &is_error);
		ck_assert_msg(!is_error, "%s", doc_text(reply, "message"));
		last = (uint64_t)json_integer_value(doc_at(reply, "id"));
	}
	client_fini(&client);
	for (uint64_t id = 1; id <= last; id++)
		world_until(world, id, "status", "completed");
	return last;
}

static void
expect_next(const char *method, const msgpack_object *params, void *arg)
{
	uint64_t *seq = arg;

	(void)method;
	ck_assert_uint_eq(mp_uint(mp_get(params, "seq"), 0), ++*seq);
}

START_TEST(who_was_away_for_long_is_brought_up_to_date_without_being_cut_off)
{
	struct world world;
	struct client client;
	bool is_error;
	json_t *now;
	uint64_t seq = 0, last;

	world_open(&world, __func__);
	world_start(&world);
	submit_heavy(&world, 100);
	world_connect(&world, &client);
	now = world_call(&world, &client, "watch", json_object(), &is_error);
	last = (uint64_t)json_integer_value(doc_at(now, "seq"));
	ck_assert_uint_ge(last, 500);
	client_fini(&client);
	world_connect(&world, &client);
	/* Asked anew for everything; what is said meanwhile is in order, too. */
	now = world_call(&world, &client, "watch",
	    json_pack("{sssi}", "epoch", doc_text(now, "epoch"), "after", 0), &is_error);
	ck_assert_msg(!is_error, "%s", doc_text(now, "message"));
	ck_doc(now, "reset", "false");
	SUBMIT(&world, "--", "true");
	while (seq < last + 2)
		ck_assert_int_eq(client_wait(&client, WORLD_PATIENCE_MS, expect_next, &seq), 1);
	client_fini(&client);
	world_close(&world);
}
END_TEST

/* ---- long documents ------------------------------------------------------------------------ */

enum {
	TALKERS = 16 /* steps that put out 60 KiB each, which is nearly all that a task may */
};

static const char *
write_talkative(struct world *world)
{
	char text[TALKERS * 256] = "name: talk\nsteps:\n"
				   "  - {name: first, sh: 'while [ ! -e \"$GO\" ]; do sleep .02; "
				   "done', env: {GO: '";
	size_t len = strlen(text);

	len += (size_t)snprintf(text + len, sizeof text - len, "%s'}}\n", world_path(world, "go"));
	for (int i = 0; i < TALKERS; i++)
		len += (size_t)snprintf(text + len, sizeof text - len,
		    "  - {name: s%d, outputs: [a, b, c, d], sh: 'x=$(head -c 15360 /dev/zero | tr "
		    "\"\\0\" x); for n in a b c d; do echo $n=$x; done >>$REEVE_OUTPUT'}\n",
		    i);
	return world_file(world, "talk.yaml", text);
}

START_TEST(a_task_with_much_to_tell_is_followed_and_says_what_it_leaves_out)
{
	struct world world;
	const struct said *said;
	uint64_t id;
	json_t *task, *facts;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, write_talkative(&world));
	start_watching(&world, world_word(&world, id));
	world_file(&world, "go", "");
	world_until_file(&world, "over");
	ck_assert_str_eq(world_read(&world, "watch.err"), "");
	/* It is alone in its world: its facts are numbered without a gap. */
	facts = facts_watched(&world, id);
	ck_assert_uint_gt(json_array_size(facts), (size_t)TALKERS * 6);
	for (size_t i = 1; i < json_array_size(facts); i++)
		ck_assert_int_eq(json_integer_value(json_array_get(facts, i)),
		    json_integer_value(json_array_get(facts, i - 1)) + 1);
	task = world_show(&world, id);
	ck_doc(task, "status", "completed");
	ck_assert_int_gt((int)json_integer_value(doc_at(task, "left_out.outputs")), 0);
	said = REEVE(&world, "show", world_word(&world, id));
	ck_says(said->out, "  left out  ");
	ck_says(said->out, " outputs\n");
	world_close(&world);
}
END_TEST

START_TEST(ids_that_are_not_there_are_told_and_the_others_followed)
{
	struct world world;
	struct client client;
	const struct said *said;
	bool is_error;
	json_t *now;

	world_open(&world, __func__);
	world_start(&world);
	SUBMIT(&world, "--", "true");
	world_until(&world, 1, "status", "completed");
	world_connect(&world, &client);
	now = world_call(
	    &world, &client, "watch", json_pack("{s[iii]}", "ids", 4711, 1, 4712), &is_error);
	client_fini(&client);
	ck_doc(now, "missing.0", "4711");
	ck_doc(now, "missing.1", "4712");
	ck_doc(now, "tasks.0.id", "1");
	ck_doc(now, "omitted", "0");
	said = REEVE(&world, "watch", "4711", "1");
	ck_assert_int_eq(said->status, 7);
	ck_says(said->err, "there is no task 4711");
	ck_says(said->out, "completed");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("follow");
	TCase *tcase = world_tcase(suite, "follow");

	tcase_add_loop_test(
	    tcase, a_follower_sees_every_fact_once_over_kills_of_the_supervisor, 0, 2);
	tcase_add_test(tcase, who_was_away_for_long_is_brought_up_to_date_without_being_cut_off);
	tcase_add_test(tcase, a_task_with_much_to_tell_is_followed_and_says_what_it_leaves_out);
	tcase_add_test(tcase, ids_that_are_not_there_are_told_and_the_others_followed);
	return world_main(suite);
}

#include "ipc/rpc.h"

#include "ipc/mp.h"
#include "ipc/walk.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct buf out;

static void
setup(void)
{
	buf_init(&out, 65536);
}

static void
teardown(void)
{
	buf_fini(&out);
}

static void
pack_id(uint64_t id)
{
	msgpack_packer packer;

	buf_packer(&out, &packer);
	msgpack_pack_map(&packer, 1);
	pack_kv_uint(&packer, "id", id);
}

START_TEST(a_request_comes_back_as_it_was_sent)
{
	struct rpc_msg msg;

	ck_assert_int_eq(rpc_begin_request(&out, 70000, "show"), 0);
	pack_id(41);
	ck_assert_int_eq(walk_whole(out.data, out.len, &walk_rpc_limits), 0);
	ck_assert_int_eq(rpc_parse(out.data, out.len, &msg), 0);
	ck_assert_int_eq(msg.type, RPC_REQUEST);
	ck_assert_uint_eq(msg.id, 70000);
	ck_assert_str_eq(msg.method, "show");
	ck_assert_mem_eq(msg.params.data, "\x81\xa2id\x29", 5);
	ck_assert_uint_eq(msg.params.len, 5);
}
END_TEST

START_TEST(a_result_comes_back_with_a_nil_error)
{
	struct rpc_msg msg;

	ck_assert_int_eq(rpc_begin_result(&out, 7), 0);
	pack_id(1);
	ck_assert_int_eq(rpc_parse(out.data, out.len, &msg), 0);
	ck_assert_int_eq(msg.type, RPC_RESPONSE);
	ck_assert_uint_eq(msg.id, 7);
	ck_assert_mem_eq(msg.error.data, "\xc0", 1);
	ck_assert_uint_eq(msg.result.len, 5);
}
END_TEST

START_TEST(a_notification_has_no_id)
{
	struct rpc_msg msg;

	ck_assert_int_eq(rpc_begin_notification(&out, "event"), 0);
	pack_id(1);
	ck_assert_int_eq(rpc_parse(out.data, out.len, &msg), 0);
	ck_assert_int_eq(msg.type, RPC_NOTIFICATION);
	ck_assert_str_eq(msg.method, "event");
}
END_TEST

START_TEST(an_error_names_code_message_and_field)
{
	struct rpc_msg msg;
	struct mp_doc doc;

	ck_assert_int_eq(rpc_put_error(&out, 3, RPC_CONFLICT, "key", "task 9 has it"), 0);
	ck_assert_int_eq(rpc_parse(out.data, out.len, &msg), 0);
	ck_assert_int_eq(mp_parse(&doc, msg.error.data, msg.error.len, &walk_rpc_limits), 0);
	ck_assert(mp_str_is(mp_get(&doc.root, "code"), "conflict"));
	ck_assert(mp_str_is(mp_get(&doc.root, "message"), "task 9 has it"));
	ck_assert(mp_str_is(mp_get(&doc.root, "field"), "key"));
	mp_free(&doc);
	buf_clear(&out);
	ck_assert_int_eq(rpc_put_error(&out, 3, RPC_FULL, NULL, "no"), 0);
	ck_assert_int_eq(rpc_parse(out.data, out.len, &msg), 0);
	ck_assert_uint_eq(msg.error.data[0], 0x82);
}
END_TEST

START_TEST(no_prefix_of_a_message_is_one)
{
	struct rpc_msg msg;

	rpc_begin_request(&out, 9, "submit");
	pack_id(9);
	for (size_t len = 0; len < out.len; len++)
		ck_assert_int_eq(rpc_parse(out.data, len, &msg), -EBADMSG);
	buf_add(&out, "\xc0", 1);
	ck_assert_int_eq(rpc_parse(out.data, out.len, &msg), -EBADMSG);
}
END_TEST

#define BYTES(text)     \
 {                      \
  text, sizeof text - 1 \
 }
static const struct {
	const char *data;
	size_t len;
} good[] = {
	BYTES("\x94\x00\x05\xa1m\x90"),             /* stock clients: no arguments */
	BYTES("\x94\x00\x05\xa1m\x91\x81\xa1k\x01"), /* the map in a list */
	BYTES("\x94\x00\xd0\x05\xa1m\x80"),         /* an id written as int8 */
	BYTES("\x94\x00\xcf\0\0\0\0\0\0\0\x05\xa1m\x80"),
	BYTES("\x94\x00\x05\xd9\x01m\x80"),         /* a method as str8, str16, str32 */
	BYTES("\x94\x00\x05\xda\x00\x01m\x80"),
	BYTES("\x94\x00\x05\xdb\x00\x00\x00\x01m\x80"),
}, bad[] = {
	BYTES("\x80"),
	BYTES("\x90"),
	BYTES("\x94\x00\x05\xa1m\xc0"),             /* params are no map */
	BYTES("\x94\x00\x05\xa1m\x92\x80\x80"),     /* two arguments */
	BYTES("\x94\x00\x05\xa1m\x91\xc0"),
	BYTES("\x94\x00\xd0\xff\xa1m\x80"),         /* a negative id */
	BYTES("\x94\x00\xff\xa1m\x80"),
	BYTES("\x94\x00\xcf\0\0\0\1\0\0\0\x05\xa1m\x80"), /* one beyond 32 bits */
	BYTES("\x94\x00\xca\x3f\x80\x00\x00\xa1m\x80"),   /* a float */
	BYTES("\x94\x00\x05\xa0\x80"),              /* a method without a name */
	BYTES("\x94\x00\x05\xa2m\x00\x80"),         /* with a NUL in it */
	BYTES("\x94\x00\x05\xc4\x01m\x80"),         /* as bin */
	BYTES("\x93\x00\x05\xa1m"),                 /* a request of three */
	BYTES("\x94\x02\xa1m\x80\x80"),             /* a notification of four */
	BYTES("\x94\x03\x05\xa1m\x80"),             /* an unknown type */
	BYTES("\x94\x01\x05\xa1!\xc0"),             /* an error that is text */
	BYTES("\x94\x00\x05\xa1m\xc1"),             /* the reserved byte */
};
#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

START_TEST(every_encoding_of_a_request_is_understood)
{
	struct rpc_msg msg;

	ck_assert_int_eq(rpc_parse(good[_i].data, good[_i].len, &msg), 0);
	ck_assert_uint_eq(msg.id, 5);
	ck_assert_str_eq(msg.method, "m");
	ck_assert_int_eq(msg.params.data[0] & 0xf0, 0x80);
}
END_TEST

START_TEST(what_is_no_message_is_refused)
{
	struct rpc_msg msg;

	ck_assert_int_eq(rpc_parse(bad[_i].data, bad[_i].len, &msg), -EBADMSG);
}
END_TEST

START_TEST(a_method_may_have_63_bytes)
{
	struct rpc_msg msg;
	char name[65];

	memset(name, 'm', sizeof name);
	name[63] = '\0';
	rpc_begin_request(&out, 1, name);
	pack_id(1);
	ck_assert_int_eq(rpc_parse(out.data, out.len, &msg), 0);
	ck_assert_str_eq(msg.method, name);
	buf_clear(&out);
	name[63] = 'm';
	name[64] = '\0';
	rpc_begin_request(&out, 1, name);
	pack_id(1);
	ck_assert_int_eq(rpc_parse(out.data, out.len, &msg), -EBADMSG);
}
END_TEST

START_TEST(each_error_has_a_name_and_a_status)
{
#define X(sym, num, name, status)             \
 ck_assert_str_eq(rpc_error_name(sym), name); \
 ck_assert_int_eq(rpc_error_exit_status(name), status);
	RPC_ERRORS(X)
#undef X
	ck_assert_str_eq(rpc_error_name((enum rpc_error)0), "invalid");
	ck_assert_str_eq(rpc_error_name((enum rpc_error)99), "invalid");
	ck_assert_int_eq(rpc_error_exit_status("never heard of"), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rpc");
	TCase *messages = tcase_create("messages");

	tcase_add_checked_fixture(messages, setup, teardown);
	tcase_add_test(messages, a_request_comes_back_as_it_was_sent);
	tcase_add_test(messages, a_result_comes_back_with_a_nil_error);
	tcase_add_test(messages, a_notification_has_no_id);
	tcase_add_test(messages, an_error_names_code_message_and_field);
	tcase_add_test(messages, no_prefix_of_a_message_is_one);
	tcase_add_loop_test(messages, every_encoding_of_a_request_is_understood, 0, COUNT(good));
	tcase_add_loop_test(messages, what_is_no_message_is_refused, 0, COUNT(bad));
	tcase_add_test(messages, a_method_may_have_63_bytes);
	tcase_add_test(messages, each_error_has_a_name_and_a_status);
	suite_add_tcase(suite, messages);
	return run_suite(suite);
}

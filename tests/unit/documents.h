/*
 * tests/unit/documents.h - documents of tasks, written as JSON in a test. Included by one
 * test program at a time, so it is all here.
 */
#ifndef TESTS_UNIT_DOCUMENTS_H
#define TESTS_UNIT_DOCUMENTS_H

#include "ipc/buf.h"
#include "ipc/mp.h"

#include <check.h>
#include <jansson.h>
#include <string.h>

static void
document_pack(msgpack_packer *packer, json_t *json)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_object(json)) {
		msgpack_pack_map(packer, json_object_size(json));
		json_object_foreach(json, key, value)
		{
			pack_str(packer, key);
			document_pack(packer, value);
		}
	} else if (json_is_array(json)) {
		msgpack_pack_array(packer, json_array_size(json));
		json_array_foreach(json, i, value) document_pack(packer, value);
	} else if (json_is_string(json)) {
		pack_str(packer, json_string_value(json));
	} else if (json_is_integer(json)) {
		msgpack_pack_int64(packer, json_integer_value(json));
	} else if (json_is_real(json)) {
		msgpack_pack_double(packer, json_real_value(json));
	} else if (json_is_boolean(json)) {
		if (json_is_true(json))
			msgpack_pack_true(packer);
		else
			msgpack_pack_false(packer);
	} else {
		msgpack_pack_nil(packer);
	}
}

/* Appends TEXT as one msgpack value. */
static void
document_append(struct buf *out, const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
	msgpack_packer packer;

	ck_assert_msg(json, "line %d: %s in %s", error.line, error.text, text);
	buf_packer(out, &packer);
	document_pack(&packer, json);
	json_decref(json);
	ck_assert_int_eq(buf_error(out), 0);
}

#endif

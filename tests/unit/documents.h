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

static void document_pack(msgpack_packer *packer, json_t *json);

static void
document_pack_map(msgpack_packer *packer, json_t *json)
{
	msgpack_pack_map(packer, json_object_size(json));
	for (void *at = json_object_iter(json); at; at = json_object_iter_next(json, at)) {
		pack_str(packer, json_object_iter_key(at));
		document_pack(packer, json_object_iter_value(at));
	}
}

static void
document_pack(msgpack_packer *packer, json_t *json)
{
	if (json_is_object(json)) {
		document_pack_map(packer, json);
	} else if (json_is_array(json)) {
		msgpack_pack_array(packer, json_array_size(json));
		for (size_t i = 0; i < json_array_size(json); i++)
			document_pack(packer, json_array_get(json, i));
	} else if (json_is_string(json)) {
		pack_str(packer, json_string_value(json));
	} else if (json_is_integer(json)) {
		msgpack_pack_int64(packer, json_integer_value(json));
	} else if (json_is_real(json)) {
		msgpack_pack_double(packer, json_real_value(json));
	} else if (json_is_true(json)) {
		msgpack_pack_true(packer);
	} else if (json_is_false(json)) {
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

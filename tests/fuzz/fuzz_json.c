/* Writes a document as JSON: what comes out is text, however broken the strings in it. */
#include "ipc/json.h"

#include "ipc/mp.h"
#include "ipc/utf8.h"
#include "tests/fuzz/fuzz.h"

/* UTF-8 without control characters but for the line feeds of the pretty style. */
static void
check_text(const struct buf *text)
{
	size_t at = 0, n;

	while (at < text->len) {
		uint8_t byte = text->data[at];

		REQUIRE(byte >= 0x20 || byte == '\n');
		REQUIRE(utf8_next(text->data + at, text->len - at, &n));
		at += n;
	}
}

/* Quotes and backslashes pair up, and so do brackets outside of strings. */
static void
check_balance(const struct buf *text)
{
	bool in_string = false;
	size_t depth = 0;

	for (size_t at = 0; at < text->len; at++) {
		char c = (char)text->data[at];

		if (c == '"')
			in_string = !in_string;
		else if (in_string && c == '\\')
			at++;
		else if (!in_string && strchr("[{", c))
			depth++;
		else if (!in_string && strchr("]}", c))
			REQUIRE(depth-- > 0);
	}
	REQUIRE(!in_string && depth == 0);
}

static void
write_document(const msgpack_object *object, enum json_style style)
{
	struct buf text;

	buf_init(&text, (size_t)1 << 22);
	if (json_write(&text, object, style) == 0) {
		check_text(&text);
		check_balance(&text);
	}
	buf_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mp_doc doc;

	if (mp_parse(&doc, data, size, &walk_frame_limits) < 0)
		return 0;
	write_document(&doc.root, JSON_COMPACT);
	write_document(&doc.root, JSON_PRETTY);
	mp_free(&doc);
	return 0;
}

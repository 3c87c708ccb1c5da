/*
 * tests/unit/views_kit.h - documents as the service sends them, and what was made of them for
 * people. Included by one test program at a time, so it is all here.
 */
#ifndef TESTS_UNIT_VIEWS_KIT_H
#define TESTS_UNIT_VIEWS_KIT_H

#include "supervisor/cli/doc.h"
#include "tests/unit/documents.h"

#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS UINT64_C(1790000000000) /* 2026-09-21T14:13:20Z */

/* Two steps: one done within a second, one that loads. */
#define RUNNING                                                                           \
 "{\"id\":41,\"type\":\"try-it\",\"title\":\"Install it\",\"scope\":\"srv-7\","           \
 "\"owner\":\"unix:ada\",\"labels\":{\"page\":\"3\"},\"status\":\"running\","             \
 "\"pending\":null,\"outcome\":null,\"progress\":0.3,\"label\":\"mirror 2\","             \
 "\"step\":{\"index\":2,\"count\":3,\"name\":\"fetch\"},\"steps\":["                      \
 "{\"name\":\"find\",\"status\":\"done\",\"detail\":null,\"progress\":1,"                 \
 "\"started_at\":\"2026-09-21T14:13:10.000Z\",\"ended_at\":\"2026-09-21T14:13:11.500Z\"," \
 "\"exit\":null,\"steps\":[]},"                                                           \
 "{\"name\":\"fetch\",\"status\":\"running\",\"detail\":null,\"progress\":0.43,"          \
 "\"started_at\":\"2026-09-21T14:13:12.000Z\",\"ended_at\":null,\"exit\":null,"           \
 "\"steps\":[{\"name\":\"part 1\",\"status\":\"done\",\"detail\":\"12 files\","           \
 "\"progress\":null,\"started_at\":null,\"ended_at\":null,\"exit\":null,\"steps\":[]}]}," \
 "{\"name\":\"unpack\",\"status\":\"pending\",\"detail\":null,\"progress\":null,"         \
 "\"started_at\":null,\"ended_at\":null,\"exit\":null,\"steps\":[]}],"                    \
 "\"attempt\":1,\"created_at\":\"2026-09-21T14:13:09.000Z\","                             \
 "\"started_at\":\"2026-09-21T14:13:10.000Z\",\"ended_at\":null,"                         \
 "\"bytes\":{\"done\":18200000,\"total\":42100000,\"rate\":5300000},\"eta_s\":4,"         \
 "\"can\":{\"cancel\":\"now\",\"reason\":null,\"retry\":false},\"joined\":1,"             \
 "\"warnings\":[],\"error\":null,\"blocked_on\":null,\"receipt\":null}"

#define FAILED                                                                    \
 "{\"id\":42,\"title\":\"Copy\",\"status\":\"failed\",\"attempt\":1,"             \
 "\"outcome\":\"step fetch: exit status 22\",\"step\":{\"index\":1,\"count\":1}," \
 "\"steps\":[{\"name\":\"fetch\",\"status\":\"failed\",\"detail\":\"no route\","  \
 "\"steps\":[]}],\"started_at\":\"2026-09-21T14:13:10.000Z\","                    \
 "\"ended_at\":\"2026-09-21T14:13:13.000Z\",\"error\":{\"code\":\"step_failed\"," \
 "\"message\":\"exit status 22\",\"step\":1,\"exit_code\":22,\"signal\":null,"    \
 "\"tail\":\"one\\ntwo\\n\\u001b[2Jthree\\n\"},\"can\":{\"cancel\":\"never\","    \
 "\"retry\":true},\"warnings\":[],\"receipt\":null}"

static struct buf out;
static struct doc_copy copy;

static inline void
setup(void)
{
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	buf_init(&out, 1048576);
	doc_copy_init(&copy);
}

static inline void
teardown(void)
{
	doc_copy_fini(&copy);
	buf_fini(&out);
}

static inline const msgpack_object *
task(const char *json)
{
	struct buf bytes;
	struct mp_doc doc;

	buf_init(&bytes, 1048576);
	document_append(&bytes, json);
	ck_assert_int_eq(mp_parse(&doc, bytes.data, bytes.len, &walk_store_limits), 0);
	ck_assert_int_eq(doc_copy_set(&copy, &doc.root), 0);
	mp_free(&doc);
	buf_fini(&bytes);
	return doc_copy_get(&copy);
}

static inline const char *
text(void)
{
	buf_add(&out, "", 1);
	return (const char *)out.data;
}

static inline void
has(const char *what)
{
	ck_assert_msg(strstr((const char *)out.data, what), "no \"%s\" in:\n%s", what, out.data);
}

static inline void
has_not(const char *what)
{
	ck_assert_msg(!strstr((const char *)out.data, what), "\"%s\" in:\n%s", what, out.data);
}

#endif

#include "ipc/msg.h"

#include <string.h>

enum {
	RECEIPT_PROCS = 64, /* processes described; the rest is in the counts */
	FACT_REST = 4 * 1024
};

#define CODEC_TABLE(type_, fields_, ...)                                                     \
 {                                                                                           \
  .name = #type_, .size = sizeof(struct type_), .fields = (fields_),                         \
  .nfields = sizeof(fields_) / sizeof(fields_)[0], .limits = &walk_frame_limits, __VA_ARGS__ \
 }

/* ---- names -------------------------------------------------------------------- */

static const struct {
	const char *name;
	bool from_worker;
} fact_kinds[FACT_KIND_MAX + 1] = {
#define X(sym, num, name_, from_worker_, help) \
 [sym] = { .name = name_, .from_worker = from_worker_ },
	FACT_KINDS(X)
#undef X
};

static bool
is_fact_kind(enum fact_kind kind)
{
	return kind > 0 && kind <= FACT_KIND_MAX && fact_kinds[kind].name;
}

const char *
fact_kind_name(enum fact_kind kind)
{
	return is_fact_kind(kind) ? fact_kinds[kind].name : "invalid";
}

bool
fact_kind_is_from_worker(enum fact_kind kind)
{
	return is_fact_kind(kind) && fact_kinds[kind].from_worker;
}

enum step_msg_kind
step_msg_kind_parse(const char *name)
{
	static const struct {
		enum step_msg_kind kind;
		const char *name;
	} kinds[] = {
#define X(sym, num, name_, help) { sym, name_ },
		STEP_MSG_KINDS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].kind;
	return 0;
}

/* ---- tables: numbers are on disk and in pipes, never change, never reuse -------------- */

/* clang-format off */
static const struct codec_field exit_fields[] = {
	CODEC_FIELD(1, BOOL, struct exit_info, known,  0),
	CODEC_FIELD(2, INT,  struct exit_info, code,   0),
	CODEC_FIELD(3, INT,  struct exit_info, signal, 0),
};
const struct codec exit_codec = CODEC_TABLE(exit_info, exit_fields, .strict = false);

static const struct codec_field receipt_proc_fields[] = {
	CODEC_FIELD(1, UINT, struct receipt_proc, pid,         INT32_MAX),
	CODEC_FIELD(2, STR,  struct receipt_proc, name,        LIMIT_NAME),
	CODEC_FIELD(3, STR,  struct receipt_proc, how,         LIMIT_NAME),
	CODEC_FIELD(4, UINT, struct receipt_proc, start_ticks, 0),
};
const struct codec receipt_proc_codec =
    CODEC_TABLE(receipt_proc, receipt_proc_fields, .strict = false);

static const struct codec_field receipt_fields[] = {
	CODEC_FIELD(1,  UINT, struct receipt, signalled,   0),
	CODEC_FIELD(2,  UINT, struct receipt, killed,      0),
	CODEC_NESTED(3, LIST, struct receipt, escaped,     RECEIPT_PROCS, &receipt_proc_codec),
	CODEC_NESTED(4, LIST, struct receipt, survivors,   RECEIPT_PROCS, &receipt_proc_codec),
	CODEC_FIELD(5,  STR,  struct receipt, method,      LIMIT_NAME),
	CODEC_FIELD(6,  UINT, struct receipt, duration_ms, 0),
};
const struct codec receipt_codec = CODEC_TABLE(receipt, receipt_fields, .strict = false);

static const struct codec_field fact_fields[] = {
	CODEC_FIELD(1,   ENUM,   struct fact, kind,            FACT_KIND_MAX),
	CODEC_FIELD(2,   UINT,   struct fact, ts_ms,           0),
	CODEC_FIELD(3,   UINT,   struct fact, task,            0),
	CODEC_FIELD(4,   UINT,   struct fact, attempt,         0),
	CODEC_FIELD(5,   UINT,   struct fact, step,            LIMIT_STEPS),
	CODEC_FIELD(6,   UINT,   struct fact, sub,             0),
	CODEC_FIELD(7,   UINT,   struct fact, parent,          0),
	CODEC_FIELD(8,   UINT,   struct fact, count,           0),
	CODEC_FIELD(9,   ENUM,   struct fact, state,           STEP_STATE_MAX - 1),
	CODEC_FIELD(10,  ENUM,   struct fact, outcome,         TASK_STATE_MAX - 1),
	CODEC_NESTED(11, STRUCT, struct fact, exit,            0, &exit_codec),
	CODEC_FIELD(12,  STR,    struct fact, name,            LIMIT_NAME),
	CODEC_FIELD(13,  STR,    struct fact, text,            LIMIT_TEXT),
	CODEC_FIELD(14,  STR,    struct fact, detail,          LIMIT_TITLE),
	CODEC_FIELD(15,  STR,    struct fact, code,            LIMIT_NAME),
	CODEC_FIELD(16,  STR,    struct fact, message,         LIMIT_TEXT),
	CODEC_FIELD(17,  STR,    struct fact, tail,            LIMIT_TAIL),
	CODEC_FIELD(18,  BLOB,   struct fact, value,           LIMIT_VALUE),
	CODEC_FIELD(19,  UINT,   struct fact, rev,             0),
	CODEC_FIELD(20,  UINT,   struct fact, delay_ms,        0),
	CODEC_FIELD(21,  UINT,   struct fact, killed,          0),
	CODEC_FIELD(22,  UINT,   struct fact, want,            WANT_MAX),
	CODEC_NESTED(23, STRUCT, struct fact, receipt,         0, &receipt_codec),
	CODEC_FIELD(24,  UINT,   struct fact, pid,             INT32_MAX),
	CODEC_FIELD(25,  UINT,   struct fact, start_ticks,     0),
	CODEC_FIELD(26,  STR,    struct fact, boot_id,         LIMIT_NAME),
	CODEC_FIELD(27,  STR,    struct fact, keeper_instance, LIMIT_NAME),
	CODEC_FIELD(28,  STR,    struct fact, build,           LIMIT_NAME),
	CODEC_NESTED(29, STRUCT, struct fact, question,        0, &question_codec),
	CODEC_NESTED(30, STRUCT, struct fact, answer,          0, &answer_codec),
	CODEC_FIELD(0,   REST,   struct fact, rest,            FACT_REST),
};
const struct codec fact_codec = CODEC_TABLE(fact, fact_fields, .strict = false);

static const struct codec_field news_fields[] = {
	CODEC_FIELD(1, UINT,   struct news, step,        LIMIT_STEPS),
	CODEC_FIELD(2, DOUBLE, struct news, fraction,    0),
	CODEC_FIELD(3, DOUBLE, struct news, progress,    0),
	CODEC_FIELD(4, UINT,   struct news, bytes_done,  0),
	CODEC_FIELD(5, UINT,   struct news, bytes_total, 0),
	CODEC_FIELD(6, UINT,   struct news, rate,        0),
	CODEC_FIELD(8, STR,    struct news, label,       LIMIT_TITLE),
	CODEC_FIELD(9, UINT,   struct news, log_bytes,   0),
	CODEC_FIELD(10, ENUM,  struct news, blocked,     BLOCK_KIND_MAX - 1),
	CODEC_FIELD(11, STR,   struct news, holder,      LIMIT_TITLE),
	CODEC_FIELD(12, UINT,  struct news, blocked_since_ms, 0),
	CODEC_FIELD(13, UINT,  struct news, left_ms,     0),
};
const struct codec news_codec = CODEC_TABLE(news, news_fields, .strict = false);

static const struct codec_field order_fields[] = {
	CODEC_FIELD(1,  UINT,   struct order, rev,    0),
	CODEC_FIELD(2,  ENUM,   struct order, want,   WANT_MAX),
	CODEC_FIELD(3,  BOOL,   struct order, force,  0),
	CODEC_FIELD(4,  BOOL,   struct order, report, 0),
	CODEC_NESTED(6, STRUCT, struct order, answer, 0, &answer_codec), /* 5 was never used */
	CODEC_FIELD(7,  BOOL,   struct order, hold,   0),
};
const struct codec order_codec = CODEC_TABLE(order, order_fields, .strict = false);

static const struct codec_field step_msg_fields[] = {
	CODEC_FIELD(1,  STR,    struct step_msg, type,     LIMIT_NAME),
	CODEC_FIELD(2,  DOUBLE, struct step_msg, fraction, 0),
	CODEC_FIELD(3,  UINT,   struct step_msg, done,     0),
	CODEC_FIELD(4,  UINT,   struct step_msg, total,    0),
	CODEC_FIELD(5,  UINT,   struct step_msg, rate,     0),
	CODEC_FIELD(6,  UINT,   struct step_msg, count,    0),
	CODEC_FIELD(7,  STR,    struct step_msg, label,    LIMIT_TITLE),
	CODEC_FIELD(8,  STR,    struct step_msg, name,     LIMIT_NAME),
	CODEC_FIELD(9,  STR,    struct step_msg, detail,   LIMIT_TITLE),
	CODEC_FIELD(10, STR,    struct step_msg, text,     LIMIT_TEXT),
	CODEC_FIELD(11, BLOB,   struct step_msg, value,    LIMIT_VALUE),
	CODEC_FIELD(12, STR,    struct step_msg, on,       LIMIT_NAME),
	CODEC_FIELD(13, STR,    struct step_msg, holder,   LIMIT_TITLE),
	CODEC_NESTED(14, STRUCT, struct step_msg, question, 0, &question_named_codec),
};
const struct codec step_msg_codec = CODEC_TABLE(step_msg, step_msg_fields, .by_name = true);

static const struct codec_field step_start_fields[] = {
	CODEC_FIELD(1, UINT, struct step_start, task,       0),
	CODEC_FIELD(2, UINT, struct step_start, attempt,    0),
	{ .number = 3, .type = CODEC_UINT, .offset = offsetof(struct step_start, try_), .name = "try" },
	CODEC_FIELD(4, BLOB, struct step_start, checkpoint, LIMIT_VALUE),
};
const struct codec step_start_codec = CODEC_TABLE(step_start, step_start_fields, .by_name = true);
/* clang-format on */

bool
want_ends(enum want want)
{
	return want == WANT_CANCEL || want == WANT_SUSPEND;
}

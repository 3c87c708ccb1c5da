#include "store/record.h"

/* Kept in step with the limits of whoever fills them in; SCHEMA.md repeats the numbers. */
enum {
	MAX_PERSONS = 256,
	MAX_INTERRUPTIONS = 256
};

/*
 * A row is bounded by its bytes. Its items are not bounded further: the smallest value takes one
 * byte, so that whatever fits can also be read back.
 */
static const struct walk_limits limits = {
	.max_depth = WALK_MAX_DEPTH,
	.max_items = RECORD_MAX_BYTES,
	.max_bytes = RECORD_MAX_BYTES,
};

/* clang-format off */
#define TABLE(name_, type, fields_)                                                  \
 { .name = name_, .size = sizeof(type), .fields = fields_, .limits = &limits,       \
   .nfields = sizeof fields_ / sizeof fields_[0] }

static const struct codec_field sub_fields[] = {
	CODEC_FIELD( 1, UINT, struct record_sub, sub, 0),
	CODEC_FIELD( 2, UINT, struct record_sub, parent, 0),
	CODEC_FIELD( 3, STR,  struct record_sub, name, LIMIT_TITLE),
	CODEC_FIELD( 4, STR,  struct record_sub, detail, LIMIT_TEXT),
	CODEC_FIELD( 5, UINT, struct record_sub, count, 0),
	CODEC_FIELD( 6, ENUM, struct record_sub, state, STEP_STATE_MAX - 1),
	CODEC_FIELD( 7, UINT, struct record_sub, started_ms, 0),
	CODEC_FIELD( 8, UINT, struct record_sub, ended_ms, 0),
	CODEC_FIELD( 0, REST, struct record_sub, rest, RECORD_MAX_BYTES),
};

const struct codec record_sub_codec = TABLE("sub", struct record_sub, sub_fields);

static const struct codec_field step_fields[] = {
	CODEC_FIELD ( 1, STR,    struct record_step, name, LIMIT_NAME),
	CODEC_FIELD ( 2, ENUM,   struct record_step, state, STEP_STATE_MAX - 1),
	CODEC_FIELD ( 3, STR,    struct record_step, detail, LIMIT_TEXT),
	CODEC_FIELD ( 4, DOUBLE, struct record_step, progress, 0),
	CODEC_FIELD ( 5, UINT,   struct record_step, started_ms, 0),
	CODEC_FIELD ( 6, UINT,   struct record_step, ended_ms, 0),
	CODEC_FIELD ( 7, UINT,   struct record_step, tries, 0),
	CODEC_NESTED( 8, STRUCT, struct record_step, exit, 0, &exit_codec),
	CODEC_FIELD ( 9, PAIRS,  struct record_step, outputs, LIMIT_PAIRS),
	CODEC_FIELD (10, BLOB,   struct record_step, checkpoint, LIMIT_VALUE),
	CODEC_NESTED(11, LIST,   struct record_step, subs, LIMIT_SUBS, &record_sub_codec),
	CODEC_FIELD (12, UINT,   struct record_step, subs_dropped, 0),
	CODEC_FIELD (13, ENUM,   struct record_step, cancel, CANCEL_MODE_MAX),
	CODEC_FIELD (14, DOUBLE, struct record_step, weight, 0),
	CODEC_FIELD (15, BOOL,   struct record_step, has_undo, 0),
	CODEC_FIELD (16, BOOL,   struct record_step, leaves_running, 0),
	CODEC_FIELD (17, UINT,   struct record_step, lines,          0),
	CODEC_FIELD (18, BOOL,   struct record_step, confirms, 0),
	CODEC_NESTED(19, LIST,   struct record_step, answers, LIMIT_ANSWERS, &answer_codec),
	CODEC_FIELD (20, BOOL,   struct record_step, was_run, 0),
	CODEC_FIELD ( 0, REST,   struct record_step, rest, RECORD_MAX_BYTES),
};
const struct codec record_step_codec = TABLE("step", struct record_step, step_fields);

static const struct codec_field error_fields[] = {
	CODEC_FIELD (1, STR,    struct record_error, code, LIMIT_NAME),
	CODEC_FIELD (2, STR,    struct record_error, message, LIMIT_TEXT),
	CODEC_FIELD (3, STR,    struct record_error, tail, LIMIT_TAIL),
	CODEC_FIELD (4, UINT,   struct record_error, step, 0),
	CODEC_NESTED(5, STRUCT, struct record_error, exit, 0, &exit_codec),
	CODEC_FIELD (0, REST,   struct record_error, rest, RECORD_MAX_BYTES),
};
static const struct codec record_error_codec = TABLE("error", struct record_error, error_fields);

static const struct codec_field person_fields[] = {
	CODEC_FIELD(1, STR,  struct record_person, name, LIMIT_TITLE),
	CODEC_FIELD(2, UINT, struct record_person, uid, 0),
	CODEC_FIELD(3, UINT, struct record_person, since_ms, 0),
	CODEC_FIELD(0, REST, struct record_person, rest, RECORD_MAX_BYTES),
};
const struct codec record_person_codec = TABLE("person", struct record_person, person_fields);

static const struct codec_field interruption_fields[] = {
	CODEC_FIELD (1, UINT,   struct record_interruption, ts_ms, 0),
	CODEC_FIELD (2, UINT,   struct record_interruption, attempt, 0),
	CODEC_FIELD (3, UINT,   struct record_interruption, step, 0),
	CODEC_FIELD (4, STR,    struct record_interruption, code, LIMIT_NAME),
	CODEC_FIELD (5, STR,    struct record_interruption, message, LIMIT_TEXT),
	CODEC_NESTED(6, STRUCT, struct record_interruption, exit, 0, &exit_codec),
	CODEC_FIELD (0, REST,   struct record_interruption, rest, RECORD_MAX_BYTES),
};
const struct codec record_interruption_codec = TABLE("interruption", struct record_interruption, interruption_fields);

static const struct codec_field warning_fields[] = {
	CODEC_FIELD(1, UINT, struct record_warning, ts_ms, 0),
	CODEC_FIELD(2, UINT, struct record_warning, step, 0),
	CODEC_FIELD(3, STR,  struct record_warning, text, LIMIT_TEXT),
	CODEC_FIELD(0, REST, struct record_warning, rest, RECORD_MAX_BYTES),
};
const struct codec record_warning_codec = TABLE("warning", struct record_warning, warning_fields);

static const struct codec_field attempt_fields[] = {
	CODEC_FIELD( 1, UINT, struct record_attempt, number, 0),
	CODEC_FIELD( 2, ENUM, struct record_attempt, mode, ATTEMPT_MODE_MAX),
	CODEC_FIELD( 3, STR,  struct record_attempt, keeper_instance, LIMIT_NAME),
	CODEC_FIELD( 4, STR,  struct record_attempt, boot_id, LIMIT_NAME),
	CODEC_FIELD( 5, UINT, struct record_attempt, started_ms, 0),
	CODEC_FIELD( 6, UINT, struct record_attempt, pid, 0),
	CODEC_FIELD( 7, UINT, struct record_attempt, start_ticks, 0),
	CODEC_FIELD( 8, UINT, struct record_attempt, cursor, 0),
	CODEC_FIELD( 9, UINT, struct record_attempt, next_seq, 0),
	CODEC_FIELD(10, BOOL, struct record_attempt, ended, 0),
	CODEC_FIELD(11, BOOL, struct record_attempt, closed, 0),
	CODEC_FIELD(12, UINT, struct record_attempt, berth, 0),
	CODEC_FIELD( 0, REST, struct record_attempt, rest, RECORD_MAX_BYTES),
};
static const struct codec record_attempt_codec = TABLE("attempt", struct record_attempt, attempt_fields);

static const struct codec_field asked_fields[] = {
	CODEC_FIELD (1, UINT,   struct record_question, step, LIMIT_STEPS),
	CODEC_FIELD (2, UINT,   struct record_question, asked_ms, 0),
	CODEC_NESTED(3, STRUCT, struct record_question, it, 0, &question_codec),
	CODEC_FIELD (0, REST,   struct record_question, rest, RECORD_MAX_BYTES),
};
const struct codec record_question_codec = TABLE("record_question", struct record_question, asked_fields);

static const struct codec_field record_fields[] = {
	CODEC_FIELD ( 1, UINT,   struct record, id, 0),
	CODEC_FIELD ( 2, BLOB,   struct record, token, RECORD_TOKEN_BYTES),
	CODEC_FIELD ( 3, STR,    struct record, type, LIMIT_TITLE),
	CODEC_FIELD ( 4, STR,    struct record, title, LIMIT_TITLE),
	CODEC_FIELD ( 5, STR,    struct record, scope, LIMIT_TITLE),
	CODEC_FIELD ( 6, STR,    struct record, key, LIMIT_TITLE),
	CODEC_FIELD ( 7, STR,    struct record, dedupe_key, LIMIT_TEXT),
	CODEC_NESTED( 8, LIST,   struct record, persons, MAX_PERSONS, &record_person_codec),
	CODEC_FIELD ( 9, UINT,   struct record, owner_uid, 0),
	CODEC_FIELD (10, UINT,   struct record, owner_gid, 0),
	CODEC_FIELD (11, PAIRS,  struct record, labels, LIMIT_PAIRS),
	CODEC_FIELD (12, ENUM,   struct record, state, TASK_STATE_MAX - 1),
	CODEC_FIELD (13, ENUM,   struct record, decided_outcome, TASK_STATE_MAX - 1),
	CODEC_FIELD (14, UINT,   struct record, created_ms, 0),
	CODEC_FIELD (15, UINT,   struct record, started_ms, 0),
	CODEC_FIELD (16, UINT,   struct record, ended_ms, 0),
	CODEC_FIELD (17, UINT,   struct record, order_rev, 0),
	CODEC_FIELD (18, ENUM,   struct record, want, WANT_MAX),
	CODEC_FIELD (19, BOOL,   struct record, force, 0),
	CODEC_FIELD (20, STR,    struct record, cancelled_by, LIMIT_TITLE),
	CODEC_FIELD (21, ENUM,   struct record, on_interrupt, ON_INTERRUPT_MAX),
	CODEC_FIELD (22, STR,    struct record, cancel_note, LIMIT_TEXT),
	CODEC_FIELD (23, UINT,   struct record, step, 0),
	CODEC_NESTED(24, LIST,   struct record, steps, LIMIT_STEPS, &record_step_codec),
	CODEC_NESTED(25, STRUCT, struct record, attempt, 0, &record_attempt_codec),
	CODEC_FIELD (26, UINT,   struct record, resumes, 0),
	CODEC_FIELD (27, PAIRS,  struct record, params, LIMIT_PAIRS),
	CODEC_FIELD (28, BLOB,   struct record, result, LIMIT_VALUE),
	CODEC_NESTED(29, LIST,   struct record, warnings, LIMIT_WARNINGS, &record_warning_codec),
	CODEC_FIELD (30, UINT,   struct record, warnings_dropped, 0),
	CODEC_NESTED(31, STRUCT, struct record, error, 0, &record_error_codec),
	CODEC_NESTED(32, STRUCT, struct record, receipt, 0, &receipt_codec),
	CODEC_NESTED(33, LIST,   struct record, interruptions, MAX_INTERRUPTIONS, &record_interruption_codec),
	CODEC_FIELD (34, DOUBLE, struct record, progress, 0),
	CODEC_FIELD (35, STR,    struct record, outcome, LIMIT_TEXT),
	CODEC_FIELD (36, UINT,   struct record, log_bytes, 0),
	CODEC_FIELD (37, BOOL,   struct record, keep, 0),
	CODEC_FIELD (38, UINT,   struct record, expires_ms, 0),
	CODEC_FIELD (39, UINT,   struct record, cursor_seq, 0),
	CODEC_FIELD (40, UINT,   struct record, retry_at_ms, 0),
	CODEC_FIELD (41, UINT,   struct record, queue_order, 0),
	CODEC_FIELD (42, UINT,   struct record, keep_ms, 0),
	CODEC_FIELD (43, STRS,   struct record, secrets, LIMIT_PAIRS),
	CODEC_NESTED(44, STRUCT, struct record, question, 0, &record_question_codec),
	CODEC_FIELD ( 0, REST,   struct record, rest, RECORD_MAX_BYTES),
};

const struct codec record_codec = TABLE("record", struct record, record_fields);
/* clang-format on */

#include "ipc/spec.h"

#include <limits.h>

enum {
	/* What the kernel takes as one argument (MAX_ARG_STRLEN), without its NUL. */
	SH_MAX = 128 * 1024 - 1,
	GROUPS_BYTES = 3 + 5 * LIMIT_GROUPS
};

#define CODEC_TABLE(type_, fields_, limits_)                            \
 {                                                                      \
  .name = #type_, .size = sizeof(struct type_), .fields = (fields_),    \
  .nfields = sizeof(fields_) / sizeof(fields_)[0], .limits = &(limits_) \
 }

/* As large as the store accepts it; a brief holds one spec and what surrounds it. */
static const struct walk_limits spec_limits = { WALK_MAX_DEPTH, 65536, LIMIT_SPEC };

/* Numbers are on disk: never change, never reuse. */
/* clang-format off */
static const struct codec_field cmd_fields[] = {
	CODEC_FIELD(1, STRS, struct spec_cmd, argv, LIMIT_ARGS),
	CODEC_FIELD(2, STR,  struct spec_cmd, sh,   SH_MAX),
	CODEC_FIELD(3, UINT, struct spec_cmd, timeout_ms, 0),
};
static const struct codec cmd_codec = CODEC_TABLE(spec_cmd, cmd_fields, spec_limits);

static const struct codec_field pull_fields[] = {
	CODEC_FIELD(1, STR, struct spec_pull, url,    LIMIT_TEXT),
	CODEC_FIELD(2, STR, struct spec_pull, sha256, LIMIT_TEXT),
	CODEC_FIELD(3, STR, struct spec_pull, to,     LIMIT_TEXT),
	CODEC_FIELD(4, STR, struct spec_pull, size,   LIMIT_TEXT),
};
static const struct codec pull_codec = CODEC_TABLE(spec_pull, pull_fields, spec_limits);

static const struct codec_field progress_fields[] = {
	CODEC_FIELD(1, ENUM, struct spec_progress, kind, PROGRESS_KIND_MAX),
	CODEC_FIELD(2, STR,  struct spec_progress, file, LIMIT_TEXT),
	CODEC_FIELD(3, STR,  struct spec_progress, size, LIMIT_TEXT),
};
static const struct codec progress_codec = CODEC_TABLE(spec_progress, progress_fields, spec_limits);

static const struct codec_field step_fields[] = {
	CODEC_FIELD(1,   STR,    struct spec_step, name,           LIMIT_NAME),
	CODEC_FIELD(2,   ENUM,   struct spec_step, kind,           STEP_KIND_MAX),
	CODEC_NESTED(3,  STRUCT, struct spec_step, cmd,            0, &cmd_codec),
	CODEC_NESTED(4,  STRUCT, struct spec_step, pull,           0, &pull_codec),
	CODEC_NESTED(5,  STRUCT, struct spec_step, check,          0, &cmd_codec),
	CODEC_NESTED(6,  STRUCT, struct spec_step, undo,           0, &cmd_codec),
	CODEC_FIELD(7,   PAIRS,  struct spec_step, env,            LIMIT_PAIRS),
	CODEC_FIELD(8,   STR,    struct spec_step, cwd,            LIMIT_TEXT),
	CODEC_FIELD(9,   STRS,   struct spec_step, outputs,        LIMIT_PAIRS),
	CODEC_FIELD(10,  ENUM,   struct spec_step, cancel,         CANCEL_MODE_MAX),
	CODEC_FIELD(11,  UINT,   struct spec_step, timeout_ms,     0),
	CODEC_FIELD(12,  UINT,   struct spec_step, retry_attempts, 0),
	CODEC_FIELD(13,  UINT,   struct spec_step, retry_delay_ms, 0),
	CODEC_FIELD(14,  DOUBLE, struct spec_step, weight,         0),
	CODEC_FIELD(15,  BOOL,   struct spec_step, leave_running,  0),
	CODEC_NESTED(16, STRUCT, struct spec_step, progress,       0, &progress_codec),
	CODEC_FIELD(17,  BOOL,   struct spec_step, tty,            0),
	CODEC_NESTED(18, STRUCT, struct spec_step, verify,         0, &cmd_codec),
	CODEC_FIELD(19,  UINT,   struct spec_step, stall_after_ms, 0),
	CODEC_NESTED(20, STRUCT, struct spec_step, confirm,        0, &question_codec),
};
const struct codec spec_step_codec = CODEC_TABLE(spec_step, step_fields, spec_limits);

static const struct codec_field spec_fields[] = {
	CODEC_FIELD(1,   STR,   struct spec, type,         LIMIT_TITLE),
	CODEC_FIELD(2,   STR,   struct spec, title,        LIMIT_TITLE),
	CODEC_FIELD(3,   STR,   struct spec, description,  LIMIT_TEXT),
	CODEC_FIELD(4,   STR,   struct spec, scope,        LIMIT_TITLE),
	CODEC_FIELD(5,   STR,   struct spec, dedupe_key,   LIMIT_TEXT),
	CODEC_FIELD(6,   ENUM,  struct spec, on_interrupt, ON_INTERRUPT_MAX),
	CODEC_FIELD(7,   STR,   struct spec, cancel_note,  LIMIT_TEXT),
	CODEC_FIELD(8,   STR,   struct spec, run_as,       LIMIT_NAME),
	CODEC_FIELD(9,   PAIRS, struct spec, params,       LIMIT_PAIRS),
	CODEC_NESTED(10, LIST,  struct spec, steps,        LIMIT_STEPS, &spec_step_codec),
	CODEC_FIELD(11,  BOOL,  struct spec, has_workdir,  0),
	CODEC_FIELD(12,  UINT,  struct spec, keep_ms,      0),
	CODEC_FIELD(13,  UINT,  struct spec, stall_after_ms, 0),
	CODEC_FIELD(14,  STRS,  struct spec, secrets,      LIMIT_PAIRS),
};
const struct codec spec_codec = CODEC_TABLE(spec, spec_fields, spec_limits);

static const struct codec_field past_run_fields[] = {
	CODEC_FIELD(1, UINT, struct past_run, took_ms, 0),
	CODEC_FIELD(2, UINT, struct past_run, lines,   0),
};
const struct codec past_run_codec = CODEC_TABLE(past_run, past_run_fields, walk_store_limits);

static const struct codec_field brief_step_fields[] = {
	CODEC_FIELD(1,  ENUM,  struct brief_step, state,      STEP_STATE_MAX - 1),
	CODEC_FIELD(2,  PAIRS, struct brief_step, outputs,    LIMIT_PAIRS),
	CODEC_FIELD(3,  BLOB,  struct brief_step, checkpoint, LIMIT_VALUE),
	CODEC_FIELD(4,  UINT,  struct brief_step, lines,      0),
	CODEC_NESTED(5, LIST,  struct brief_step, runs,       LIMIT_RUNS, &past_run_codec),
	CODEC_NESTED(6, LIST,  struct brief_step, answers,    LIMIT_ANSWERS, &answer_codec),
	CODEC_FIELD(7,  BOOL,  struct brief_step, was_run,    0),
};
static const struct codec brief_step_codec =
    CODEC_TABLE(brief_step, brief_step_fields, walk_store_limits);

static const struct codec_field brief_fields[] = {
	CODEC_FIELD(1,   UINT,   struct brief, task,            0),
	CODEC_FIELD(2,   UINT,   struct brief, attempt,         0),
	CODEC_FIELD(3,   ENUM,   struct brief, mode,            ATTEMPT_MODE_MAX),
	CODEC_FIELD(4,   STR,    struct brief, keeper_instance, LIMIT_NAME),
	CODEC_FIELD(5,   STR,    struct brief, boot_id,         LIMIT_NAME),
	CODEC_FIELD(6,   UINT,   struct brief, uid,             UINT32_MAX),
	CODEC_FIELD(7,   UINT,   struct brief, gid,             UINT32_MAX),
	CODEC_FIELD(8,   BLOB,   struct brief, groups,          GROUPS_BYTES),
	CODEC_FIELD(9,   BOOL,   struct brief, change_user,     0),
	CODEC_FIELD(10,  PAIRS,  struct brief, env,             LIMIT_PAIRS),
	CODEC_FIELD(11,  UINT,   struct brief, umask,           0777),
	CODEC_FIELD(12,  STR,    struct brief, workdir,         PATH_MAX),
	CODEC_FIELD(13,  UINT,   struct brief, workdir_dev,     0),
	CODEC_FIELD(14,  UINT,   struct brief, workdir_ino,     0),
	CODEC_FIELD(15,  BOOL,   struct brief, own_workdir,     0),
	CODEC_FIELD(16,  STR,    struct brief, news_path,       PATH_MAX),
	CODEC_FIELD(17,  STR,    struct brief, orders_path,     PATH_MAX),
	CODEC_FIELD(18,  UINT,   struct brief, grace_ms,        0),
	CODEC_FIELD(19,  UINT,   struct brief, order_rev,       0),
	CODEC_NESTED(20, STRUCT, struct brief, spec,            0, &spec_codec),
	CODEC_NESTED(21, LIST,   struct brief, steps,           LIMIT_STEPS, &brief_step_codec),
	CODEC_FIELD(22,  PAIRS,  struct brief, secrets,         LIMIT_PAIRS),
};
const struct codec brief_codec = CODEC_TABLE(brief, brief_fields, walk_store_limits);
/* clang-format on */

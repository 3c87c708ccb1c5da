#include "supervisor/recipe/model.h"

#include "ipc/walk.h"

/* Recipes are never encoded: the tables serve to make, copy and free them. */
#define MODEL_TABLE(type_, fields_)                                             \
 {                                                                              \
  .name = #type_, .size = sizeof(struct type_), .fields = (fields_),            \
  .nfields = sizeof(fields_) / sizeof(fields_)[0], .limits = &walk_store_limits \
 }

/* clang-format off */
static const struct codec_field param_fields[] = {
	CODEC_FIELD(1, STR,  struct param, name,          LIMIT_NAME),
	CODEC_FIELD(2, ENUM, struct param, type,          PARAM_TYPE_MAX),
	CODEC_FIELD(3, STR,  struct param, pattern,       LIMIT_TITLE),
	CODEC_FIELD(4, STR,  struct param, default_value, LIMIT_TEXT),
	CODEC_FIELD(5, STR,  struct param, description,   LIMIT_TEXT),
	CODEC_FIELD(6, STRS, struct param, choices,       LIMIT_PAIRS),
	CODEC_FIELD(7, BOOL, struct param, required,      0),
	CODEC_FIELD(8, BOOL, struct param, secret,        0),
};
const struct codec param_codec = MODEL_TABLE(param, param_fields);

static const struct codec_field recipe_fields[] = {
	CODEC_FIELD(1,  STR,    struct recipe, name,          LIMIT_NAME),
	CODEC_NESTED(2, STRUCT, struct recipe, spec,          0, &spec_codec),
	CODEC_NESTED(3, LIST,   struct recipe, params,        LIMIT_PAIRS, &param_codec),
	CODEC_FIELD(4,  ENUM,   struct recipe, dedupe_mode,   DEDUPE_NEVER),
	CODEC_FIELD(5,  STRS,   struct recipe, dedupe_fields, LIMIT_PAIRS),
};
const struct codec recipe_codec = MODEL_TABLE(recipe, recipe_fields);
/* clang-format on */

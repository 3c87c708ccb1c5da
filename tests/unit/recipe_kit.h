/* tests/unit/recipe_kit.h - recipes in tests: texts in, a recipe, a spec or the error out. */
#ifndef TESTS_UNIT_RECIPE_KIT_H
#define TESTS_UNIT_RECIPE_KIT_H

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/recipe/recipe.h"
#include "tests/unit/suite.h"

/* One step, for recipes that are about something else. */
#define ONE_STEP "steps: [{name: one, run: [echo, x]}]\n"

/* Owned; a recipe that is no good fails the test with its error. */
static inline struct recipe *
kit_parse(const char *text)
{
	struct recipe_error error;
	struct recipe *recipe = NULL;
	int r = recipe_parse("t.yaml", text, strlen(text), &recipe, &error);

	ck_assert_msg(r == 0, "%s\n%s", error.message, text);
	return recipe;
}

/* The error that LEN bytes of TEXT are refused with. */
static inline struct recipe_error
kit_refuse_bytes(const char *text, size_t len)
{
	struct recipe_error error = { .line = 0 };
	struct recipe *recipe = NULL;
	int r = recipe_parse("t.yaml", text, len, &recipe, &error);

	ck_assert_msg(r == -EINVAL, "accepted (%d): %.2000s", r, text);
	ck_assert_ptr_null(recipe);
	return error;
}

static inline struct recipe_error
kit_refuse(const char *text)
{
	return kit_refuse_bytes(text, strlen(text));
}

/* GIVEN: names and values in turn, up to a NULL. The result is owned by the caller. */
static inline int
kit_freeze(const char *text, const char *const *given, struct spec *ret_spec,
    struct recipe_error *ret_error)
{
	struct recipe *recipe = kit_parse(text);
	struct pairs pairs = { .v = NULL }, none = { .v = NULL };
	int r;

	for (; *given; given += 2)
		ck_assert_int_eq(pairs_set(&pairs, given[0], given[1]), 0);
	r = recipe_freeze(recipe, &pairs, &none, ret_spec, ret_error);
	pairs_free(&pairs);
	recipe_free(recipe);
	return r;
}

#define NOTHING_GIVEN ((const char *const[]){ NULL })
#define GIVEN(...)    ((const char *const[]){ __VA_ARGS__, NULL })

/* A spec that must come about. */
static inline struct spec
kit_spec(const char *text, const char *const *given)
{
	struct recipe_error error = { .line = 0 };
	struct spec spec;
	int r = kit_freeze(text, given, &spec, &error);

	ck_assert_msg(r == 0, "%s\n%s", error.message, text);
	return spec;
}

/* An error that freezing must end in. */
static inline struct recipe_error
kit_refuse_given(const char *text, const char *const *given)
{
	struct recipe_error error = { .line = 0 };
	struct spec spec;
	int r = kit_freeze(text, given, &spec, &error);

	ck_assert_msg(r == -EINVAL, "accepted (%d): %s", r, text);
	return error;
}

#endif

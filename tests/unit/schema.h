/*
 * tests/unit/schema.h - as much of JSON Schema as ipc/task.schema.json uses.
 * https://json-schema.org/draft/2020-12/json-schema-validation
 */
#ifndef TESTS_UNIT_SCHEMA_H
#define TESTS_UNIT_SCHEMA_H

#include <check.h>
#include <jansson.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static json_t *schema_root;
static char schema_complaint[256]; /* the first one */

static bool schema_allows(const json_t *schema, const json_t *value, const char *where);

static bool
schema_complain(const char *where, const char *what, const char *detail)
{
	if (!schema_complaint[0])
		snprintf(
		    schema_complaint, sizeof schema_complaint, "%s: %s %s", where, what, detail);
	return false;
}

static bool
schema_is_of(const json_t *value, const char *type)
{
	if (strcmp(type, "number") == 0)
		return json_is_number(value);
	return (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
	       (strcmp(type, "string") == 0 && json_is_string(value)) ||
	       (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
	       (strcmp(type, "object") == 0 && json_is_object(value)) ||
	       (strcmp(type, "array") == 0 && json_is_array(value)) ||
	       (strcmp(type, "null") == 0 && json_is_null(value));
}

static bool
schema_type(const json_t *rule, const json_t *value)
{
	size_t i;
	json_t *one;

	if (json_is_string(rule))
		return schema_is_of(value, json_string_value(rule));
	json_array_foreach(
	    rule, i, one) if (schema_is_of(value, json_string_value(one))) return true;
	return false;
}

static bool
schema_enum(const json_t *rule, const json_t *value)
{
	size_t i;
	json_t *one;

	json_array_foreach(rule, i, one) if (json_equal(one, value)) return true;
	return false;
}

static bool
schema_pattern(const json_t *rule, const json_t *value)
{
	regex_t regex;
	bool matches;

	if (!json_is_string(value))
		return true;
	ck_assert_int_eq(regcomp(&regex, json_string_value(rule), REG_EXTENDED | REG_NOSUB), 0);
	matches = regexec(&regex, json_string_value(value), 0, NULL, 0) == 0;
	regfree(&regex);
	return matches;
}

static bool
schema_any_of(const json_t *rule, const json_t *value, const char *where)
{
	size_t i;
	json_t *one;

	json_array_foreach(rule, i, one)
	{
		char before[sizeof schema_complaint];

		memcpy(before, schema_complaint, sizeof before);
		if (schema_allows(one, value, where))
			return true;
		memcpy(schema_complaint, before, sizeof before);
	}
	return false;
}

static bool
schema_required(const json_t *rule, const json_t *value, const char *where)
{
	size_t i;
	json_t *name;

	json_array_foreach(
	    rule, i, name) if (json_is_object(value) &&
			       !json_object_get(
				   value, json_string_value(name))) return schema_complain(where,
	    "lacks", json_string_value(name));
	return true;
}

/* The members of an object: as `properties` says, or as `additionalProperties` does. */
static bool
schema_members(const json_t *schema, const json_t *value, const char *where)
{
	const json_t *known = json_object_get(schema, "properties");
	const json_t *others = json_object_get(schema, "additionalProperties");
	json_t *copy = json_is_object(value) ? json_copy((json_t *)(uintptr_t)value) : NULL;
	bool good = true;
	const char *name;
	json_t *member;

	json_object_foreach(copy, name, member)
	{
		const json_t *rule = json_object_get(known, name);
		char below[200];

		snprintf(below, sizeof below, "%.150s.%.40s", where, name);
		if (!rule && json_is_false(others))
			good = schema_complain(below, "is", "unknown");
		rule = rule ? rule : others;
		if (json_is_object(rule) && !schema_allows(rule, member, below))
			good = false;
	}
	json_decref(copy);
	return good;
}

static bool
schema_items(const json_t *rule, const json_t *value, const char *where)
{
	size_t i;
	json_t *one;

	if (!json_is_array(value))
		return true;
	json_array_foreach(value, i, one)
	{
		char below[200];

		snprintf(below, sizeof below, "%.170s[%zu]", where, i);
		if (!schema_allows(rule, one, below))
			return false;
	}
	return true;
}

static bool
schema_follow(const json_t *rule, const json_t *value, const char *where)
{
	static const char prefix[] = "#/$defs/";
	const char *target = json_string_value(rule);
	const json_t *schema;

	ck_assert_int_eq(strncmp(target, prefix, sizeof prefix - 1), 0);
	schema = json_object_get(json_object_get(schema_root, "$defs"), target + sizeof prefix - 1);
	ck_assert_ptr_nonnull(schema);
	return schema_allows(schema, value, where);
}

static bool
schema_keyword(const char *keyword, const json_t *rule, const json_t *value, const char *where)
{
	if (strcmp(keyword, "type") == 0)
		return schema_type(rule, value);
	if (strcmp(keyword, "enum") == 0)
		return schema_enum(rule, value);
	if (strcmp(keyword, "pattern") == 0)
		return schema_pattern(rule, value);
	if (strcmp(keyword, "minimum") == 0)
		return !json_is_number(value) ||
		       json_number_value(value) >= json_number_value(rule);
	if (strcmp(keyword, "maximum") == 0)
		return !json_is_number(value) ||
		       json_number_value(value) <= json_number_value(rule);
	if (strcmp(keyword, "minLength") == 0)
		return !json_is_string(value) ||
		       json_string_length(value) >= (size_t)json_integer_value(rule);
	if (strcmp(keyword, "anyOf") == 0)
		return schema_any_of(rule, value, where);
	if (strcmp(keyword, "required") == 0)
		return schema_required(rule, value, where);
	if (strcmp(keyword, "items") == 0)
		return schema_items(rule, value, where);
	if (strcmp(keyword, "$ref") == 0)
		return schema_follow(rule, value, where);
	return true;
}

/* A keyword this file does not know must not pass as obeyed. */
static bool
schema_is_known(const char *keyword)
{
	static const char *const known[] = { "type", "enum", "pattern", "minimum", "maximum",
		"minLength", "anyOf", "required", "items", "$ref", "properties",
		"additionalProperties", "description", "title", "$schema", "$id", "$defs" };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(known[i], keyword) == 0)
			return true;
	return false;
}

static bool
schema_allows(const json_t *schema, const json_t *value, const char *where)
{
	json_t *rules = json_copy((json_t *)(uintptr_t)schema), *rule;
	bool good = true;
	const char *keyword;

	json_object_foreach(rules, keyword, rule)
	{
		ck_assert_msg(schema_is_known(keyword), "keyword %s is not known here", keyword);
		if (!schema_keyword(keyword, rule, value, where))
			good = schema_complain(where, "breaks", keyword);
	}
	json_decref(rules);
	return schema_members(schema, value, where) && good;
}

/* VALUE is what the schema in the file PATH, at the root of the sources, allows. */
static inline void
schema_check(const char *path, const json_t *value)
{
	json_error_t error;

	schema_root = json_load_file(path, 0, &error);
	ck_assert_msg(schema_root, "%s: %s", path, error.text);
	schema_complaint[0] = '\0';
	ck_assert_msg(schema_allows(schema_root, value, "task"), "%s", schema_complaint);
	json_decref(schema_root);
}

#endif

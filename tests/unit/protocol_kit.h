/*
 * tests/unit/protocol_kit.h - ipc/PROTOCOL.md, read as it stands. Included by one test program
 * at a time, so it is all here.
 */
#ifndef TESTS_UNIT_PROTOCOL_KIT_H
#define TESTS_UNIT_PROTOCOL_KIT_H

#include "ipc/msg.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char document_path[] = "ipc/PROTOCOL.md";
static char *document;

static inline void
read_document(void)
{
	FILE *file = fopen(document_path, "re");
	size_t room = 0;

	ck_assert_msg(file != NULL, "run this in the project's root: no %s", document_path);
	ck_assert_int_gt(getdelim(&document, &room, '\0', file), 0);
	fclose(file);
}

static inline void
forget_document(void)
{
	free(document);
}

static const struct {
	enum step_msg_kind kind;
	const char *name, *help;
} step_msgs[] = {
#define X(sym, num, name_, help_) { sym, name_, help_ },
	STEP_MSG_KINDS(X)
#undef X
};
#define STEP_MSGS ((int)(sizeof step_msgs / sizeof step_msgs[0]))

#endif

/* store/dump.h - every row and event as lines, for a person who asks what went wrong. */
#ifndef STORE_DUMP_H
#define STORE_DUMP_H

#include "store/store.h"

#include <stdio.h>

void store_dump(FILE *out, struct store *store);

#endif

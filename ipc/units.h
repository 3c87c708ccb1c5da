/* ipc/units.h - a whole number with a unit behind it: 30s, 10GiB. */
#ifndef IPC_UNITS_H
#define IPC_UNITS_H

#include <stddef.h>
#include <stdint.h>

struct unit {
	const char *name; /* "" for a bare number */
	uint64_t size;
};

/* 0 with *ret_value, in units of size 1; -EINVAL for another unit, a sign, a fraction, too much. */
int units_parse(const char *text, const struct unit *units, size_t n, uint64_t *ret_value);

#endif

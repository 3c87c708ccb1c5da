#include "ipc/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
units_parse(const char *text, const struct unit *units, size_t n, uint64_t *ret_value)
{
	unsigned long long number;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	for (size_t i = 0; errno == 0 && i < n; i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		if (number > UINT64_MAX / units[i].size)
			return -EINVAL;
		*ret_value = number * units[i].size;
		return 0;
	}
	return -EINVAL;
}

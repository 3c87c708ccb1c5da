#include "ipc/utf8.h"

/* Length of the character that FIRST begins (0: none), and what its second byte may be. */
static size_t
begin(uint8_t first, uint8_t *ret_low, uint8_t *ret_high)
{
	*ret_low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	*ret_high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

bool
utf8_next(const uint8_t *at, size_t len, size_t *ret_len)
{
	uint8_t low, high;
	size_t whole = begin(at[0], &low, &high);

	for (size_t i = 1; i < whole; i++) {
		if (i >= len || at[i] < low || at[i] > high) {
			*ret_len = i;
			return false;
		}
		low = 0x80;
		high = 0xbf;
	}
	*ret_len = whole > 0 ? whole : 1;
	return whole > 0;
}

#include "worker/pull/backoff.h"

uint64_t
backoff_ms(unsigned failures, uint64_t base_ms, uint32_t random)
{
	uint64_t delay_ms = base_ms < BACKOFF_MAX_MS ? base_ms : BACKOFF_MAX_MS;

	for (unsigned i = 1; i < failures && delay_ms > 0 && delay_ms < BACKOFF_MAX_MS; i++)
		delay_ms *= 2;
	if (delay_ms > BACKOFF_MAX_MS)
		delay_ms = BACKOFF_MAX_MS;
	return delay_ms - delay_ms / 2 * random / UINT32_MAX;
}

/* OSC 9;4;STATE;PERCENT, as ConEmu has it and terminals followed: 1 normal, 2 failed, 4 paused;
 * 0 (away with it) and 3 (unknown) say nothing. */
#include "worker/readers/readers.h"

#include <math.h>

double
read_osc(const char *text, size_t len)
{
	struct scan scan = { text, len, 0 };
	double state, percent;

	if (!scan_word(&scan, "9;4;") || !scan_digits(&scan, &state) || !scan_word(&scan, ";") ||
	    !scan_digits(&scan, &percent) || scan.at < scan.len)
		return NAN;
	if ((state != 1 && state != 2 && state != 4) || percent > 100)
		return NAN;
	return percent / 100;
}

/* ffmpeg: how much time of its longest input is written, from the line it redraws and from what
 * -progress writes (print_report in ffmpeg.c). */
#include "worker/readers/readers.h"

#include <math.h>

static bool
take_time(struct scan scan, double *ret)
{
	if (scan_word(&scan, "out_time=")) {
		*ret = scan_clock(&scan);
		return true;
	}
	if (!scan_word(&scan, "frame=") && !scan_word(&scan, "size="))
		return false;
	if (!scan_find(&scan, " time="))
		return false;
	*ret = scan_clock(&scan);
	return true;
}

bool
read_ffmpeg(struct read_state *state, const struct read_line *line, double *ret_fraction)
{
	struct ffmpeg_state *ffmpeg = &state->ffmpeg;
	struct scan scan = { line->text, line->len, 0 };
	double time_s;

	if (take_time(scan, &time_s)) {
		if (ffmpeg->duration_s > 0 && !isnan(time_s))
			*ret_fraction =
			    time_s < ffmpeg->duration_s ? time_s / ffmpeg->duration_s : 1;
		return true;
	}
	scan_spaces(&scan);
	if (scan.at == 0 || !scan_word(&scan, "Duration: "))
		return false;
	time_s = scan_clock(&scan);
	if (time_s > ffmpeg->duration_s)
		ffmpeg->duration_s = time_s;
	return scan_word(&scan, ", ") || scan_word(&scan, "N/A, ");
}

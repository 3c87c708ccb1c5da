#include "worker/pull/report.h"

#include "ipc/buf.h"
#include "ipc/clock.h"
#include "ipc/task.h"
#include "worker/step.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	DRAW_EVERY_MS = 100,
	SAMPLE_EVERY_MS = 250,
	RATE_MEMORY_S = 4,
	LINE_BYTES = 512
};

double
report_smooth(double before, double bytes, double window_s)
{
	double weight = window_s / (window_s + RATE_MEMORY_S);

	return before + weight * (bytes / window_s - before);
}

char *
report_format_bytes(uint64_t bytes, char text[static REPORT_BYTES_TEXT])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	size_t unit = 0;

	/* 999.95 would be printed as 1000.0 */
	while (value >= (unit ? 999.95 : 1000)) {
		value /= 1000;
		unit++;
	}
	snprintf(text, REPORT_BYTES_TEXT, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

/* ---- the line at a terminal ----------------------------------------------------------- */

static unsigned
terminal_width(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void add(char line[static LINE_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(char line[static LINE_BYTES], const char *format, ...)
{
	size_t len = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + len, LINE_BYTES - len, format, args);
	va_end(args);
}

static unsigned
percent(const struct report *report)
{
	return (unsigned)(100 * ((double)report->done / (double)report->total));
}

static void
compose(const struct report *report, char line[static LINE_BYTES])
{
	char done[REPORT_BYTES_TEXT], total[REPORT_BYTES_TEXT], left[CLOCK_TEXT];

	report_format_bytes(report->done, done);
	report_format_bytes(report->total, total);
	line[0] = '\0';
	add(line, "%s  ", report->label);
	if (report->total)
		add(line, "%3u %%  %s of %s", percent(report), done, total);
	else
		add(line, "%s", done);
	if (!report->is_transfer || !report->has_rate)
		return;
	add(line, "  %s/s", report_format_bytes((uint64_t)report->rate, done));
	if (report->total > report->done && report->rate >= 1)
		add(line, "  %s left",
		    clock_format_duration(
			(uint64_t)((double)(report->total - report->done) / report->rate) * 1000,
			left));
}

static void
draw(struct report *report)
{
	char line[LINE_BYTES];
	unsigned width = terminal_width();

	compose(report, line);
	if (width <= sizeof line)
		line[width - 1] = '\0';
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
	report->line_is_open = true;
}

static void
close_line(struct report *report)
{
	if (report->line_is_open)
		fputs("\r\033[K", stderr);
	report->line_is_open = false;
}

/* ---- what happens --------------------------------------------------------------------- */

void
report_init(struct report *report)
{
	const char *term = getenv("TERM");

	*report = (struct report){ 0 };
	report->draws = !step_is_supervised() && isatty(STDERR_FILENO) && term && *term &&
			strcmp(term, "dumb") != 0;
}

void
report_fini(struct report *report)
{
	close_line(report);
	fflush(stderr);
}

static void
sample_rate(struct report *report, uint64_t now_ns)
{
	double window_s = (double)(now_ns - report->sampled_ns) / 1e9;
	double bytes = (double)(report->done - report->sampled_done);

	if (window_s * 1000 < SAMPLE_EVERY_MS)
		return;
	report->rate =
	    report->has_rate ? report_smooth(report->rate, bytes, window_s) : bytes / window_s;
	report->has_rate = true;
	report->sampled_ns = now_ns;
	report->sampled_done = report->done;
}

static void
tell(struct report *report)
{
	uint64_t now_ns = clock_boot_ns();

	if (report->is_transfer) {
		sample_rate(report, now_ns);
		(void)step_bytes(report->done, report->total, (uint64_t)report->rate);
	}
	if (report->draws && now_ns / 1000000 - report->drawn_ms >= DRAW_EVERY_MS) {
		report->drawn_ms = now_ns / 1000000;
		draw(report);
	}
}

void
report_begin(
    struct report *report, bool is_transfer, uint64_t done, uint64_t total, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(report->label, sizeof report->label, format, args);
	va_end(args);
	report->is_transfer = is_transfer;
	report->done = done;
	report->total = total;
	report->has_rate = false;
	report->rate = 0;
	report->sampled_ns = clock_boot_ns();
	report->sampled_done = done;
	(void)step_label(report->label);
	tell(report);
}

void
report_bytes(struct report *report, uint64_t done)
{
	if (done != report->done)
		report->waiting[0] = '\0';
	report->done = done;
	tell(report);
}

void
report_wait(struct report *report, const char *on, const char *format, ...)
{
	char text[sizeof report->waiting];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (strcmp(text, report->waiting) == 0)
		return;
	memcpy(report->waiting, text, sizeof text);
	(void)step_waiting(on, text);
}

void
report_move(struct report *report)
{
	report->waiting[0] = '\0';
	(void)step_waiting(NULL, NULL);
}

void
report_note(struct report *report, const char *format, ...)
{
	char text[1200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	close_line(report);
	fprintf(stderr, "reeve-pull: %s\n", text);
	fflush(stderr);
	(void)step_label(text);
}

void
report_checkpoint(const char *validator, uint64_t bytes)
{
	msgpack_packer packer;
	struct buf out;

	buf_init(&out, LIMIT_VALUE);
	buf_packer(&out, &packer);
	msgpack_pack_map(&packer, 2);
	pack_kv_str(&packer, "etag", validator);
	pack_kv_uint(&packer, "bytes", bytes);
	if (buf_error(&out) == 0)
		(void)step_checkpoint(out.data, out.len);
	buf_fini(&out);
}

void
report_result(struct report *report, const struct report_result *result)
{
	char *whole_path = realpath(result->path, NULL); /* whoever reads it stands elsewhere */
	char size[REPORT_BYTES_TEXT];
	msgpack_packer packer;
	struct buf out;

	report_note(report, "%s: %s (%s)", result->path,
	    result->was_there ? "already there" : "complete",
	    report_format_bytes(result->bytes, size));
	buf_init(&out, LIMIT_VALUE);
	buf_packer(&out, &packer);
	msgpack_pack_map(&packer, 5);
	pack_kv_str(&packer, "path", whole_path ? whole_path : result->path);
	pack_kv_uint(&packer, "bytes", result->bytes);
	pack_kv_str(&packer, "sha256", result->sha256);
	pack_kv_uint(&packer, "resumed_at", result->resumed_at);
	pack_kv_bool(&packer, "was_there", result->was_there);
	if (buf_error(&out) == 0)
		(void)step_result(out.data, out.len);
	buf_fini(&out);
	free(whole_path);
}

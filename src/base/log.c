#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/recent.h"
#include "base/text.h"

/* A pipe takes so much in one piece (PIPE_BUF is 4096), or says that it is not ready. */
#define LINE_MAX_BYTES 2048
#define END_MAX 4

static enum log_level max_level = LOG_INFO;
static enum log_format log_as = LOG_TEXT;
static struct recent *kept; /* NULL: lines are not kept */
static atomic_uint lost;    /* lines since the last one that was written */

void log_init(enum log_level level, enum log_format format)
{
	max_level = level;
	log_as = format;
}

void log_keep(struct recent *r)
{
	kept = r;
}

bool log_on(enum log_level level)
{
	return level <= max_level;
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	return names[level];
}

/* What is said, with all bytes that would end the line or move the cursor made visible; what is too long
 * is cut, and never inside of an escape. */
static void add_message(struct text *line, enum log_format as, struct bytes said)
{
	if (as == LOG_JSON) {
		text_add_json(line, said);
		return;
	}
	for (size_t i = 0; i < said.n; i++) {
		unsigned char c = (unsigned char)said.p[i];

		if (c < 0x20 || c == 0x7f) {
			text_addf(line, "\\x%02x", c);
		} else {
			text_add_char(line, (char)c);
		}
	}
}

static void compose(struct text *line, enum log_format as, enum log_level level, const char *room,
	struct bytes said)
{
	char when[CLOCK_ISO_LEN];
	bool json = as == LOG_JSON;

	clock_format_iso(when, clock_wall_ms());
	if (json) {
		text_add_str(line, "{\"time\":\"");
	}
	text_add(line, when, sizeof(when));
	text_addf(line, json ? "\",\"level\":\"%s\",\"room\":\"%s\",\"message\":\"" : " %-5s %s: ",
		level_name(level), room);
	add_message(line, as, said);
	line->full = false;
	line->max = line->cap = line->cap + END_MAX;
	text_add_str(line, json ? "\"}\n" : "\n");
}

/* One write per line: lines of several threads never mix. stderr may be a pipe that is closed or that
 * nobody reads: a worker must not wait for it. A pipe that is ready takes a line of this length whole. */
static bool write_line(enum log_level level, const char *room, struct bytes said)
{
	char storage[LINE_MAX_BYTES];
	struct pollfd to = {.fd = STDERR_FILENO, .events = POLLOUT};
	struct text line;

	if (poll(&to, 1, 0) == 0) {
		return false;
	}
	text_init_fixed(&line, storage, sizeof(storage) - END_MAX);
	compose(&line, log_as, level, room, said);
	IGNORE(write(STDERR_FILENO, line.p, line.n));
	return true;
}

static void keep_line(enum log_level level, const char *room, struct bytes said)
{
	char storage[RECENT_LINE_MAX];
	struct text line;

	text_init_fixed(&line, storage, sizeof(storage) - END_MAX);
	compose(&line, LOG_JSON, level, room, said);
	recent_put(kept, bytes_of(line.p, line.n - 1)); /* without the line end */
}

static void say_lost(void)
{
	char message[64];
	unsigned n = atomic_exchange(&lost, 0);
	int len = snprintf(message, sizeof(message), "%u lines before this one found no reader", n);

	if (n != 0 && !write_line(LOG_WARN, "log", bytes_of(message, (size_t)len))) {
		atomic_fetch_add(&lost, n);
	}
}

void log_line(enum log_level level, const char *room, const char *fmt, ...)
{
	char message[LINE_MAX_BYTES / 2];
	struct bytes said;
	va_list ap;
	int n;

	if (!log_on(level)) {
		return;
	}
	va_start(ap, fmt);
	n = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	ASSERT(n >= 0);
	if (atomic_load_explicit(&lost, memory_order_relaxed) != 0) {
		say_lost();
	}
	said = bytes_of(message, MIN((size_t)n, sizeof(message) - 1));
	if (kept != NULL) {
		keep_line(level, room, said);
	}
	if (!write_line(level, room, said)) {
		atomic_fetch_add(&lost, 1);
	}
}

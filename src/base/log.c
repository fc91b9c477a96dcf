#include "base/log.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define LINE_MAX_BYTES 2048

static enum log_level max_level = LOG_INFO;
static enum log_format log_as = LOG_TEXT;

void log_init(enum log_level level, enum log_format format)
{
	max_level = level;
	log_as = format;
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

/* One write per line: lines of several threads never mix. */
void log_line(enum log_level level, const char *room, const char *fmt, ...)
{
	char storage[LINE_MAX_BYTES];
	char message[LINE_MAX_BYTES / 2];
	char when[CLOCK_ISO_LEN];
	struct text line;
	struct text said;
	va_list ap;

	if (!log_on(level)) {
		return;
	}
	text_init_fixed(&said, message, sizeof(message));
	va_start(ap, fmt);
	text_addv(&said, fmt, ap);
	va_end(ap);
	text_init_fixed(&line, storage, sizeof(storage) - 4);
	clock_format_iso(when, clock_wall_ms());
	if (log_as == LOG_JSON) {
		text_add_str(&line, "{\"time\":\"");
		text_add(&line, when, sizeof(when));
		text_addf(&line, "\",\"level\":\"%s\",\"room\":\"%s\",\"message\":\"",
			level_name(level), room);
		text_add_json(&line, text_bytes(&said));
		line.full = false;
		line.max = line.cap = sizeof(storage);
		text_add_str(&line, "\"}\n");
	} else {
		text_add(&line, when, sizeof(when));
		text_addf(&line, " %-5s %s: ", level_name(level), room);
		text_add_bytes(&line, text_bytes(&said));
		line.full = false;
		line.max = line.cap = sizeof(storage);
		text_add_char(&line, '\n');
	}
	/* stderr may be a closed pipe; there is nobody left to tell. */
	IGNORE(write(STDERR_FILENO, line.p, line.n));
}

/*
 * Lines for operators on stderr: state changes, never request content, never a secret. A line names
 * the object and the remedy.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* Before threads start. Default: info, text. */
void log_init(enum log_level level, enum log_format format);
/* Before threads start: lines are also kept there, each as an object {"time", "level", "room", "message"}. NULL: not
 * any more. */
struct recent;
void log_keep(struct recent *r);
bool log_on(enum log_level level);
/* One line; the format makes a sentence, without newline; above some 1,000 bytes it is cut. Never waits: what
 * stderr does not take is dropped, and counted in the next line that it does. room is "store", "net", … */
COLD void log_line(enum log_level level, const char *room, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_error(room, ...) log_line(LOG_ERROR, room, __VA_ARGS__)
#define log_warn(room, ...) log_line(LOG_WARN, room, __VA_ARGS__)
#define log_info(room, ...) log_line(LOG_INFO, room, __VA_ARGS__)
#define log_debug(room, ...)                                    \
	do {                                                    \
		if (log_on(LOG_DEBUG))                          \
			log_line(LOG_DEBUG, room, __VA_ARGS__); \
	} while (0)

#endif

/*
 * The input: a configuration file, then NUL before each word of the command line. What is refused is
 * refused with one sentence; what is accepted is printed so that reading the print gives the same.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/settings.h"

#define WORDS_MAX 8
#define INPUT_MAX 20000u

/* A regular file that stands nowhere. */
static int make_file(struct bytes content, char name[32])
{
	int fd = memfd_create("settings", MFD_CLOEXEC);

	ASSERT(fd >= 0 && write(fd, content.p, content.n) == (ssize_t)content.n);
	snprintf(name, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* argv of at most WORDS_MAX words of rest behind "serve --config NAME". */
static int parse(const char *config, struct bytes rest, struct settings *out, char **said)
{
	char *argv[WORDS_MAX + 3] = {
		must_strdup("serve"), must_strdup("--config"), must_strdup(config)};
	int argc = 3;
	size_t size;
	FILE *err = open_memstream(said, &size);
	int rc;

	while (rest.p != NULL && argc < WORDS_MAX + 3) {
		struct bytes word = bytes_cut(&rest, '\0');

		/* Another file is another input. */
		if (!bytes_starts(word, BYTES("--config"))) {
			argv[argc] = must_alloc(word.n + 1);
			memcpy(argv[argc++], word.p, word.n);
		}
	}
	rc = settings_parse(argc, argv, out, err);
	fclose(err);
	while (argc > 0) {
		free(argv[--argc]);
	}
	return rc;
}

static char *print(const struct settings *s)
{
	char *printed;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	settings_print(s, out);
	fclose(out);
	return printed;
}

/* Lines without what stands behind #: where a value comes from differs. */
static void drop_comments(char *text)
{
	char *to = text;

	for (const char *at = text; *at != '\0';) {
		const char *end = strchr(at, '\n');
		const char *hash = strstr(at, " # ");

		for (const char *p = at; p < (hash != NULL && hash < end ? hash : end); p++) {
			*to++ = *p;
		}
		*to++ = '\n';
		at = end + 1;
	}
	*to = '\0';
}

static bool is_plain(const char *s)
{
	for (; s != NULL && *s != '\0'; s++) {
		if (*s < ' ' || *s > '~' || *s == '#') {
			return false;
		}
	}
	return true;
}

/* File names may be any bytes, which a YAML file cannot hold. */
static bool can_be_printed(const struct settings *s)
{
	return is_plain(s->data) && is_plain(s->resources) && is_plain(s->state) &&
		is_plain(s->access_log) && is_plain(s->ready_file) && is_plain(s->upstream_ca);
}

static void check_print(const struct settings *s)
{
	char *printed = print(s);
	struct settings again;
	char name[32], *said, *second;
	int fd = make_file(bytes_str(printed), name);

	if (parse(name, bytes_of(NULL, 0), &again, &said) != 0) {
		fprintf(stderr, "%s%s", printed, said);
		ASSERT(false);
	}
	second = print(&again);
	drop_comments(printed);
	drop_comments(second);
	ASSERT(strcmp(printed, second) == 0);
	settings_done(&again);
	close(fd);
	free(said);
	free(printed);
	free(second);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Variables of the one who fuzzes are no input. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	extern char **environ;

	(void)argc;
	(void)argv;
	for (char **e = environ; *e != NULL;) {
		char *name = strndup(*e, strcspn(*e, "="));

		e++;
		if (strncmp(name, "SLUICE_", 7) == 0) {
			unsetenv(name);
			e = environ;
		}
		free(name);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of((const char *)data, size);
	struct bytes file = bytes_cut(&rest, '\0');
	struct settings s;
	char name[32], *said;
	int fd;

	if (size > INPUT_MAX) {
		return 0;
	}
	fd = make_file(file, name);
	if (parse(name, rest, &s, &said) == 0) {
		ASSERT(said[0] == '\0' && s.workers != 0 && s.memory_max != 0);
		if (can_be_printed(&s)) {
			check_print(&s);
		}
		settings_done(&s);
	} else {
		const char *end = strchr(said, '\n');

		ASSERT(strncmp(said, "sluice serve: ", 14) == 0);
		ASSERT(end != NULL && end[1] == '\0');
	}
	close(fd);
	free(said);
	return 0;
}

/* The table of sockets says an inode; the process that has it is found by what its descriptors are links to. */
#define _GNU_SOURCE
#include "net/port_holder.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"

/* Accident: a machine with a hundred thousand connections. */
#define TABLE_MAX ((size_t)16 << 20)
#define PATH_MAX_HERE 320u
#define LISTENS BYTES("0A")

/* --- the table ------------------------------------------------------------------------------------------ */

static struct bytes next_word(struct bytes *rest)
{
	struct bytes word;

	while (rest->n > 0 && rest->p[0] == ' ') {
		*rest = bytes_of(rest->p + 1, rest->n - 1);
	}
	word = bytes_cut(rest, ' ');
	return word;
}

/* "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 1 …": 0: it is another one. */
static uint64_t inode_of(struct bytes line, uint16_t port)
{
	struct bytes local, state, word = BYTES("");
	uint64_t at = 0, inode = 0;

	next_word(&line);
	local = next_word(&line);
	next_word(&line);
	state = next_word(&line);
	bytes_cut(&local, ':');
	if (!num_parse_hex(local, UINT16_MAX, &at) || at != port || !bytes_eq(state, LISTENS)) {
		return 0;
	}
	for (unsigned i = 0; i < 6; i++) {
		word = next_word(&line);
	}
	return num_parse_u64(word, UINT64_MAX, &inode) ? inode : 0;
}

uint64_t port_holder_inode(struct bytes table, uint16_t port)
{
	uint64_t inode = 0;

	while (table.n > 0 && inode == 0) {
		inode = inode_of(bytes_cut(&table, '\n'), port);
	}
	return inode;
}

static uint64_t look_up(const char *path, uint16_t port)
{
	uint64_t inode = 0;
	struct text t;

	text_init(&t, TABLE_MAX);
	if (file_read(path, TABLE_MAX, &t, NULL, NULL) == 0) {
		inode = port_holder_inode(text_bytes(&t), port);
	}
	text_done(&t);
	return inode;
}

/* --- the process ---------------------------------------------------------------------------------------- */

struct search {
	char socket[40]; /* "socket:[12345]" */
	char dir[PATH_MAX_HERE];
	const char *pid;
	struct text *out;
	bool found;
};

static bool on_descriptor(void *arg, const char *name)
{
	struct search *s = arg;
	char path[PATH_MAX_HERE], to[sizeof(s->socket) + 1];
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/%s", s->dir, name) >= (int)sizeof(path)) {
		return true;
	}
	n = readlink(path, to, sizeof(to));
	s->found = n > 0 && bytes_eq(bytes_of(to, (size_t)n), bytes_str(s->socket));
	return !s->found;
}

static void say(struct search *s)
{
	char path[PATH_MAX_HERE];
	struct text name;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", s->pid);
	text_init(&name, 256);
	if (file_read(path, 255, &name, NULL, NULL) != 0) {
		text_add_str(&name, "a program");
	}
	text_addf(s->out, BYTES_FMT " (process %.20s)", BYTES_ARG(bytes_trim(text_bytes(&name))),
		s->pid);
	text_done(&name);
}

static bool on_process(void *arg, const char *name)
{
	struct search *s = arg;

	if (!ascii_digit(name[0])) {
		return true;
	}
	snprintf(s->dir, sizeof(s->dir), "/proc/%.20s/fd", name);
	IGNORE(file_list(s->dir, on_descriptor, s, NULL)); /* somebody else's, or gone */
	if (s->found) {
		s->pid = name;
		say(s);
	}
	return !s->found;
}

bool port_holder(uint16_t port, struct text *out)
{
	struct search s = {.out = out};
	uint64_t inode = look_up("/proc/net/tcp", port);

	inode = inode != 0 ? inode : look_up("/proc/net/tcp6", port);
	if (inode == 0) {
		return false;
	}
	snprintf(s.socket, sizeof(s.socket), "socket:[%llu]", (unsigned long long)inode);
	IGNORE(file_list("/proc", on_process, &s, NULL));
	return s.found;
}

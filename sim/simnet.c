#include "sim/simnet_int.h"

#include <stdlib.h>

#include "sim/world.h"

/* What Linux gives a connection on loopback, about. */
#define WINDOW_DEFAULT 2500000u
#define FIRST_PORT 40000u

const struct far_habits far_habits_plain = {
	.piece = PIECE_ALL, .read_max = PIECE_ALL, .reads = SIZE_MAX, .window = WINDOW_DEFAULT};

struct simnet *simnet_new(void)
{
	struct simnet *n = must_alloc(sizeof(*n));

	n->left = UINT32_MAX;
	n->next_port = FIRST_PORT;
	n->end = &n->first;
	return n;
}

static void near_free(struct near *c)
{
	pipe_done(&c->far.got);
	pipe_done(&c->flight);
	pipe_done(&c->inbox);
	pipe_done(&c->outbox);
	free(c);
}

void simnet_free(struct simnet *n)
{
	while (n->first != NULL) {
		struct far *f = n->first;

		n->first = f->next;
		near_free(f->near);
	}
	for (unsigned i = 0; i < n->n_fds; i++) {
		/* What a failed scenario left open still has its registrations. */
		while (!list_empty(&n->fds[i]->regs)) {
			struct reg *r = CONTAINER_OF(n->fds[i]->regs.next, struct reg, of_fd);

			list_remove(&r->of_fd);
			list_remove(&r->of_epoll);
			list_remove(&r->ready);
			free(r);
		}
	}
	for (unsigned i = 0; i < n->n_fds; i++) {
		free(n->fds[i]);
	}
	free(n->fds);
	free(n);
}

/* --- addresses and connections ------------------------------------------------------------------ */

bool same_addr(const struct sys_addr *a, const struct sys_addr *b)
{
	return a->len == b->len && memcmp(&a->u, &b->u, a->len) == 0;
}

struct address *address_of(struct simnet *n, const struct sys_addr *a)
{
	for (unsigned i = 0; i < n->n_addresses; i++) {
		if (same_addr(&n->addresses[i].addr, a)) {
			return &n->addresses[i];
		}
	}
	ASSERT(n->n_addresses < ADDRESSES_MAX);
	n->addresses[n->n_addresses] =
		(struct address){.addr = *a, .mode = ADDR_REFUSES, .habits = far_habits_plain};
	return &n->addresses[n->n_addresses++];
}

void simnet_address(struct simnet *n, const struct sys_addr *a, enum addr_mode mode)
{
	address_of(n, a)->mode = mode;
}

void simnet_address_habits(
	struct simnet *n, const struct sys_addr *a, const struct far_habits *habits)
{
	address_of(n, a)->habits = *habits;
}

struct near *near_new(struct simnet *n, const struct sys_addr *a, const struct far_habits *h)
{
	struct near *c = must_alloc(sizeof(*c));

	if (h == NULL) {
		h = &far_habits_plain;
	}
	c->far.near = c;
	c->far.address = *a;
	c->far.piece = h->piece;
	c->far.read_max = h->read_max;
	c->far.reads = h->reads;
	c->far.window = h->window;
	list_init(&c->waiting);
	*n->end = &c->far;
	n->end = &c->far.next;
	return c;
}

struct far *simnet_connection(struct simnet *n, const struct sys_addr *a, unsigned index)
{
	for (struct far *f = n->first; f != NULL; f = f->next) {
		if (f->by_product && same_addr(&f->address, a) && index-- == 0) {
			return f;
		}
	}
	return NULL;
}

struct far *simnet_first(struct simnet *n)
{
	return n->first;
}

struct far *simnet_connect(struct simnet *n, const struct sys_addr *a, const struct far_habits *h)
{
	for (unsigned i = 0; i < n->n_fds; i++) {
		struct fdesc *l = n->fds[i];
		struct near *c;

		if (!l->open || l->kind != FD_LISTENER || !same_addr(&l->bound, a)) {
			continue;
		}
		c = near_new(n, a, h);
		c->far.answered = true;
		IGNORE(sys_addr_parse(&c->peer, "192.0.2.1", 9, n->next_port++)); /* a literal */
		list_append(&l->backlog, &c->waiting);
		n->events++;
		return &c->far;
	}
	return NULL;
}

void simnet_answer_late(struct simnet *n, const struct sys_addr *a)
{
	simnet_address(n, a, ADDR_ACCEPTS);
	for (struct far *f = n->first; f != NULL; f = f->next) {
		if (f->by_product && !f->answered && f->near->fd != NULL &&
			same_addr(&f->address, a)) {
			f->answered = true;
			fd_edge(n, f->near->fd);
		}
	}
}

/* --- what a peer does --------------------------------------------------------------------------- */

void far_send(struct far *f, struct bytes b)
{
	ASSERT(!f->closed && !f->near->fin_after && !f->near->rst_after);
	pipe_add(&f->near->flight, b);
}

void far_finish(struct far *f)
{
	f->finished = true;
	f->near->fin_after = true;
}

void far_close(struct far *f)
{
	f->near->fin_after = true;
	f->closed = true;
	/* What it leaves unread makes its close a reset, as for any socket. */
	if (pipe_n(&f->near->outbox) != 0) {
		f->near->rst_after = true;
	}
}

void far_reset(struct far *f)
{
	f->near->rst_after = true;
	f->closed = true;
}

void far_reset_now(struct far *f)
{
	pipe_drop(&f->near->flight, pipe_n(&f->near->flight));
	far_reset(f);
}

size_t far_unread(const struct far *f)
{
	return pipe_n(&f->near->outbox);
}

size_t far_untaken(const struct far *f)
{
	return pipe_n(&f->near->flight) + pipe_n(&f->near->inbox);
}

/* --- one thing happens -------------------------------------------------------------------------- */

static size_t piece_of(size_t piece, size_t have)
{
	if (piece == PIECE_ALL || piece == 0) {
		return have;
	}
	if (piece == PIECE_RANDOM) {
		/* Small ones and whole ones are both worth having. */
		return world_chance(4) == 0 ? have : 1 + world_chance(MIN(have, (size_t)4096));
	}
	return MIN(piece, have);
}

static bool can_arrive(const struct near *c)
{
	return c->far.answered && !c->rst && !c->closed &&
		(pipe_n(&c->flight) != 0 || (c->fin_after && !c->fin) || c->rst_after);
}

static void arrive_reset(struct near *c)
{
	c->rst = true;
	c->err = c->fin ? ERR_CLOSED : ERR_RESET; /* EPIPE behind a FIN, as in tcp_reset */
	pipe_drop(&c->outbox, pipe_n(&c->outbox));
}

static void arrive(struct simnet *n, struct near *c)
{
	if (pipe_n(&c->flight) != 0) {
		pipe_move(&c->inbox, &c->flight, piece_of(c->far.piece, pipe_n(&c->flight)));
	} else if (c->rst_after && (c->fin || !c->fin_after)) {
		arrive_reset(c);
	} else if (c->fin_after && !c->fin) {
		c->fin = true;
	}
	fd_edge(n, c->fd);
}

static bool can_read(const struct near *c)
{
	return !c->far.closed && c->far.reads != 0 && pipe_n(&c->outbox) != 0 && !c->rst;
}

static void do_read(struct simnet *n, struct near *c)
{
	struct far *f = &c->far;
	size_t part = MIN(piece_of(f->read_max, pipe_n(&c->outbox)), f->reads);

	pipe_move(&f->got, &c->outbox, part);
	f->reads -= f->reads == SIZE_MAX ? 0 : part;
	n->events++;
	/* The kernel wakes a writer when about a third of the buffer is free. */
	if (c->no_space && pipe_n(&c->outbox) <= f->window - (f->window + 2) / 3) {
		c->no_space = false;
		fd_edge(n, c->fd);
	}
}

/* The peer learns of the product's end after it has read what came before. */
static bool can_learn_end(const struct near *c)
{
	if (c->far.end == FAR_RESET) {
		return false;
	}
	if (c->closed && (c->closed_reset || pipe_n(&c->flight) != 0)) {
		return c->far.reads == 0 || pipe_n(&c->outbox) == 0 || c->far.closed;
	}
	return c->far.end == FAR_OPEN && (c->closed || c->shut) && pipe_n(&c->outbox) == 0;
}

static void learn_end(struct simnet *n, struct near *c)
{
	bool reset = c->closed && (c->closed_reset || pipe_n(&c->flight) != 0);

	c->far.end = reset ? FAR_RESET : FAR_FIN;
	if (reset) {
		pipe_drop(&c->outbox, pipe_n(&c->outbox));
		pipe_drop(&c->flight, pipe_n(&c->flight));
	}
	n->events++;
}

/* Data that reaches a closed peer is answered by a reset. */
static bool is_refused(const struct near *c)
{
	return c->far.closed && c->fin && !c->rst_after && !c->closed && pipe_n(&c->outbox) != 0;
}

static void do_step(struct simnet *n, struct near *c)
{
	bool choices[4] = {can_arrive(c), can_read(c), can_learn_end(c), is_refused(c)};
	unsigned k = (unsigned)world_chance(4);

	while (!choices[k]) {
		k = (k + 1) % 4;
	}
	switch (k) {
	case 0:
		arrive(n, c);
		break;
	case 1:
		do_read(n, c);
		break;
	case 2:
		learn_end(n, c);
		break;
	default:
		c->rst_after = true;
		break;
	}
}

static bool can_step(const struct near *c)
{
	return can_arrive(c) || can_read(c) || can_learn_end(c) || is_refused(c);
}

bool simnet_step(struct simnet *n)
{
	struct far *chosen = NULL;
	unsigned seen = 0;

	for (struct far *f = n->first; f != NULL; f = f->next) {
		if (can_step(f->near) && world_chance(++seen) == 0) {
			chosen = f;
		}
	}
	if (chosen == NULL) {
		return false;
	}
	do_step(n, chosen->near);
	return true;
}

/* --- what the player asks ----------------------------------------------------------------------- */

bool simnet_asleep(const struct simnet *n, uint64_t *until_ns)
{
	bool asleep = true;

	*until_ns = UINT64_MAX;
	for (unsigned i = 0; i < n->n_fds; i++) {
		const struct fdesc *e = n->fds[i];

		if (e->open && e->kind == FD_EPOLL) {
			asleep = asleep && e->sleeps;
			*until_ns = MIN(*until_ns, e->until_ns);
		}
	}
	return asleep;
}

uint64_t simnet_events(const struct simnet *n)
{
	return n->events;
}

unsigned simnet_open_descriptors(const struct simnet *n)
{
	unsigned open = 0;

	for (unsigned i = 0; i < n->n_fds; i++) {
		open += n->fds[i]->open;
	}
	return open;
}

void simnet_descriptors_left(struct simnet *n, unsigned left)
{
	n->left = left;
}

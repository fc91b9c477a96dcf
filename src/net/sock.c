#include "net/sock.h"

#include "net/tls_server.h"

static void on_watch(struct watch *w)
{
	struct sock *s = CONTAINER_OF(w, struct sock, watch);

	s->on_ready(s);
}

static int start(struct sock *s, struct loop *l, int fd, void (*on_ready)(struct sock *s))
{
	int rc;

	*s = (struct sock){.loop = l, .on_ready = on_ready};
	rc = loop_watch(l, &s->watch, fd, on_watch);
	if (rc != 0) {
		sys_close(fd, false);
	}
	return rc;
}

int sock_init_accepted(struct sock *s, struct loop *l, int fd, void (*on_ready)(struct sock *s))
{
	return start(s, l, fd, on_ready);
}

void sock_start_tls(struct sock *s, struct tls_server *server)
{
	ASSERT(s->tls == NULL && s->watch.fd >= 0);
	s->tls = tls_accept(server, s->watch.fd);
	s->handshaking = true;
}

int sock_move(struct sock *to, struct sock *from, void (*on_ready)(struct sock *s))
{
	int fd = from->watch.fd;
	int rc;

	*to = *from;
	to->on_ready = on_ready;
	from->tls = NULL;
	loop_unwatch(from->loop, &from->watch);
	rc = loop_watch(to->loop, &to->watch, fd, on_watch);
	if (rc != 0) {
		tls_free(to->tls);
		to->tls = NULL;
		sys_close(fd, false);
		return rc;
	}
	/* The library may hold bytes that no event will tell of; the first read finds out. */
	to->watch.readable = to->tls != NULL;
	return 0;
}

int sock_connect(struct sock *s, struct loop *l, const struct sys_addr *addr,
	const struct tls_client_opts *tls_opts, void (*on_ready)(struct sock *s))
{
	int fd = sys_connect(addr);
	int rc;

	if (fd < 0) {
		*s = (struct sock){.loop = l, .watch = {.fd = -1}};
		return fd;
	}
	rc = start(s, l, fd, on_ready);
	if (rc != 0) {
		return rc;
	}
	s->connecting = true;
	if (tls_opts != NULL) {
		s->tls = tls_client_new(tls_opts, fd);
	}
	return 0;
}

static int finish_connect(struct sock *s, struct fault *fault)
{
	int rc;

	if (!s->watch.writable) {
		return ERR_AGAIN;
	}
	rc = sys_connect_result(s->watch.fd);
	if (rc != 0) {
		s->broken = rc;
		return fault_set(fault, (enum err)rc, 0, 0, "cannot connect: %s", sys_error_text());
	}
	s->connecting = false;
	s->handshaking = s->tls != NULL;
	return 0;
}

static int go_on_with_handshake(struct sock *s, struct fault *fault)
{
	int rc = tls_handshake(s->tls, fault);

	/* The marks stay as they are: it may have used up one of the directions, and the first read or
	 * write of the owner will find out. */
	if (rc == 0) {
		s->handshaking = false;
	} else if (rc != ERR_AGAIN) {
		s->broken = rc;
	}
	return rc;
}

int sock_open(struct sock *s, struct fault *fault)
{
	int rc;

	if (s->broken != 0) {
		return fault_set(
			fault, (enum err)s->broken, 0, 0, "the connection has failed before");
	}
	if (s->connecting) {
		rc = finish_connect(s, fault);
		if (rc != 0) {
			return rc;
		}
	}
	return s->handshaking ? go_on_with_handshake(s, fault) : 0;
}

static bool holds_more(const struct sock *s)
{
	return s->tls != NULL && tls_pending(s->tls);
}

ssize_t sock_peek(struct sock *s, void *p, size_t n)
{
	ssize_t got;

	ASSERT(s->tls == NULL);
	if (s->broken != 0) {
		return s->broken;
	}
	got = sys_peek(s->watch.fd, p, n);
	if (got == ERR_AGAIN) {
		s->watch.readable = false;
	} else if (got < 0) {
		s->broken = (int)got;
	}
	return got;
}

static size_t total(const struct iovec *v, int n)
{
	size_t sum = 0;

	for (int i = 0; i < n; i++) {
		sum += v[i].iov_len;
	}
	return sum;
}

/* Record after record, until one of the pieces stays short. What went wrong behind bytes is said by the
 * next call. */
static ssize_t read_records(struct tls *t, const struct iovec *v, int n)
{
	ssize_t sum = 0;

	for (int i = 0; i < n; i++) {
		ssize_t got = tls_read(t, v[i].iov_base, v[i].iov_len);

		if (got <= 0) {
			return sum != 0 ? sum : got;
		}
		sum += got;
		if ((size_t)got < v[i].iov_len) {
			break;
		}
	}
	return sum;
}

ssize_t sock_readv(struct sock *s, const struct iovec *v, int n)
{
	size_t asked = total(v, n);
	ssize_t got;

	if (s->broken != 0) {
		return s->broken;
	}
	if (s->tls != NULL) {
		got = read_records(s->tls, v, n);
	} else if (n == 1) {
		got = sys_recv(s->watch.fd, v->iov_base, v->iov_len);
	} else {
		got = sys_recvv(s->watch.fd, v, n);
	}
	if (got == ERR_AGAIN) {
		s->watch.readable = false;
	} else if (got < 0) {
		s->broken = (int)got;
	} else if (got == 0) {
		s->eof = asked != 0;
	} else if ((size_t)got < asked && !s->watch.hangup && !holds_more(s)) {
		/* Drained; the end of the stream would have been reported as a hangup. */
		s->watch.readable = false;
	}
	return got;
}

ssize_t sock_read(struct sock *s, void *p, size_t n)
{
	struct iovec v = {p, n};

	return sock_readv(s, &v, 1);
}

ssize_t sock_writev(struct sock *s, const struct iovec *v, int n)
{
	ssize_t put;

	if (s->broken != 0) {
		return s->broken;
	}
	put = s->tls != NULL ? tls_writev(s->tls, v, n) : sys_sendv(s->watch.fd, v, n);
	if (put == ERR_AGAIN || (put >= 0 && (size_t)put < total(v, n))) {
		s->watch.writable = false;
	} else if (put < 0) {
		s->broken = (int)put;
	}
	return put;
}

void sock_shutdown(struct sock *s)
{
	if (s->loop == NULL || s->watch.fd < 0) {
		return;
	}
	if (s->tls != NULL) {
		tls_shutdown(s->tls);
	}
	sys_shutdown_write(s->watch.fd);
}

void sock_close(struct sock *s, bool reset)
{
	int fd;

	if (s->loop == NULL || s->watch.fd < 0) {
		return;
	}
	fd = s->watch.fd;
	loop_unwatch(s->loop, &s->watch);
	if (s->tls != NULL) {
		if (!reset && s->broken == 0) {
			tls_shutdown(s->tls);
		}
		tls_free(s->tls);
		s->tls = NULL;
	}
	s->watch.readable = s->watch.writable = false;
	sys_close(fd, reset);
}

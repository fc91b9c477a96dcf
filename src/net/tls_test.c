/* Whom the client side trusts, how it says no, and what it resumes. */
#include "net/tls_test_peer.h"

/* --- whom to trust ------------------------------------------------------------------------------ */

static void certificates_are_verified(void **state)
{
	static const struct {
		const char *name;
		const char *alt_names;
		int from_days, to_days;
		enum { AUTHORITY, STRANGER, ITSELF } issuer;
		const char *fault; /* NULL: must work */
		const char *reason;
	} rows[] = {
		{NAME, "DNS:" NAME, 0, 9, AUTHORITY, NULL, "all is well"},
		{"API.Example.COM", "DNS:" NAME, 0, 9, AUTHORITY, NULL, "names know no case"},
		{NAME ".", "DNS:" NAME, 0, 9, AUTHORITY, NULL,
			"the root's dot is not in certificates"},
		{NAME, "DNS:*.example.com", 0, 9, AUTHORITY, NULL, "a wildcard for one label"},
		{"127.0.0.1", "IP:127.0.0.1", 0, 9, AUTHORITY, NULL, "an address"},
		{"[::1]", "IP:::1", 0, 9, AUTHORITY, NULL, "an address as in a URL"},
		{NAME, "DNS:example.com", 0, 9, AUTHORITY,
			"the certificate of api.example.com is for another name", "a parent"},
		{NAME, "DNS:a*.example.com", 0, 9, AUTHORITY,
			"the certificate of api.example.com is for another name",
			"part of a label"},
		{"a.b.example.com", "DNS:*.example.com", 0, 9, AUTHORITY,
			"the certificate of a.b.example.com is for another name", "two labels"},
		{"127.0.0.1", "DNS:127.0.0.1", 0, 9, AUTHORITY,
			"the certificate of 127.0.0.1 is for another address",
			"a name, no address"},
		{"127.0.0.2", "IP:127.0.0.1", 0, 9, AUTHORITY,
			"the certificate of 127.0.0.2 is for another address", "its neighbour"},
		{NAME, "DNS:" NAME, -9, -1, AUTHORITY,
			"the certificate of api.example.com has expired", "yesterday"},
		{NAME, "DNS:" NAME, 2, 9, AUTHORITY,
			"the certificate of api.example.com is not valid yet", "tomorrow"},
		{NAME, "DNS:" NAME, 0, 9, STRANGER,
			"the certificate of api.example.com is signed by an authority that is not "
			"trusted here",
			"somebody else's authority"},
		{NAME, "DNS:" NAME, 0, 9, ITSELF,
			"the certificate of api.example.com is signed by itself, not by a trusted "
			"authority",
			"nobody's authority"},
	};
	struct world *w = *state;
	const struct cert *const issuers[] = {&w->authority, &w->stranger, NULL};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cert c = cert_new(&(struct cert_opts){rows[i].alt_names,
			issuers[rows[i].issuer], rows[i].from_days, rows[i].to_days, false});
		struct fault fault = {.text = ""};
		struct link l;
		SSL_CTX *server = peer_context(&c, 0);
		int rc;

		link_open(&l, w, server, rows[i].name);
		rc = shake_hands(&l, &fault);
		if (rc != (rows[i].fault != NULL ? ERR_TLS : 0) ||
			(rc != 0 && strcmp(fault.text, rows[i].fault) != 0)) {
			fail_msg("%d \"%s\": %s", rc, fault.text, rows[i].reason);
		}
		if (rc != 0) {
			char got[1];

			assert_int_equal(tls_handshake(l.tls, NULL), ERR_TLS);
			assert_int_equal(tls_read(l.tls, got, 1), ERR_TLS);
		}
		link_close(&l);
		SSL_CTX_free(server);
		cert_free(&c);
	}
}

static void an_expired_authority_is_not_called_the_servers_certificate(void **state)
{
	struct world *w = *state;
	struct cert between = cert_new(
		&(struct cert_opts){.issuer = &w->authority, .from_days = -9, .to_days = -1});
	struct cert leaf = cert_new(
		&(struct cert_opts){.alt_names = "DNS:" NAME, .issuer = &between, .to_days = 9});
	SSL_CTX *server = peer_context(&leaf, 0);
	struct fault fault;
	struct link l;

	SSL_CTX_add1_chain_cert(server, between.x509);
	link_open(&l, w, server, NAME);
	assert_int_equal(shake_hands(&l, &fault), ERR_TLS);
	assert_string_equal(
		fault.text, "an authority's certificate above api.example.com has expired");
	link_close(&l);
	SSL_CTX_free(server);
	cert_free(&leaf);
	cert_free(&between);
}

static void names_are_sent_and_addresses_are_not(void **state)
{
	static const struct {
		const char *name, *alt_names, *sni;
	} rows[] = {
		{NAME ".", "DNS:" NAME, NAME},
		{"127.0.0.1", "IP:127.0.0.1", NULL},
		{"[::1]", "IP:::1", NULL},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cert c = cert_new(
			&(struct cert_opts){rows[i].alt_names, &w->authority, 0, 9, false});
		SSL_CTX *server = peer_context(&c, 0);
		struct link l;
		const char *sni;

		link_open(&l, w, server, rows[i].name);
		assert_int_equal(shake_hands(&l, NULL), 0);
		sni = SSL_get_servername(l.peer.ssl, TLSEXT_NAMETYPE_host_name);
		assert_true((sni == NULL) == (rows[i].sni == NULL));
		assert_true(sni == NULL || strcmp(sni, rows[i].sni) == 0);
		link_close(&l);
		SSL_CTX_free(server);
		cert_free(&c);
	}
}

static void what_cannot_be_a_name_fails_before_a_byte_is_sent(void **state)
{
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	char long_name[400];
	/* The library takes a leading dot as "any name below". */
	const char *const names[] = {"", ".", ".example.com", ".com", long_name};

	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct fault fault;
		struct link l;
		char got[1];

		link_open(&l, w, server, names[i]);
		assert_int_equal(tls_handshake(l.tls, &fault), ERR_TLS);
		assert_int_equal(read(l.peer.fd, got, 1), -1);
		link_close(&l);
	}
	SSL_CTX_free(server);
}

static void old_versions_are_refused(void **state)
{
	static const struct {
		int version;
		bool works;
	} rows[] = {{TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		SSL_CTX *server = peer_context(&w->good, rows[i].version);
		struct fault fault = {.text = ""};
		struct link l;

		link_open(&l, w, server, NAME);
		assert_int_equal(shake_hands(&l, &fault), rows[i].works ? 0 : ERR_TLS);
		assert_string_equal(fault.text,
			rows[i].works ? ""
				      : NAME
				" offers no version of TLS that is accepted here (1.2 "
				"or newer)");
		link_close(&l);
		SSL_CTX_free(server);
	}
}

static void a_port_without_tls_is_named_so(void **state)
{
	static const char plain[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	struct fault fault;
	struct link l;

	link_open(&l, w, server, NAME);
	assert_int_equal(tls_handshake(l.tls, &fault), ERR_AGAIN);
	assert_int_equal(write(l.peer.fd, plain, sizeof(plain) - 1), sizeof(plain) - 1);
	assert_int_equal(tls_handshake(l.tls, &fault), ERR_TLS);
	assert_string_equal(fault.text, NAME " does not answer with TLS on this port");
	link_close(&l);
	SSL_CTX_free(server);
}

static void a_trust_file_that_cannot_be_read_is_said_at_once(void **state)
{
	struct world *w = *state;
	struct fault fault;

	assert_int_equal(tls_global_init("/nonexistent/ca.pem", &fault), ERR_IO);
	assert_non_null(strstr(fault.text, "/nonexistent/ca.pem"));
	setenv("SSL_CERT_FILE", "/nonexistent/system.pem", 1);
	assert_int_equal(tls_global_init(NULL, &fault), ERR_IO);
	assert_non_null(strstr(fault.text, "/nonexistent/system.pem"));
	setenv("SSL_CERT_FILE", w->ca_path, 1);
}

static void the_system_store_is_read_when_asked_for(void **state)
{
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	struct fault fault;

	assert_int_equal(tls_global_init(NULL, &fault), 0);
	for (int loaded = 0; loaded < 2; loaded++) {
		struct tls_context *shared = w->context;
		struct link l;
		int rc;

		w->context = tls_context_new();
		link_open(&l, w, server, NAME);
		rc = shake_hands(&l, &fault);
		assert_int_equal(rc, loaded ? 0 : ERR_TLS);
		link_close(&l);
		tls_context_free(w->context);
		w->context = shared;
		assert_int_equal(tls_trust_load(&fault), 0);
		assert_int_equal(tls_trust_load(&fault), 0); /* a second time does nothing */
	}
	setenv("SSL_CERT_FILE", "/dev/null", 1);
	assert_int_equal(tls_global_init(NULL, &fault), 0);
	assert_int_equal(tls_trust_load(&fault), ERR_IO);
	assert_non_null(strstr(fault.text, "/dev/null"));
	setenv("SSL_CERT_FILE", w->ca_path, 1);
	assert_int_equal(tls_global_init(NULL, &fault), 0);
	assert_int_equal(tls_trust_load(&fault), 0);
	SSL_CTX_free(server);
}

/* --- resumption --------------------------------------------------------------------------------- */

static void the_second_connection_resumes(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct tls_context *context = tls_context_new();
		struct tls_context *shared = w->context;
		SSL_CTX *server = peer_context(&w->good, versions[i]);
		struct link l;

		w->context = context;
		for (int nr = 0; nr < 3; nr++) {
			link_ready(&l, w, server);
			assert_int_equal(tls_resumed(l.tls), nr != 0);
			/* The ends differ: close_notify, a cut by us, a cut by the server. */
			if (nr == 0) {
				tls_shutdown(l.tls);
			} else if (nr == 1) {
				char got[1];

				close(l.peer.fd);
				l.peer.fd = -1;
				assert_int_equal(tls_read(l.tls, got, 1), ERR_CLOSED);
			}
			link_close(&l);
		}
		w->context = shared;
		tls_context_free(context);
		SSL_CTX_free(server);
	}
}

static void a_ticket_of_tls_1_3_is_used_once(void **state)
{
	struct world *w = *state;
	struct tls_context *context = tls_context_new();
	struct tls_context *shared = w->context;
	SSL_CTX *server = peer_context(&w->good, TLS1_3_VERSION);
	struct link first;
	struct link later[3];

	w->context = context;
	link_ready(&first, w, server);
	/* Two tickets came. Three connections start before any of them could bring new ones. */
	for (int i = 0; i < 3; i++) {
		link_open(&later[i], w, server, NAME);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(shake_hands(&later[i], NULL), 0);
		assert_int_equal(tls_resumed(later[i].tls), i < 2);
		link_close(&later[i]);
	}
	link_close(&first);
	w->context = shared;
	tls_context_free(context);
	SSL_CTX_free(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_are_verified),
		cmocka_unit_test(an_expired_authority_is_not_called_the_servers_certificate),
		cmocka_unit_test(names_are_sent_and_addresses_are_not),
		cmocka_unit_test(what_cannot_be_a_name_fails_before_a_byte_is_sent),
		cmocka_unit_test(old_versions_are_refused),
		cmocka_unit_test(a_port_without_tls_is_named_so),
		cmocka_unit_test(a_trust_file_that_cannot_be_read_is_said_at_once),
		cmocka_unit_test(the_system_store_is_read_when_asked_for),
		cmocka_unit_test(the_second_connection_resumes),
		cmocka_unit_test(a_ticket_of_tls_1_3_is_used_once),
	};

	return cmocka_run_group_tests(tests, world_open, world_close);
}

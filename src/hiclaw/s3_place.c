#include "hiclaw/s3_place.h"

#include "wire/url.h"

#define GATEWAY_PORT 8080u
#define STORE_PORT 9000u

static void copy(char *out, struct bytes s)
{
	if (s.n != 0) {
		memcpy(out, s.p, s.n);
	}
	out[s.n] = '\0';
}

static bool has_scheme(struct bytes text)
{
	for (size_t i = 0; i + 2 < text.n; i++) {
		if (memcmp(text.p + i, "://", 3) == 0) {
			return true;
		}
	}
	return false;
}

static int read_endpoint(struct bytes text, struct url *u)
{
	if (has_scheme(text)) {
		return url_parse(u, text, NULL);
	}
	*u = (struct url){.scheme = BYTES("https")};
	if (bytes_ends(text, BYTES("/"))) {
		text.n--;
	}
	return url_parse_authority(text, &u->host, &u->port);
}

int s3_place_endpoint(struct s3_place *p, struct bytes text, struct fault *fault)
{
	struct url u;
	bool tls;

	if (read_endpoint(bytes_trim(text), &u) != 0 || u.query.p != NULL ||
		(u.path.n != 0 && !bytes_eq(u.path, BYTES("/")))) {
		return fault_set(fault, ERR_SYNTAX, 0, 0,
			"the endpoint of the object storage is no http(s)://host:port");
	}
	if (u.host.n > 2 && u.host.p[0] == '[') {
		u.host = bytes_of(u.host.p + 1, u.host.n - 2);
	}
	if (u.host.n > S3_HOST_MAX) {
		return fault_set(fault, ERR_LIMIT, 0, 0,
			"the host of the object storage has more than %u characters", S3_HOST_MAX);
	}
	tls = bytes_eq_nocase(u.scheme, BYTES("https"));
	copy(p->host, u.host);
	p->tls = tls;
	p->port = u.port == GATEWAY_PORT ? STORE_PORT : u.port;
	if (p->port == 0) {
		p->port = tls ? 443 : 80;
	}
	return 0;
}

static bool is_bucket(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool plain = ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');

		if (!plain && c != '-' && c != '.' && c != '_') {
			return false;
		}
		if (c == '.' && (i == 0 || name.p[i - 1] == '.')) {
			return false;
		}
	}
	return name.n != 0 && name.n <= S3_BUCKET_MAX;
}

int s3_place_bucket(struct s3_place *p, struct bytes name, struct fault *fault)
{
	if (!is_bucket(name)) {
		return fault_set(fault, ERR_SYNTAX, 0, 0,
			"the bucket of the object storage is no name of 1 to %u letters, digits, '-', "
			"'.' and '_'",
			S3_BUCKET_MAX);
	}
	copy(p->bucket, name);
	return 0;
}

int s3_place_prefix(struct s3_place *p, struct bytes text, struct fault *fault)
{
	struct bytes keys = bytes_trim(text);
	struct bytes bucket;

	IGNORE(bytes_cut(&keys, '/')); /* what mc calls the server: ours is the endpoint */
	bucket = keys.p == NULL ? keys : bytes_cut(&keys, '/');
	while (keys.n != 0 && keys.p[0] == '/') {
		keys = bytes_of(keys.p + 1, keys.n - 1);
	}
	while (keys.n != 0 && keys.p[keys.n - 1] == '/') {
		keys.n--;
	}
	if (keys.n > S3_KEY_MAX / 2) {
		return fault_set(fault, ERR_LIMIT, 0, 0,
			"the prefix of keys in the object storage has more than %u bytes",
			S3_KEY_MAX / 2);
	}
	if (s3_place_bucket(p, bucket, fault) != 0) {
		return ERR_SYNTAX;
	}
	copy(p->prefix, keys);
	if (keys.n != 0) {
		copy(p->prefix + keys.n, BYTES("/"));
	}
	return 0;
}

bool s3_place_in_host(const struct s3_place *p)
{
	bool aliyun = bytes_ends(bytes_str(p->host), BYTES(".aliyuncs.com"));

	return p->style == S3_STYLE_HOST || (p->style == S3_STYLE_AUTO && aliyun);
}

void s3_place_put_host(const struct s3_place *p, bool with_port, struct text *out)
{
	bool v6 = with_port && strchr(p->host, ':') != NULL;

	if (s3_place_in_host(p)) {
		text_add_str(out, p->bucket);
		text_add_char(out, '.');
	}
	text_add_str(out, v6 ? "[" : "");
	text_add_str(out, p->host);
	text_add_str(out, v6 ? "]" : "");
	if (with_port && p->port != (p->tls ? 443 : 80)) {
		text_add_char(out, ':');
		text_add_u64(out, p->port);
	}
}

void s3_place_put_path(const struct s3_place *p, struct bytes key, struct text *out)
{
	text_add_char(out, '/');
	if (!s3_place_in_host(p)) {
		text_add_str(out, p->bucket);
		text_add_str(out, key.n != 0 ? "/" : "");
	}
	if (key.n != 0) {
		text_add_str(out, p->prefix);
		text_add_bytes(out, key);
	}
}

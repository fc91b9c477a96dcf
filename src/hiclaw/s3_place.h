/*
 * Where objects live: server, bucket, prefix of the keys, way of addressing; out of HiClaw's variables
 * (hiclaw-integration.md 3.4). Pure.
 */
#ifndef HICLAW_S3_PLACE_H
#define HICLAW_S3_PLACE_H

#include "base/err.h"
#include "base/text.h"

#define S3_HOST_MAX 255u
#define S3_BUCKET_MAX 63u
#define S3_REGION_MAX 63u
#define S3_KEY_MAX 1024u /* S3's own limit, prefix included */
#define S3_REGION_DEFAULT "us-east-1"

enum s3_style {
	S3_STYLE_AUTO, /* by the bucket's name in front of the host for *.aliyuncs.com, else in the path */
	S3_STYLE_PATH,
	S3_STYLE_HOST
};

struct s3_place { /* zeroed before the first function is called */
	bool tls;
	char host[S3_HOST_MAX + 1]; /* without brackets */
	uint16_t port;
	char bucket[S3_BUCKET_MAX + 1];
	char prefix[S3_KEY_MAX + 1]; /* "", or ends with '/' */
	char region[S3_REGION_MAX + 1];
	enum s3_style style;
};

/* "http://host[:port]", "https://...", "host[:port]" (https). Port 8080 is the gateway's, through which S3
 * does not go: 9000 is taken. Refused: other schemes, a path, user information. The text is not quoted in
 * *fault: it may hold a password. */
MUST_CHECK int s3_place_endpoint(struct s3_place *p, struct bytes text, struct fault *fault);
/* A name of 1 to 63 letters, digits, '-', '.', '_', without "..". */
MUST_CHECK int s3_place_bucket(struct s3_place *p, struct bytes name, struct fault *fault);
/* HICLAW_STORAGE_PREFIX: "<alias>/<bucket>[/<prefix of keys>]"; sets bucket and prefix. */
MUST_CHECK int s3_place_prefix(struct s3_place *p, struct bytes text, struct fault *fault);

/* Whether the bucket's name is a part of the host's. */
bool s3_place_in_host(const struct s3_place *p);
/* Appends what the Host field says (and, without the port, who is connected to). */
void s3_place_put_host(const struct s3_place *p, bool with_port, struct text *out);
/* Appends the path of a key, not encoded; the key stands below the prefix. "": the bucket itself. */
void s3_place_put_path(const struct s3_place *p, struct bytes key, struct text *out);

#endif

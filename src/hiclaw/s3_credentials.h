/*
 * Keys for the object storage, from where HiClaw has them (hiclaw-integration.md 7.4): short-lived ones from
 * the controller, which are fetched anew before they expire, or fixed ones. Control's.
 */
#ifndef HICLAW_S3_CREDENTIALS_H
#define HICLAW_S3_CREDENTIALS_H

#include "hiclaw/controller.h"

/* New ones are asked for this long before the old ones expire; halfway, when they live shorter. */
#define S3_CREDENTIALS_EARLY_MS 600000u
/* After a refusal, while the old keys are good; and after "there is no sidecar". */
#define S3_CREDENTIALS_AGAIN_MS 10000u
#define S3_CREDENTIALS_NO_SIDECAR_MS 60000u

/* Values of the variables; p NULL or empty: not set. */
struct s3_credentials_opts {
	struct loop *loop;
	struct controller *controller; /* NULL: none; stays until s3_credentials_free */
	bool short_lived;              /* runtime aliyun, or HICLAW_STORAGE_PROVIDER=oss */
	struct bytes fs_access, fs_secret;
	struct bytes minio_user, minio_password;
	struct bytes admin_user, admin_password;
	struct bytes mc_host; /* scheme://key:secret[:token]@host, taken literally */
};

struct s3_keys {
	struct bytes id, secret;
	struct bytes token;            /* empty: none */
	struct bytes endpoint, bucket; /* empty: as configured */
	const char *from;              /* the variable, or the controller: for people */
};

struct s3_credentials;

/* Texts are copied. */
struct s3_credentials *s3_credentials_new(const struct s3_credentials_opts *o);
/* Who waits is not called any more. NULL is allowed. */
void s3_credentials_free(struct s3_credentials *c);

/* Embedded in whoever asks, zeroed before. */
struct s3_credentials_wait {
	/* keys NULL: there are none, and why; both are there until it returns. */
	void (*on_done)(
		struct s3_credentials_wait *w, const struct s3_keys *keys, const struct fault *why);
	struct list link;
};

/* Calls back once, in a later turn; all who wait while keys are fetched get the same ones. */
void s3_credentials_get(struct s3_credentials *c, struct s3_credentials_wait *w);
void s3_credentials_cancel(struct s3_credentials_wait *w);
/* The store says that short-lived keys are not good any more: the next one who asks waits for new ones.
 * False: the keys in use are fixed. */
bool s3_credentials_expired(struct s3_credentials *c);

#endif

/*
 * Puts the page's files into the program: pack OUT.c OUT.bin FILE...
 *
 * OUT.bin holds each file as it is and compressed; OUT.c names them and carries the bytes in. All files but the
 * documents have one address that depends on all their contents, so that a browser may keep them for ever; in
 * index.html @DIR@ stands for it. For each file NAME.shell there is a document NAME.html: index.html with the shell
 * in the place of @SHELL@, which is what is seen until the script has drawn. The same files give the same bytes.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FILES_MAX 64
#define HASH_CHARS 12
#define TEXT_MAX (4u << 20)
#define SHELL ".shell"

struct file {
	const char *name; /* without its directory */
	char *p;
	size_t n;
	size_t at, packed_at, packed_n;
};

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "pack: %s: %s\n", what, why);
	exit(1);
}

static void *need(size_t n)
{
	void *p = calloc(1, n);

	if (p == NULL) {
		fail("memory", "there is none left");
	}
	return p;
}

static void load(struct file *f, const char *path)
{
	FILE *in = fopen(path, "rb");
	const char *slash = strrchr(path, '/');

	if (in == NULL) {
		fail(path, "cannot be read");
	}
	f->name = slash != NULL ? slash + 1 : path;
	f->p = need(TEXT_MAX);
	f->n = fread(f->p, 1, TEXT_MAX, in);
	if (f->n == TEXT_MAX || ferror(in)) {
		fail(path, "is too large, or broken");
	}
	fclose(in);
}

static void hash_all(const struct file *v, int n, char out[HASH_CHARS + 1])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
		fail("sha256", "is not there");
	}
	for (int i = 0; i < n; i++) {
		EVP_DigestUpdate(ctx, v[i].name, strlen(v[i].name) + 1);
		EVP_DigestUpdate(ctx, &v[i].n, sizeof(v[i].n));
		EVP_DigestUpdate(ctx, v[i].p, v[i].n);
	}
	EVP_DigestFinal_ex(ctx, digest, NULL);
	EVP_MD_CTX_free(ctx);
	for (int i = 0; i < HASH_CHARS / 2; i++) {
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	}
}

static int ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n >= m && strcmp(name + n - m, with) == 0;
}

static void replace(struct file *f, const char *what, const char *with)
{
	char *at;

	while ((at = strstr(f->p, what)) != NULL) {
		size_t gone = strlen(what), come = strlen(with);

		if (f->n + come >= TEXT_MAX) {
			fail(f->name, "grows too large");
		}
		memmove(at + come, at + gone, f->n - (size_t)(at - f->p) - gone + 1);
		memcpy(at, with, come);
		f->n = f->n - gone + come;
	}
}

/* Makes the document of a shell in its place. */
static void make_document(struct file *shell, const struct file *index, const char *hash)
{
	char dir[HASH_CHARS + 8];
	char *inside = shell->p;
	size_t stem = strlen(shell->name) - strlen(SHELL);
	char *name = need(stem + sizeof(".html"));

	snprintf(dir, sizeof(dir), "a/%s", hash);
	memcpy(name, shell->name, stem);
	memcpy(name + stem, ".html", sizeof(".html"));
	shell->name = name;
	shell->p = need(TEXT_MAX);
	memcpy(shell->p, index->p, index->n);
	shell->n = index->n;
	replace(shell, "@SHELL@", inside);
	replace(shell, "@DIR@", dir);
	free(inside);
}

/* Instead of index.html the documents that are made of it. How many files there are then. */
static int make_documents(struct file *v, int n, const char *hash)
{
	struct file index = {0};
	int kept = 0;

	for (int i = 0; i < n; i++) {
		if (strcmp(v[i].name, "index.html") == 0) {
			index = v[i];
		} else {
			v[kept++] = v[i];
		}
	}
	if (index.p == NULL) {
		fail("index.html", "is not among the files");
	}
	for (int i = 0; i < kept; i++) {
		if (ends(v[i].name, SHELL)) {
			make_document(&v[i], &index, hash);
		}
	}
	free(index.p);
	return kept;
}

static void *compress_file(const struct file *f, size_t *n)
{
	z_stream z = {0};
	uLong room;
	void *out;

	if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
		fail(f->name, "cannot be compressed");
	}
	room = deflateBound(&z, f->n);
	out = need(room);
	z.next_in = (void *)f->p;
	z.avail_in = (uInt)f->n;
	z.next_out = out;
	z.avail_out = (uInt)room;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
		fail(f->name, "cannot be compressed");
	}
	*n = z.total_out;
	deflateEnd(&z);
	return out;
}

static const char *type_of(const char *name)
{
	static const char *const types[][2] = {
		{".html", "text/html; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".mjs", "text/javascript; charset=utf-8"},
		{".ttf", "font/ttf"},
		{".md", "text/plain; charset=utf-8"},
		{".svg", "image/svg+xml"},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (ends(name, types[i][0])) {
			return types[i][1];
		}
	}
	fail(name, "is of a type that the page does not have");
	return NULL;
}

static void write_bytes(struct file *v, int n, const char *path)
{
	FILE *out = fopen(path, "wb");
	size_t at = 0;

	if (out == NULL) {
		fail(path, "cannot be written");
	}
	for (int i = 0; i < n; i++) {
		void *packed = compress_file(&v[i], &v[i].packed_n);

		v[i].at = at;
		v[i].packed_at = at + v[i].n;
		at += v[i].n + v[i].packed_n;
		fwrite(v[i].p, 1, v[i].n, out);
		fwrite(packed, 1, v[i].packed_n, out);
		free(packed);
	}
	if (fclose(out) != 0) {
		fail(path, "cannot be written");
	}
}

static void write_table(const struct file *v, int n, const char *hash, const char *paths[2])
{
	FILE *out = fopen(paths[0], "w");

	if (out == NULL) {
		fail(paths[0], "cannot be written");
	}
	fprintf(out, "/* Made by page/pack.c. */\n#include \"page/assets.h\"\n\n");
	fprintf(out,
		"__asm__(\".pushsection .rodata\\n.global assets_bytes\\n\"\n\t"
		"\"assets_bytes:\\n.incbin \\\"%s\\\"\\n.popsection\\n\");\n\n",
		paths[1]);
	fprintf(out, "const char assets_hash[] = \"%s\";\nconst struct asset assets[] = {\n", hash);
	for (int i = 0; i < n; i++) {
		fprintf(out, "\t{\"%s\", \"%s\", %zu, %zu, %zu, %zu},\n", v[i].name,
			type_of(v[i].name), v[i].at, v[i].n, v[i].packed_at, v[i].packed_n);
	}
	fprintf(out, "};\nconst size_t assets_n = %d;\n", n);
	if (fclose(out) != 0) {
		fail(paths[0], "cannot be written");
	}
}

int main(int argc, char **argv)
{
	struct file v[FILES_MAX];
	char hash[HASH_CHARS + 1];
	int n = argc - 3;

	if (n < 1 || n > FILES_MAX) {
		fail("usage", "pack OUT.c OUT.bin FILE...");
	}
	for (int i = 0; i < n; i++) {
		load(&v[i], argv[i + 3]);
	}
	hash_all(v, n, hash);
	n = make_documents(v, n, hash);
	write_bytes(v, n, argv[2]);
	write_table(v, n, hash, (const char *[]){argv[1], argv[2]});
	return 0;
}

/* Hostile posts, names and tokens: what is composed of them is always a message that can be kept,
 * read back and signed, and no text of theirs becomes a field of the header. */
#include "hubmail/compose.h"
#include "hubmail/base_text.h"
#include "hubmail/compose_dkim.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key of RFC 8463, appendix A.2. */
static const struct dkim_key_text key = {"s", "-----BEGIN PRIVATE KEY-----\n"
					      "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScV"
					      "pezJpGXA7rAMcrn9g\n"
					      "-----END PRIVATE KEY-----\n"};

static const char *const fields[] = {
	"DKIM-Signature:", "From:", "To:", "Subject:", "Date:", "Message-ID:", "Reply-To:",
	"MIME-Version:", "List-Id:", "List-Unsubscribe:", "List-Unsubscribe-Post:",
	"Auto-Submitted:", "Precedence:", "Content-Language:", "Content-Type:"};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool is_ours(const char *line)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (text_starts(line, fields[i]))
			return true;
	}
	return line[0] == ' ';
}

static void check_header(const char *message)
{
	for (const char *line = message; !text_starts(line, "\r\n");) {
		must(is_ours(line));
		const char *end = strstr(line, "\r\n");
		must(end != NULL && end - line <= 998);
		line = end + 2;
	}
}

/* The next string of the input, up to a NUL. */
static char *take(const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, 0, *size);
	size_t len = end != NULL ? (size_t)(end - *data) : *size;
	char *s = malloc(len + 1);
	must(s != NULL);
	memcpy(s, *data, len);
	s[len] = '\0';
	*data += len;
	*size -= len;
	if (*size > 0) {
		++*data;
		--*size;
	}
	return s;
}

static void check(const struct compose_options *o, const struct post *post, const char *own)
{
	struct buf bytes = {0};
	struct buf flat = {0};
	const struct compose_reader r = {"r@example.org", own, own, own};
	struct compose_plan *p = compose_digest(o, post, 1, NULL);
	must(p != NULL);
	compose_plan_encode(p, &bytes);
	compose_plan_free(p);
	p = compose_plan_decode(bytes.data, bytes.len, NULL);
	must(p != NULL);
	struct dkim_signer *signer = dkim_signer_new("example.org", &key, 1, NULL);
	must(compose_plan_sign(p, signer, NULL));
	dkim_signer_free(signer);
	compose_render_flat(p, &r, &flat);
	check_header(flat.data);
	for (int html = 0; html < 2; html++) {
		char *part = compose_render_part(p, &r, html != 0);
		must(utf8_valid(part, strlen(part)) && strstr(part, "/unsubscribe/") != NULL);
		free(part);
	}
	buf_free(&bytes);
	buf_free(&flat);
	compose_plan_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s[7];
	if (size == 0 || size > 20000)
		return 0;
	uint8_t flags = *data++;
	size--;
	for (size_t i = 0; i < 7; i++)
		s[i] = take(&data, &size);
	const struct compose_options o = {.list_name = "list",
		.list_title = s[0],
		.from_name = flags & 1 ? s[1] : NULL,
		.from_address = "news@example.org",
		.web_url = "https://example.org",
		.language = s[2],
		.full = (flags & 2) != 0,
		.at = 1795616784};
	const struct post post = {.guid = s[0],
		.title = flags & 4 ? s[3] : NULL,
		.author = s[1],
		.url = s[4],
		.image = s[4],
		.content = s[5],
		.published_at = 1};
	check(&o, &post, s[6]);
	for (size_t i = 0; i < 7; i++)
		free(s[i]);
	return 0;
}

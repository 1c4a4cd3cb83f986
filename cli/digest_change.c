/* Changing digests one by one, each in short transactions. */
#include "digest_change.h"

#include <stdlib.h>

static const struct column columns[] = {{"digest", "DIGEST", 0}, {"result", "RESULT", 0}};
static const struct table results = {TABLE_COLUMNS(columns)};

struct change {
	int64_t id;
	digest_change_fn *fn;
};

static bool change_step(struct store *s, void *arg, bool *more, struct error *e)
{
	const struct change *c = arg;

	return c->fn(s, c->id, more, e);
}

static void tell(struct cli *cli, int64_t id, const char *done)
{
	struct buf sentence = {0};

	buf_addf(&sentence, "digest %lld: %s", (long long)id, done);
	REPORT_ROW_SAID(cli->report, buf_str(&sentence), cell_number(id), cell_text(done));
	buf_free(&sentence);
}

bool digest_change(struct cli *cli, const char *word, const char *done, digest_change_fn *change,
	struct error *e)
{
	int64_t *ids = NULL;
	size_t n = 0;

	if (!cli_store(cli, STORE_WRITE, e) || !cli_digests(cli, word, &ids, &n, e))
		return false;
	report_table(cli->report, &results);
	for (size_t i = 0; i < n; i++) {
		struct error why = {0};
		struct change one = {ids[i], change};
		if (cli_in_steps(cli, change_step, &one, &why))
			tell(cli, ids[i], done);
		else
			report_failure(cli->report, &why);
	}
	free(ids);
	cli_tell(cli, "wake");
	return true;
}

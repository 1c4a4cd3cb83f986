/* Changing digests one by one, each in short transactions. */
#include "digest_change.h"

#include <stdlib.h>
#include <unistd.h>

#define PAUSE_US 2000 /* between two transactions: the daemon's writer gets its turn */

static const struct column columns[] = {{"digest", "DIGEST", 0}, {"result", "RESULT", 0}};
static const struct table results = {TABLE_COLUMNS(columns)};

static bool change_one(struct store *s, int64_t id, digest_change_fn *change, struct error *e)
{
	bool more = true;

	while (more) {
		more = false;
		if (!store_begin(s, e))
			return false;
		if (!change(s, id, &more, e) || !store_commit(s, e)) {
			store_rollback(s);
			return false;
		}
		if (more)
			usleep(PAUSE_US);
	}
	return true;
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
		if (change_one(cli->store, ids[i], change, &why))
			tell(cli, ids[i], done);
		else
			report_failure(cli->report, &why);
	}
	free(ids);
	cli_tell(cli, "wake");
	return true;
}

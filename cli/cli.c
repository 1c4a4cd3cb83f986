/* The configuration, the database and the daemon as the commands reach them, and the words that
 * several commands take: a list, an address, a digest. */
#include "cli.h"

#include "args.h"
#include "hubmail/base_address.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/control.h"
#include "hubmail/store_digest.h"
#include "hubmail/store_subscriber.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASK_TIMEOUT_MS 30000
#define WAKE_TIMEOUT_MS 3000
#define PAUSE_US 2000 /* between two transactions: the daemon's writer gets its turn */

void cli_free(struct cli *cli)
{
	store_close(cli->store);
	config_free(cli->config);
	*cli = (struct cli){0};
}

/* The running daemon goes on with what it read before the errors came in. NULL if it does not run,
 * or nobody knows where. */
static struct config *config_of_daemon(const char *file)
{
	struct config *c = config_load_control(file);

	if (c == NULL)
		return NULL;
	json_t *status = control_ask(
		c->control_socket, json_pack("{s:s}", "command", "status"), ASK_TIMEOUT_MS, NULL);
	const char *database =
		json_string_value(json_object_get(json_object_get(status, "database"), "path"));
	if (database != NULL) {
		c->database = xstrdup(database);
	} else {
		config_free(c);
		c = NULL;
	}
	json_decref(status);
	return c;
}

bool cli_config(struct cli *cli, struct error *e)
{
	struct strlist errors = {0};

	if (cli->config != NULL)
		return true;
	cli->config = config_load_without_passwords(cli->config_file, &errors);
	if (cli->config == NULL && cli->bears_errors)
		cli->config = config_of_daemon(cli->config_file);
	if (cli->config != NULL && errors.n > 0)
		report_note(cli->report,
			"%s has errors (`hubmaild -t` shows them); asking the running daemon",
			cli->config_file);
	for (size_t i = 0; cli->config == NULL && i < errors.n; i++) {
		struct error one = {0};
		error_set(&one, ERROR_CONFIG, "%s", errors.items[i]);
		report_failure(cli->report, &one);
	}
	strlist_free(&errors);
	if (cli->config == NULL) {
		error_set(e, ERROR_CONFIG, "the configuration is wrong");
		e->text[0] = '\0'; /* its errors have been told */
	}
	return cli->config != NULL;
}

bool cli_store(struct cli *cli, enum store_mode mode, struct error *e)
{
	if (cli->store != NULL)
		return true;
	if (!cli_config(cli, e))
		return false;
	/* Opened for writing first, which makes a database that is not there yet, and brings one of
	 * an older hubmail up to date. */
	cli->store = store_open(cli->config->database, STORE_WRITE, e);
	if (cli->store != NULL && mode == STORE_READ) {
		store_close(cli->store);
		cli->store = store_open(cli->config->database, STORE_READ, e);
	}
	return cli->store != NULL;
}

bool cli_secret(struct cli *cli, struct error *e)
{
	struct secret secret;

	if (!secret_load(cli->config->secret_file, true, &secret, e))
		return false;
	store_set_secret(cli->store, &secret);
	explicit_bzero(&secret, sizeof(secret));
	return true;
}

bool cli_in_steps(struct cli *cli, cli_step_fn *step, void *arg, struct error *e)
{
	bool more = true;

	while (more) {
		more = false;
		if (!store_begin(cli->store, e))
			return false;
		if (!step(cli->store, arg, &more, e) || !store_commit(cli->store, e)) {
			store_rollback(cli->store);
			return false;
		}
		if (more)
			usleep(PAUSE_US);
	}
	return true;
}

json_t *cli_ask(struct cli *cli, json_t *request, struct error *e)
{
	if (!cli_config(cli, e)) {
		json_decref(request);
		return NULL;
	}
	return control_ask(cli->config->control_socket, request, ASK_TIMEOUT_MS, e);
}

void cli_tell(struct cli *cli, const char *command)
{
	json_decref(control_ask(cli->config->control_socket, json_pack("{s:s}", "command", command),
		WAKE_TIMEOUT_MS, NULL));
}

/* ---- Lists ---- */

static char *list_names(const struct config *c)
{
	struct buf names = {0};

	for (size_t i = 0; i < c->n_lists; i++)
		buf_addf(&names, "%s%s", i > 0 ? " " : "", c->lists[i].name);
	buf_addc(&names, '\0');
	return buf_take(&names);
}

static const char *list_suggestion(const struct config *c, const char *name)
{
	const char **names = xcalloc(c->n_lists + 1, sizeof(*names));

	for (size_t i = 0; i < c->n_lists; i++)
		names[i] = c->lists[i].name;
	const char *meant = text_suggest(name, names, c->n_lists);
	free(names);
	return meant;
}

static bool no_such_list(const struct config *c, const char *name, struct error *e)
{
	const char *meant = list_suggestion(c, name);
	char *names = list_names(c);

	if (meant != NULL)
		error_set(e, ERROR_NOT_FOUND, "%s: no such list; did you mean %s?", name, meant);
	else
		error_set(e, ERROR_NOT_FOUND, "%s: no such list in %s (there are: %s)", name,
			c->file, c->n_lists > 0 ? names : "none");
	free(names);
	return false;
}

const struct config_list *cli_list(struct cli *cli, const char *name, struct error *e)
{
	const struct config *c = cli->config;

	if (c->n_lists == 0) {
		error_set(e, ERROR_CONFIG, "%s: no list is declared in it (setting `lists`)",
			c->file);
		return NULL;
	}
	if (name == NULL && c->n_lists == 1)
		return &c->lists[0];
	if (name == NULL) {
		char *names = list_names(c);
		error_set(e, ERROR_USAGE, "which list? Say -l with one of: %s", names);
		free(names);
		return NULL;
	}
	const struct config_list *list = config_find_list(c, name);
	if (list == NULL)
		no_such_list(c, name, e);
	return list;
}

bool cli_list_id(struct cli *cli, const char *name, int64_t *id, struct error *e)
{
	struct error why = {0};

	*id = store_list_id(cli->store, name, &why);
	if (*id != 0)
		return true;
	if (why.code != ERROR_NOT_FOUND) {
		*e = why;
		return false;
	}
	return config_find_list(cli->config, name) != NULL || no_such_list(cli->config, name, e);
}

/* ---- Addresses ---- */

void cli_each_address(struct cli *cli, const struct args *a, cli_address_fn *fn, void *arg)
{
	for (int i = 0; i < a->n_words; i++) {
		char email[ADDRESS_MAX + 1];
		struct error why = {0};
		if (address_normalise(a->words[i], email, &why) && fn(cli, email, arg, &why))
			continue;
		/* It stood on the command line, and in no file. */
		if (why.code == ERROR_DATA)
			why.code = ERROR_REFUSED;
		report_failure(cli->report, &why);
	}
}

/* ---- Digests ---- */

bool cli_id(const char *word, const char *what, int64_t *id, struct error *e)
{
	long long n = 0;

	if (!text_to_int(word, 1, INT64_MAX, &n))
		return error_set(e, ERROR_USAGE, "%s: %s is expected", word, what);
	*id = n;
	return true;
}

static bool ended(const struct store_digest *d)
{
	return d->state == DIGEST_DONE || d->state == DIGEST_CANCELLED;
}

static bool open_digests(
	struct cli *cli, int64_t list_id, int64_t **ids, size_t *n, struct error *e)
{
	struct store_digest *all = NULL;
	size_t n_all = 0;

	if (!store_digest_list(cli->store, list_id, 0, &all, &n_all, e))
		return false;
	*ids = xcalloc(n_all + 1, sizeof(**ids));
	for (size_t i = n_all; i-- > 0;) {
		if (!ended(&all[i]))
			(*ids)[(*n)++] = all[i].id;
		store_digest_free(&all[i]);
	}
	free(all);
	return true;
}

bool cli_digests(struct cli *cli, const char *word, int64_t **ids, size_t *n, struct error *e)
{
	long long id = 0;
	int64_t list_id = 0;

	*ids = NULL;
	*n = 0;
	if (text_to_int(word, 1, INT64_MAX, &id)) {
		struct store_digest d;
		if (!store_digest_get(cli->store, id, &d, e))
			return false;
		store_digest_free(&d);
		*ids = xcalloc(1, sizeof(**ids));
		(*ids)[(*n)++] = id;
		return true;
	}
	if (!cli_list_id(cli, word, &list_id, e))
		return false;
	if (list_id != 0 && !open_digests(cli, list_id, ids, n, e))
		return false;
	if (*n > 0)
		return true;
	free(*ids);
	*ids = NULL;
	return error_set(e, ERROR_NOT_FOUND, "%s: no digest of this list is under way", word);
}

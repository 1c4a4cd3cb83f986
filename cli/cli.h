/* What a command works with: the configuration, the database, the running daemon, and the report in
 * which it tells its result. The first three are opened when they are first asked for. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "hubmail/base_error.h"
#include "hubmail/config.h"
#include "hubmail/store.h"
#include "report.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct args;

struct cli {
	const char *config_file;
	bool quiet;
	bool bears_errors; /* the command's row says so */
	struct report *report;
	struct config *config; /* NULL before cli_config() */
	struct store *store;   /* NULL before cli_store() */
};

void cli_free(struct cli *cli);

/* Reads hubmail.conf into cli->config. ERROR_CONFIG; each of its errors is reported on its own
 * line. For a command that bears errors it is enough that the daemon runs, which says where its
 * database is: then cli->config has no lists, and a warning is given. */
bool cli_config(struct cli *cli, struct error *e);

/* Opens the database into cli->store; made if there is none yet. */
bool cli_store(struct cli *cli, enum store_mode mode, struct error *e);

/* Gives the open database the secret; made if there is none yet. */
bool cli_secret(struct cli *cli, struct error *e);

/* Runs a step in a transaction of its own, and again for as long as it says that there is *more.
 * Between two steps the daemon's writer gets its turn. */
typedef bool cli_step_fn(struct store *s, void *arg, bool *more, struct error *e);
bool cli_in_steps(struct cli *cli, cli_step_fn *step, void *arg, struct error *e);

/* Asks the daemon. The caller's object, or NULL: ERROR_UNAVAILABLE if it does not run, else what it
 * said. Takes over request. */
json_t *cli_ask(struct cli *cli, json_t *request, struct error *e);

/* Gives the daemon, if it runs, a command that needs no answer. */
void cli_tell(struct cli *cli, const char *command);

/* The list of that name in the configuration; with NULL the only one there is. NULL: ERROR_USAGE
 * says which there are, ERROR_NOT_FOUND that it is none of them, ERROR_CONFIG that there are none.
 */
const struct config_list *cli_list(struct cli *cli, const char *name, struct error *e);

/* The id of a list in the configuration or, though it is not declared any more, in the database. 0:
 * ERROR_NOT_FOUND. *id is 0 with true for a declared list that the database does not know yet. */
bool cli_list_id(struct cli *cli, const char *name, int64_t *id, struct error *e);

/* The number in a word such as a digest's; ERROR_USAGE names `what` was expected. */
bool cli_id(const char *word, const char *what, int64_t *id, struct error *e);

/* Calls fn with the normal form of each address on the command line. What fails with one is
 * reported, and then comes the next. */
typedef bool cli_address_fn(struct cli *cli, const char *email, void *arg, struct error *e);
void cli_each_address(struct cli *cli, const struct args *a, cli_address_fn *fn, void *arg);

/* What pause, resume and cancel act on: the digest of that number, or all of a list that have not
 * ended. *ids is the caller's. ERROR_NOT_FOUND. */
bool cli_digests(struct cli *cli, const char *word, int64_t **ids, size_t *n, struct error *e);

#endif

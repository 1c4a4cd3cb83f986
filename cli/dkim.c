/* `dkim`: makes the keys that sign the mails, and shows what is to be published of them. A key that
 * is there is never overwritten: mails that were signed with it are still on their way. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "dkim_plan.h"
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/compose_dkim.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_FILE_MAX ((size_t)16384)
#define KEYS_AT_ONCE 2

static const struct option_spec options[] = {
	{.name = "type",
		.value = "TYPE",
		.choices = "rsa ed25519 both",
		.complete = COMPLETE_CHOICES,
		.help = "the kind of key (default rsa, which every receiver knows)"},
	{.name = "domain",
		.value = "DOMAIN",
		.help = "that signs; without it, that of the lists' senders"},
	{.name = "selector", .value = "NAME", .help = "of the DNS record (default hubmail)"},
	{.name = "output",
		.letter = 'o',
		.value = "FILE",
		.complete = COMPLETE_FILE,
		.help = "for the key (default dkim.pem beside hubmail.conf)"},
	{0},
};

static const struct column columns[] = {
	{"domain", "DOMAIN", 0},
	{"selector", "SELECTOR", 0},
	{"type", "TYPE", 0},
	{"key_file", "FILE", 0},
	{"name", "NAME", 0},
	{"value", "VALUE", 0},
	{"record", "RECORD", 0},
	{"setting", "SETTING", 0},
};
static const struct table keys_table = {
	.empty = "hubmail.conf has no key (`hubmailctl dkim keygen` makes one)",
	TABLE_COLUMNS(columns)};

/* What is published of one key. */
struct record {
	char *name, *value;
	struct buf line;
};

static void record_free(struct record *r)
{
	free(r->name);
	free(r->value);
	buf_free(&r->line);
}

static bool record_make(const char *domain, const char *selector, const char *pem,
	struct record *out, struct error *e)
{
	struct strlist strings = {0};
	struct buf value = {0};
	bool good = dkim_dns_strings(pem, &strings, e) &&
		    dkim_dns_line(domain, selector, pem, &out->line, e);

	for (size_t i = 0; i < strings.n; i++)
		buf_adds(&value, strings.items[i]);
	strlist_free(&strings);
	out->name = xasprintf("%s._domainkey.%s", selector, domain);
	out->value = xstrdup(buf_str(&value));
	buf_free(&value);
	return good;
}

/* ---- hubmail.conf ---- */

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, " %s = \"", name);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *text);
	}
	buf_adds(out, "\";");
}

static void add_group(
	struct buf *out, const char *domain, const char *selector, const char *key_file)
{
	buf_addc(out, '{');
	add_text(out, "domain", domain);
	add_text(out, "selector", selector);
	add_text(out, "key_file", key_file);
	buf_adds(out, " }");
}

/* The whole setting as it should stand: what is there, and the new keys. */
static void add_setting(
	struct buf *out, const struct config *c, const struct dkim_plan *plans, size_t n)
{
	size_t there = c != NULL ? c->n_dkim : 0;
	const char *between = there + n > 1 ? "( " : "";

	buf_adds(out, "dkim = ");
	for (size_t i = 0; i < there; i++, between = ",\n         ") {
		buf_adds(out, between);
		add_group(out, c->dkim[i].domain, c->dkim[i].selector, c->dkim[i].key_file);
	}
	for (size_t i = 0; i < n; i++, between = ",\n         ") {
		buf_adds(out, between);
		add_group(out, plans[i].domain, plans[i].selector, plans[i].file);
	}
	buf_adds(out, there + n > 1 ? " );\n" : ";\n");
}

/* ---- Telling ---- */

static void row(struct report *r, const char *domain, const char *selector, const char *file,
	const struct record *record)
{
	struct buf setting = {0};

	add_group(&setting, domain, selector, file);
	REPORT_ROW(r, cell_text(domain), cell_text(selector),
		cell_text(strstr(record->value, "k=ed25519") != NULL ? "ed25519" : "rsa"),
		cell_text(file), cell_text(record->name), cell_text(record->value),
		cell_text(buf_str(&record->line)), cell_text(buf_str(&setting)));
	buf_free(&setting);
}

/* Lines to be copied: whole, in no table, and there with --quiet too. */
static void lines(struct report *r, const char *text)
{
	struct buf visible = {0};

	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, "\n");
		char *line = xstrndup(p, n);
		text_visible(&visible, line);
		buf_addc(&visible, '\n');
		free(line);
		p += n + (p[n] == '\n');
	}
	report_raw(r, buf_str(&visible), visible.len);
	buf_free(&visible);
}

static void tell_people(
	struct cli *cli, const struct dkim_plan *plans, const struct record *records, size_t n)
{
	struct report *r = cli->report;
	struct dkim_plan undeclared[KEYS_AT_ONCE];
	struct buf setting = {0};
	size_t n_undeclared = 0;

	for (size_t i = 0; i < n; i++)
		report_say(r, "%s: a new %s key", plans[i].file,
			plans[i].kind == DKIM_RSA ? "RSA" : "Ed25519");
	report_say(r, "Publish in the DNS of %s:", plans[0].domain);
	for (size_t i = 0; i < n; i++) {
		lines(r, buf_str(&records[i].line));
		if (!plans[i].declared)
			undeclared[n_undeclared++] = plans[i];
	}
	if (n_undeclared > 0) {
		report_say(r, "Then write into %s:", cli->config_file);
		add_setting(&setting, cli->config, undeclared, n_undeclared);
		lines(r, buf_str(&setting));
		buf_free(&setting);
	}
	report_say(r, "Once the record can be looked up, restart hubmaild (systemctl restart "
		      "hubmaild): it signs from then on.");
}

/* ---- keygen ---- */

static bool write_key(const struct dkim_plan *p, const struct buf *pem, struct error *e)
{
	if (file_create(p->file, pem->data, pem->len, 0600, e))
		return true;
	char *folder = file_folder(p->file);
	if (e->code == ERROR_IO && access(folder, W_OK) != 0 && access(folder, F_OK) == 0)
		error_set(e, ERROR_IO, "%s: this user may not write there: use sudo", p->file);
	free(folder);
	return false;
}

/* All is checked before anything is written. A name that cannot be used is only found by trying.
 */
static bool make_keys(const struct dkim_plan *plans, struct buf *pems, struct record *records,
	size_t n, struct error *e)
{
	struct dkim_key_text keys[KEYS_AT_ONCE];

	for (size_t i = 0; i < n; i++) {
		buf_reserve(&pems[i], KEY_FILE_MAX); /* growing would leave copies behind */
		if (!dkim_keygen(plans[i].kind, &pems[i], e))
			return false;
		keys[i] = (struct dkim_key_text){plans[i].selector, buf_str(&pems[i])};
	}
	struct dkim_signer *signer = dkim_signer_new(plans[0].domain, keys, n, e);
	if (signer == NULL) {
		e->code = ERROR_USAGE;
		return false;
	}
	dkim_signer_free(signer);
	for (size_t i = 0; i < n; i++)
		if (!record_make(
			    plans[i].domain, plans[i].selector, buf_str(&pems[i]), &records[i], e))
			return false;
	return true;
}

static bool keygen_planned(
	struct cli *cli, const struct dkim_plan *plans, size_t n, struct error *e)
{
	struct buf pems[KEYS_AT_ONCE] = {0};
	struct record records[KEYS_AT_ONCE] = {0};
	size_t made = 0;

	if (make_keys(plans, pems, records, n, e))
		while (made < n && write_key(&plans[made], &pems[made], e))
			made++;
	if (made > 0 && report_style(cli->report) == REPORT_TERMINAL) {
		tell_people(cli, plans, records, made);
	} else if (made > 0) {
		report_table(cli->report, &keys_table);
		for (size_t i = 0; i < made; i++)
			row(cli->report, plans[i].domain, plans[i].selector, plans[i].file,
				&records[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (pems[i].data != NULL)
			explicit_bzero(pems[i].data, pems[i].cap);
		buf_free(&pems[i]);
		record_free(&records[i]);
	}
	return made == n;
}

/* Who says everything on the command line needs no hubmail.conf, and a domain is enough if there is
 * none yet. */
static bool load_config(struct cli *cli, const struct dkim_wish *wish, struct error *e)
{
	struct strlist ignored = {0};

	if (wish->domain == NULL)
		return cli_config(cli, e);
	if (access(wish->config_file, F_OK) != 0)
		return true;
	if (wish->selector == NULL || wish->file == NULL)
		return cli_config(cli, e);
	cli->config = config_load_without_passwords(wish->config_file, &ignored);
	strlist_free(&ignored);
	return true;
}

static bool keygen(struct cli *cli, const struct args *a, struct error *e)
{
	const char *type = args_value(a, "type");
	bool both = type != NULL && strcmp(type, "both") == 0;
	bool ed25519 = type != NULL && strcmp(type, "ed25519") == 0;
	enum dkim_kind kinds[KEYS_AT_ONCE] = {ed25519 ? DKIM_ED25519 : DKIM_RSA, DKIM_ED25519};
	struct dkim_plan plans[KEYS_AT_ONCE] = {0};
	struct dkim_wish wish = {
		.domain = args_value(a, "domain"),
		.selector = args_value(a, "selector"),
		.file = args_value(a, "output"),
		.config_file = cli->config_file,
	};
	size_t n = both ? 2 : 1;

	bool done = load_config(cli, &wish, e) &&
		    dkim_plan_make(cli->config, &wish, kinds, n, plans, e) &&
		    keygen_planned(cli, plans, n, e);
	for (size_t i = 0; i < KEYS_AT_ONCE; i++)
		dkim_plan_free(&plans[i]);
	return done;
}

/* ---- show ---- */

static bool read_key(const char *file, struct buf *pem, struct error *e)
{
	buf_reserve(pem, 4 * KEY_FILE_MAX);
	if (file_read(file, KEY_FILE_MAX, pem, e))
		return true;
	if (e->code == ERROR_NOT_FOUND)
		return error_set(e, ERROR_NOT_FOUND,
			"%s: no such file: `hubmailctl dkim keygen` makes it", file);
	if (access(file, R_OK) != 0)
		return error_set(e, ERROR_IO, "%s: this user may not read it: use sudo", file);
	return false;
}

static void show_one(struct cli *cli, const struct config_dkim *d)
{
	char *file = dkim_plan_file(cli->config, d);
	struct record record = {0};
	struct buf pem = {0};
	struct error e = {0};

	if (!read_key(file, &pem, &e)) {
		report_failure(cli->report, &e);
	} else if (!record_make(d->domain, d->selector, buf_str(&pem), &record, &e)) {
		error_prefix(&e, "%s", file);
		report_failure(cli->report, &e);
	} else if (report_style(cli->report) == REPORT_TERMINAL) {
		report_say(cli->report, "; %s", file);
		lines(cli->report, buf_str(&record.line));
	} else {
		row(cli->report, d->domain, d->selector, file, &record);
	}
	explicit_bzero(pem.data, pem.cap);
	buf_free(&pem);
	record_free(&record);
	free(file);
}

static bool show(struct cli *cli, const struct args *a, struct error *e)
{
	for (const struct option_spec *o = options; o->name != NULL; o++)
		if (args_has(a, o->name))
			return error_set(e, ERROR_USAGE,
				"dkim: --%s: `show` takes no option: it shows what hubmail.conf names",
				o->name);
	if (!cli_config(cli, e))
		return false;
	if (report_style(cli->report) != REPORT_TERMINAL || cli->config->n_dkim == 0)
		report_table(cli->report, &keys_table);
	for (size_t i = 0; i < cli->config->n_dkim; i++)
		show_one(cli, &cli->config->dkim[i]);
	return true;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	return strcmp(a->words[0], "keygen") == 0 ? keygen(cli, a, e) : show(cli, a, e);
}

const struct command command_dkim = {
	.name = "dkim",
	.group = GROUP_SERVICE,
	.arguments = "keygen|show",
	.min_words = 1,
	.max_words = 1,
	.choices = "keygen show",
	.complete = COMPLETE_CHOICES,
	.summary = "makes the key that signs the mails, and shows its DNS record",
	.help = "`keygen` makes the key that hubmail.conf names and whose file is missing, or else a\n"
		"new one, and says what belongs into the DNS and into hubmail.conf. A key that is\n"
		"there is never overwritten. With --type both there are two, an RSA key and an\n"
		"Ed25519 key in FILE-ed25519 with the selector NAME-ed25519. `show` prints the\n"
		"records of the keys in hubmail.conf. With --json the record's value stands in one\n"
		"piece, as many DNS providers' forms want it.",
	.options = options,
	.run = run,
};

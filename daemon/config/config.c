/* From files to a struct config: reads them, goes through the groups, and gives back either a
 * configuration without any error or all the errors. */
#include "hubmail/config.h"
#include "agree.h"
#include "file.h"
#include "hubmail/base_mem.h"
#include "password.h"
#include "read.h"

#include <stdlib.h>
#include <string.h>

static struct config *build(struct reading *r, struct strlist *errors);
static struct group whole(const struct reading *r);

struct config *config_load(const char *file, struct strlist *errors)
{
	struct reading r = {.file = file, .look = true, .passwords = true};

	files_read(&r);
	return build(&r, errors);
}

struct config *config_load_without_passwords(const char *file, struct strlist *errors)
{
	struct reading r = {.file = file, .look = true};

	files_read(&r);
	return build(&r, errors);
}

/* Whether the control socket can be relied on: the file is whole, or names it before its syntax
 * error, or is the one that says where the socket of this machine's hubmaild is. */
static bool socket_known(const struct reading *r, const struct group *control, bool parsed)
{
	bool named = false;

	for (size_t i = 0; i < control->n_parts; i++)
		named = named || config_setting_get_member(control->parts[i], "socket") != NULL;
	return r->n_texts > 0 && (parsed || named || strcmp(r->file, CONFIG_DEFAULT_FILE) == 0);
}

struct config *config_load_control(const char *file)
{
	struct reading r = {.file = file};
	struct config *c = xcalloc(1, sizeof(*c));
	struct strlist errors = {0};

	c->file = xstrdup(file);
	files_read(&r);
	bool parsed = r.n_problems == 0;
	struct group root = whole(&r);
	struct group control = group_within(&r, &root, "control");
	bool known = group_read(&r, &control, c) && socket_known(&r, &control, parsed);
	group_free(&control);
	group_free(&root);
	reading_finish(&r, &errors);
	strlist_free(&errors);
	files_free(&r);
	if (known)
		return c;
	config_free(c);
	return NULL;
}

struct config *config_parse(const char *file, const char *text, size_t len, struct strlist *errors)
{
	struct reading r = {.file = file};

	files_parse(&r, text, len);
	return build(&r, errors);
}

const struct config_list *config_find_list(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_lists; i++)
		if (strcmp(c->lists[i].name, name) == 0)
			return &c->lists[i];
	return NULL;
}

/* ---- Reading ---- */

static struct group whole(const struct reading *r)
{
	struct group g = {.kind = "", .path = xstrdup("")};

	g.parts = xcalloc(r->n_texts + 1, sizeof(config_setting_t *));
	for (size_t i = 0; i < r->n_texts; i++)
		g.parts[g.n_parts++] = config_root_setting(&r->texts[i]->parsed);
	return g;
}

static void read_single(struct reading *r, const struct group *root, struct config *c)
{
	static const char *const names[] = {"control", "web", "retry"};

	group_read(r, root, c);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct group g = group_within(r, root, names[i]);
		if (group_read(r, &g, c) && strcmp(names[i], "retry") == 0)
			agree_retry(r, &g, c);
		group_free(&g);
	}
}

static void read_relays(struct reading *r, const struct group *root, struct config *c)
{
	struct groups found = groups_within(r, root, "relays");

	c->relays = xcalloc(found.n + 1, sizeof(*c->relays));
	for (size_t i = 0; i < found.n; i++) {
		c->n_relays = i + 1;
		group_read(r, &found.items[i], &c->relays[i]);
		agree_relay(r, &found.items[i], c, i);
	}
	groups_free(&found);
}

static void read_domains(struct reading *r, const struct group *root, struct config *c)
{
	struct groups found = groups_within(r, root, "domains");

	c->domains = xcalloc(found.n + 1, sizeof(*c->domains));
	for (size_t i = 0; i < found.n; i++) {
		c->n_domains = i + 1;
		group_read(r, &found.items[i], &c->domains[i]);
		agree_domain(r, &found.items[i], c, i);
	}
	groups_free(&found);
}

static void read_dkim(struct reading *r, const struct group *root, struct config *c)
{
	struct groups found = groups_within(r, root, "dkim");

	c->dkim = xcalloc(found.n + 1, sizeof(*c->dkim));
	for (size_t i = 0; i < found.n; i++) {
		c->n_dkim = i + 1;
		group_read(r, &found.items[i], &c->dkim[i]);
		agree_dkim(r, &found.items[i], c, i);
	}
	groups_free(&found);
}

static void read_sources(struct reading *r, const struct group *list, struct config_list *l)
{
	struct groups found = groups_within(r, list, "sources");

	l->sources = xcalloc(found.n + 1, sizeof(*l->sources));
	for (size_t i = 0; i < found.n; i++) {
		l->n_sources = i + 1;
		bool clean = group_read(r, &found.items[i], &l->sources[i]);
		agree_source(r, &found.items[i], l, i, clean);
	}
	groups_free(&found);
}

static void read_lists(struct reading *r, const struct group *root, struct config *c)
{
	struct groups found = groups_within(r, root, "lists");

	c->lists = xcalloc(found.n + 1, sizeof(*c->lists));
	for (size_t i = 0; i < found.n; i++) {
		c->n_lists = i + 1;
		bool clean = group_read(r, &found.items[i], &c->lists[i]);
		agree_list(r, &found.items[i], c, i, clean);
		read_sources(r, &found.items[i], &c->lists[i]);
	}
	groups_free(&found);
}

/* The smaller number first; insertion keeps those with the same one as they were written. */
static void sort_relays(struct config *c)
{
	for (size_t i = 1; i < c->n_relays; i++) {
		struct config_relay moved = c->relays[i];
		size_t to = i;
		for (; to > 0 && c->relays[to - 1].priority > moved.priority; to--)
			c->relays[to] = c->relays[to - 1];
		c->relays[to] = moved;
	}
}

static struct config *build(struct reading *r, struct strlist *errors)
{
	struct config *c = xcalloc(1, sizeof(*c));

	c->file = xstrdup(r->file);
	if (r->n_problems == 0) {
		struct group root = whole(r);
		read_single(r, &root, c);
		read_relays(r, &root, c);
		read_domains(r, &root, c);
		read_dkim(r, &root, c);
		read_lists(r, &root, c);
		group_free(&root);
		sort_relays(c);
	}
	bool failed = r->n_problems > 0;
	reading_finish(r, errors);
	files_free(r);
	if (!failed)
		return c;
	config_free(c);
	return NULL;
}

/* ---- Freeing ---- */

static void free_relay(struct config_relay *r)
{
	free(r->name);
	free(r->host);
	free(r->tls_ca_file);
	free(r->username);
	password_free(r->password);
	free(r->token_command);
	free(r->hello);
}

void config_list_free(struct config_list *l)
{
	for (size_t i = 0; i < l->n_sources; i++) {
		free(l->sources[i].location);
		free(l->sources[i].url);
		free(l->sources[i].permalink);
		strlist_free(&l->sources[i].categories);
	}
	free(l->sources);
	free(l->name);
	free(l->title);
	free(l->description);
	free(l->from);
	free(l->from_name);
	free(l->reply_to);
	free(l->timezone);
	free(l->language);
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n_relays; i++)
		free_relay(&c->relays[i]);
	for (size_t i = 0; i < c->n_lists; i++)
		config_list_free(&c->lists[i]);
	for (size_t i = 0; i < c->n_domains; i++)
		free(c->domains[i].name);
	for (size_t i = 0; i < c->n_dkim; i++) {
		free(c->dkim[i].domain);
		free(c->dkim[i].selector);
		free(c->dkim[i].key_file);
		password_free(c->dkim[i].key);
	}
	free(c->relays);
	free(c->domains);
	free(c->dkim);
	free(c->lists);
	free(c->file);
	free(c->database);
	free(c->secret_file);
	free(c->control_socket);
	free(c->control_group);
	free(c->web_listen_host);
	free(c->web_url);
	free(c);
}

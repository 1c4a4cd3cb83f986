/* What settings mean together: names that must differ, a password that needs TLS, a source that is
 * one thing or the other, numbers in the right order. Reads the passwords, too, since whether there
 * must be one depends on the user name. */
#include "agree.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "password.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>

static bool same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void say(struct reading *r, const struct group *g, const char *name, const char *sentence)
{
	report(r, group_place(g, name), g->path, name, "%s", sentence);
}

void agree_retry(struct reading *r, const struct group *g, const struct config *c)
{
	if (c->retry_first > c->retry_longest)
		say(r, g, "first", "is longer than retry.longest, the longest pause");
	if (c->retry_longest > c->retry_give_up)
		say(r, g, "longest",
			"is longer than retry.give_up, after which there is no further attempt");
}

/* ---- Relays ---- */

static bool is_this_machine(const char *host)
{
	return strcmp(host, "localhost") == 0 ||
	       (text_starts(host, "127.") && host[strspn(host, "0123456789.")] == '\0');
}

static const char *text_setting(const struct group *g, const char *name)
{
	config_setting_t *s = config_setting_get_member(g->parts[0], name);

	return s != NULL ? config_setting_get_string(s) : NULL;
}

static bool stands(const struct group *g, const char *name)
{
	return config_setting_get_member(g->parts[0], name) != NULL;
}

static void read_password(struct reading *r, const struct group *g, struct config_relay *relay)
{
	struct error e = {0};
	const char *from = text_setting(g, "password_file");

	if (!r->passwords || from == NULL || relay->username == NULL ||
		!value_password_file(from, NULL))
		return;
	relay->password = password_read(r->file, from, &e);
	if (relay->password == NULL)
		say(r, g, "password_file", e.text);
}

static void check_login(struct reading *r, const struct group *g, const struct config_relay *relay)
{
	bool password = stands(g, "password_file"), token = stands(g, "token_command");

	if (stands(g, "username") && !password && !token)
		say(r, g, "username",
			"needs password_file, the file or the systemd credential with the password, or "
			"token_command");
	if (!stands(g, "username") && (password || token))
		say(r, g, password ? "password_file" : "token_command",
			"needs username, the name to log in with");
	if (password && token)
		say(r, g, "token_command", "takes the place of password_file: remove one of them");
	if (stands(g, "username") && relay->tls == TLS_NONE && relay->host != NULL &&
		!relay->allow_plain_auth && !is_this_machine(relay->host))
		say(r, g, "tls",
			"\"none\" would send the password unencrypted over the network: write "
			"\"starttls\" or \"implicit\", or allow_plain_auth = true");
}

static void check_relay_name(
	struct reading *r, const struct group *g, const struct config *c, size_t index)
{
	const char *name = c->relays[index].name;
	const char *setting = stands(g, "name") ? "name" : "host";

	for (size_t i = 0; i < index; i++) {
		if (!same(name, c->relays[i].name))
			continue;
		report(r, group_place(g, setting), g->path, setting,
			"there is a relay \"%s\" already: give each a name of its own", name);
		return;
	}
}

void agree_relay(struct reading *r, const struct group *g, struct config *c, size_t index)
{
	struct config_relay *relay = &c->relays[index];

	if (relay->name == NULL)
		relay->name = xstrdup(relay->host);
	check_relay_name(r, g, c, index);
	check_login(r, g, relay);
	read_password(r, g, relay);
}

void agree_domain(struct reading *r, const struct group *g, const struct config *c, size_t index)
{
	const struct config_domain *d = &c->domains[index];

	if (d->connections == 0 && d->rate.count == 0 && d->name != NULL)
		say(r, g, "name", "has no limit: write connections = N; or rate = \"N/s\";");
	for (size_t i = 0; i < index; i++)
		if (same(d->name, c->domains[i].name))
			report(r, group_place(g, "name"), g->path, "name",
				"there are limits for \"%s\" already", d->name);
}

void agree_dkim(struct reading *r, const struct group *g, struct config *c, size_t index)
{
	struct config_dkim *d = &c->dkim[index];
	const char *from = text_setting(g, "key_file");
	struct error e = {0};

	for (size_t i = 0; i < index; i++)
		if (same(d->domain, c->dkim[i].domain) && same(d->selector, c->dkim[i].selector))
			say(r, g, "selector",
				"stands with another key of this domain already: there is one DNS record "
				"for each name");
	if (!r->passwords || from == NULL || !value_password_file(from, NULL))
		return;
	d->key = key_read(r->file, from, &e);
	if (d->key == NULL)
		say(r, g, "key_file", e.text);
}

/* ---- Lists ---- */

void agree_list(
	struct reading *r, const struct group *g, struct config *c, size_t index, bool clean)
{
	struct config_list *l = &c->lists[index];

	if (l->title == NULL)
		l->title = xstrdup(l->name);
	l->offers[l->schedule.edition] = true;
	if (clean && l->min_posts > l->max_posts)
		report(r, group_place(g, "min_posts"), g->path, "min_posts",
			"%d is more than max_posts (%d)", l->min_posts, l->max_posts);
	for (size_t i = 0; i < index; i++) {
		if (!same(l->name, c->lists[i].name))
			continue;
		report(r, group_place(g, "name"), g->path, "name",
			"there is a list \"%s\" already: give each a name of its own", l->name);
		return;
	}
}

static void check_source_parts(
	struct reading *r, const struct group *g, const struct config_source *s)
{
	if (s->location == NULL)
		say(r, g, "",
			"neither feed nor wordpress nor directory stands here: write { feed = "
			"\"https://example.org/feed/\"; }, { wordpress = "
			"\"https://example.org\"; } or { directory = \"/srv/blog/posts\"; url = "
			"\"https://example.org/posts/\"; }");
	else if (s->kind == SOURCE_DIRECTORY && s->url == NULL)
		say(r, g, "url",
			"is missing: the public address of the folder, for links to its posts");
	else if (s->kind != SOURCE_DIRECTORY && s->url != NULL)
		say(r, g, "url", "belongs to a directory: other sources say where their posts are");
	if (s->location != NULL && s->kind != SOURCE_DIRECTORY && s->permalink != NULL)
		say(r, g, "permalink",
			"belongs to a directory: other sources say where their posts are");
	if (s->location != NULL && s->kind == SOURCE_DIRECTORY && s->allow_private)
		say(r, g, "allow_private",
			"is for what is asked over the network: a directory is on this machine");
}

void agree_source(
	struct reading *r, const struct group *g, struct config_list *l, size_t index, bool clean)
{
	const struct config_source *s = &l->sources[index];
	static const char *const settings[] = {
		[SOURCE_FEED] = "feed",
		[SOURCE_WORDPRESS] = "wordpress",
		[SOURCE_DIRECTORY] = "directory",
	};
	const char *setting = settings[s->kind];

	if (clean)
		check_source_parts(r, g, s);
	for (size_t i = 0; i < index; i++) {
		if (l->sources[i].kind != s->kind || !same(l->sources[i].location, s->location))
			continue;
		say(r, g, setting, "stands in this list already");
		return;
	}
}

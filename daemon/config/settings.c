/* The one table of all settings: what there is, of which type, within which limits, with which
 * default. The parser is driven by it; the example and the man page are compared with it. A setting
 * that hubmail's documentation promises for later stands in a table of its own, so that it is not
 * called unknown. */
#include "settings.h"
#include "value.h"

#include <string.h>

#define RULE(...) (&(const struct config_rule){__VA_ARGS__})
#define AT(owner, member) .offset = offsetof(struct owner, member)

/* A text has at most `bytes` bytes, and never control characters; further arguments say what else
 * is looked at. */
#define TEXT(group, name, type, fallback, bytes, help, ...)                                        \
	{                                                                                          \
		group, name, type, fallback, help,                                                 \
			RULE(.kind = KIND_TEXT, .max = bytes, __VA_ARGS__)                         \
	}
#define TEXTS(group, name, type, bytes, help, ...)                                                 \
	{                                                                                          \
		group, name, type, NULL, help, RULE(.kind = KIND_TEXTS, .max = bytes, __VA_ARGS__) \
	}
#define NUMBER(group, name, least, most, fallback, help, ...)                                      \
	{                                                                                          \
		group, name, "number " #least ".." #most, #fallback, help,                         \
			RULE(.kind = KIND_NUMBER, .min = least, .max = most, __VA_ARGS__)          \
	}
#define DURATION(group, name, least, most, fallback, help, ...)                                    \
	{                                                                                          \
		group, name, "duration " least ".." most, fallback, help,                          \
			RULE(.kind = KIND_DURATION, .shortest = least, .longest = most,            \
				__VA_ARGS__)                                                       \
	}
#define CHOICE(group, name, list, fallback, help, ...)                                             \
	{                                                                                          \
		group, name, "one of: " list, fallback, help,                                      \
			RULE(.kind = KIND_CHOICE, .words = list, __VA_ARGS__)                      \
	}

#define FLAG(group, name, fallback, help, ...)                                                     \
	{                                                                                          \
		group, name, "true or false", #fallback, help,                                     \
			RULE(.kind = KIND_FLAG, __VA_ARGS__)                                       \
	}

#define REQUIRED ""
#define EDITIONS "each, daily, weekly, monthly"
#define TIMEOUT(name, fallback, help)                                                              \
	DURATION("relays", #name, "1s", "1h", fallback, help, AT(config_relay, name))

static const struct config_setting settings[] = {
	TEXT("", "database", "path", "/var/lib/hubmail/hubmail.db", PATH_LIMIT,
		"the SQLite database with readers, posts and queue", AT(config, database),
		.check = value_path),
	TEXT("", "secret_file", "path", "/var/lib/hubmail/secret", PATH_LIMIT,
		"the secret behind readers' links; made at the first start",
		AT(config, secret_file), .check = value_path),
	CHOICE("", "on_unknown", "resend, hold", "resend",
		"what becomes of a message that a crash left without the relay's answer",
		AT(config, on_unknown)),

	TEXT("control", "socket", "path", "/run/hubmail/control.sock", SOCKET_PATH_LIMIT,
		"the Unix socket on which hubmailctl talks to the daemon",
		AT(config, control_socket), .check = value_path),
	TEXT("control", "group", "text", NULL, 32,
		"the group whose members may use that socket beside root and the daemon's user",
		AT(config, control_group), .check = value_group_name,
		.on_machine = value_group_exists),

	TEXT("web", "listen", "address:port", "127.0.0.1:8025", 64,
		"where the public pages are served, usually for a web server in front",
		.take = value_take_listen),
	TEXT("web", "url", "URL", REQUIRED, 500,
		"the public address of these pages, as it stands in the mails' links",
		.take = value_take_web_url),

	DURATION("retry", "first", "1s", "1d", "5m",
		"the pause after a delivery's first temporary failure; it doubles each time",
		AT(config, retry_first)),
	DURATION("retry", "longest", "1s", "7d", "4h", "the longest pause between two attempts",
		AT(config, retry_longest)),
	DURATION("retry", "give_up", "1s", "30d", "5d",
		"after this long a delivery that still fails has failed",
		AT(config, retry_give_up)),

	NUMBER("retry", "pause_after", 0, 100, 10,
		"so many refusals on principle (5.7.x) in a row hold the digest back; 0: never",
		AT(config, pause_after)),

	TEXT("relays", "name", "text", NULL, 64,
		"its name in the log and in status; the host if it is not set",
		AT(config_relay, name), .check = value_relay_name),
	TEXT("relays", "host", "host", REQUIRED, 253, "the SMTP server: a name or an IPv4 address",
		AT(config_relay, host), .check = value_host),
	NUMBER("relays", "port", 1, 65535, 587, "its port", AT(config_relay, port)),
	CHOICE("relays", "tls", "none, starttls, implicit", "starttls",
		"whether the connection is encrypted, and must be", AT(config_relay, tls)),
	TEXT("relays", "tls_ca_file", "path", NULL, PATH_LIMIT,
		"certificates (PEM) to trust in place of the system's",
		AT(config_relay, tls_ca_file), .check = value_path,
		.on_machine = value_readable_file),
	TEXT("relays", "username", "text", NULL, LOGIN_LIMIT, "the name to log in with",
		AT(config_relay, username)),
	TEXT("relays", "password_file", "path or name", NULL, PATH_LIMIT,
		"the file or the systemd credential that holds the password",
		.offset = SETTING_NOT_KEPT, .check = value_password_file),
	TEXT("relays", "token_command", "command", NULL, 1000,
		"prints a token to log in with in place of a password (XOAUTH2)",
		AT(config_relay, token_command)),
	FLAG("relays", "allow_plain_auth", false,
		"whether the password may go over a connection that is not encrypted",
		AT(config_relay, allow_plain_auth)),
	FLAG("relays", "pipelining", true,
		"whether a relay that offers PIPELINING is sent several commands at once",
		AT(config_relay, pipelining)),
	FLAG("relays", "discard", false,
		"whether mails are thrown away, as if this relay had taken them",
		AT(config_relay, discard)),
	NUMBER("relays", "connections", 1, 256, 4, "sessions at the same time, at most",
		AT(config_relay, connections)),
	NUMBER("relays", "messages_per_connection", 1, 100000, 100,
		"messages in one session, at most", AT(config_relay, messages_per_connection)),
	NUMBER("relays", "priority", 0, 1000, 10,
		"which relay is taken first: the one with the smaller number",
		AT(config_relay, priority)),
	NUMBER("relays", "weight", 1, 1000, 1,
		"its share of the sessions among relays of one priority", AT(config_relay, weight)),
	TEXT("relays", "rate", "rate", NULL, 32,
		"messages it may be given, evenly: \"100/s\", \"3000/h\"", .take = value_take_rate),
	TEXT("relays", "limit", "rate", NULL, 32,
		"messages it may be given in any stretch of that length: \"50000/d\"",
		.take = value_take_limit),
	TIMEOUT(connect_timeout, "30s", "how long connecting may take"),
	TIMEOUT(greeting_timeout, "1m", "how long the relay's greeting may take"),
	TIMEOUT(envelope_timeout, "1m", "how long its answer to a command may take"),
	TIMEOUT(transfer_timeout, "10m", "how long it may take none of the message's text"),
	TIMEOUT(answer_timeout, "10m", "how long its answer to a whole message may take"),
	TEXT("relays", "hello", "host", NULL, 253,
		"the name hubmail gives itself to the relay; this machine's if it is not set",
		AT(config_relay, hello), .check = value_hello),

	TEXT("dkim", "domain", "host", REQUIRED, 253,
		"the domain that signs: that of a list's sender, or one above it",
		AT(config_dkim, domain), .check = value_host),
	TEXT("dkim", "selector", "host", REQUIRED, 63,
		"the name of the key's DNS record: SELECTOR._domainkey.DOMAIN",
		AT(config_dkim, selector), .check = value_host),
	TEXT("dkim", "key_file", "path or name", REQUIRED, PATH_LIMIT,
		"the file or the systemd credential that holds the private key",
		AT(config_dkim, key_file), .check = value_password_file),

	TEXT("domains", "name", "host", REQUIRED, 253, "the part after the \"@\": \"gmail.com\"",
		.take = value_take_domain),
	{"domains", "connections", "number 1..256", NULL,
		"messages on their way to it at the same time, at most",
		RULE(.kind = KIND_NUMBER, .min = 1, .max = 256, AT(config_domain, connections))},
	TEXT("domains", "rate", "rate", NULL, 32, "messages to it, evenly: \"20/s\"",
		.take = value_take_domain_rate),

	TEXT("lists", "name", "text", REQUIRED, 64,
		"the list's short name: small letters, digits and hyphens", AT(config_list, name),
		.check = value_list_name),
	TEXT("lists", "title", "text", NULL, 300, "its title for people; the name if it is not set",
		AT(config_list, title)),
	TEXT("lists", "description", "text", NULL, 1000, "a sentence on what it is about",
		AT(config_list, description)),
	TEXT("lists", "from", "mailbox", REQUIRED, 500,
		"the sender: \"Beijing Tech <news@example.org>\"", .take = value_take_from),
	TEXT("lists", "reply_to", "address", NULL, 300,
		"where readers' answers go, if not to the sender", .take = value_take_reply_to),
	TEXT("lists", "schedule", "schedule", REQUIRED, 100,
		"when a digest goes out: \"each\", \"daily 08:00\", \"weekly mon 08:00\", "
		"\"monthly 1 08:00\" or \"manual\"",
		.take = value_take_schedule),
	TEXT("lists", "timezone", "time zone", "UTC", 64,
		"the time zone of the schedule: \"Europe/Zurich\"", AT(config_list, timezone),
		.check = value_timezone, .on_machine = value_timezone_exists),
	TEXTS("lists", "editions", "list of: " EDITIONS, 16,
		"what a reader may choose instead of the schedule", .words = EDITIONS,
		.take = value_take_edition),
	NUMBER("lists", "min_posts", 1, 1000, 1, "fewer new posts than this wait for the next time",
		AT(config_list, min_posts)),
	NUMBER("lists", "max_posts", 1, 1000, 20, "posts in one digest, at most",
		AT(config_list, max_posts)),
	CHOICE("lists", "content", "excerpt, full", "excerpt",
		"how much of a post stands in the mail", AT(config_list, content)),
	TEXT("lists", "language", "language", "en", 35,
		"the language of the mails: \"en\", \"zh-CN\"", AT(config_list, language),
		.check = value_language),

	TEXT("lists.sources", "feed", "URL", NULL, 2000, "an RSS or Atom feed",
		.take = value_take_feed),
	TEXT("lists.sources", "wordpress", "URL", NULL, 2000,
		"the address of a WordPress, which is asked for its posts by its REST API",
		.take = value_take_wordpress),
	TEXT("lists.sources", "directory", "path", NULL, PATH_LIMIT,
		"a folder with posts in Markdown or HTML", .take = value_take_directory),
	TEXT("lists.sources", "url", "URL", NULL, 2000, "the public address of that folder",
		.take = value_take_directory_url),
	TEXT("lists.sources", "permalink", "pattern", NULL, 500,
		"how the addresses of that folder's posts are made: \"/:year/:month/:slug/\"",
		AT(config_source, permalink), .check = value_permalink),
	DURATION("lists.sources", "interval", "1s", "7d", "10m", "the time between two looks",
		AT(config_source, interval)),
	FLAG("lists.sources", "allow_private", false,
		"whether it may be at an address that is not one of the public Internet",
		AT(config_source, allow_private)),
	TEXTS("lists.sources", "categories", "list of texts", 200,
		"only posts in one of these categories", AT(config_source, categories)),
};

static const struct setting_group groups[] = {
	{"", "control", "control", 0, "hubmailctl's way to the daemon", false},
	{"", "web", "web", 0, "the public pages", false},
	{"", "retry", "retry", 0, "temporary failures", false},
	{"", "domains", "domains", DOMAINS_MAX, NULL, false},
	{"", "dkim", "dkim", DKIM_MAX, NULL, true},
	{"", "relays", "relays", RELAYS_MAX,
		"the SMTP server that takes the mail: relays = ( { host = \"smtp.example.org\"; } );",
		false},
	{"", "lists", "lists", LISTS_MAX,
		"the newsletter that people subscribe to: lists = ( { name = \"news\"; … } );",
		false},
	{"lists", "sources", "lists.sources", SOURCES_MAX,
		"where its posts appear: sources = ( { feed = \"https://example.org/feed/\"; } );",
		false},
};

static const struct {
	const char *group, *name, *value;
} later[] = {
	{"", "bounces", NULL},
	{"web", "metrics_listen", NULL},
	{"web", "trusted_proxies", NULL},
	{"lists", "opt_in", NULL},
	{"lists", "template", NULL},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct config_setting *config_settings(size_t *n)
{
	*n = COUNT(settings);
	return settings;
}

const struct setting_group *setting_groups(size_t *n)
{
	*n = COUNT(groups);
	return groups;
}

const struct setting_group *setting_group_find(const char *parent, const char *name)
{
	for (size_t i = 0; i < COUNT(groups); i++)
		if (strcmp(groups[i].parent, parent) == 0 && strcmp(groups[i].name, name) == 0)
			return &groups[i];
	return NULL;
}

bool setting_comes_later(const char *group, const char *name, const char *value)
{
	for (size_t i = 0; i < COUNT(later); i++) {
		if (strcmp(later[i].group, group) != 0 || strcmp(later[i].name, name) != 0)
			continue;
		if (value == NULL ? later[i].value == NULL
				  : later[i].value != NULL && strcmp(later[i].value, value) == 0)
			return true;
	}
	return false;
}

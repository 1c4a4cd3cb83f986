/* hubmail.conf, read once into checked structs. Everything is borrowed from the struct config and
 * constant after it was loaded, so that any thread may read it. Loading is for the main thread. */
#ifndef HUBMAIL_CONFIG_H
#define HUBMAIL_CONFIG_H

#include "hubmail/base_address.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include "hubmail/edition.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_DEFAULT_FILE HUBMAIL_SYSCONFDIR "/hubmail/hubmail.conf"

enum config_tls { TLS_NONE, TLS_STARTTLS, TLS_IMPLICIT };
enum config_on_unknown { UNKNOWN_RESEND, UNKNOWN_HOLD };
enum config_content { CONTENT_EXCERPT, CONTENT_FULL };
enum config_source_kind { SOURCE_FEED, SOURCE_WORDPRESS, SOURCE_DIRECTORY };

/* `count` messages in `seconds`; count 0: no limit. */
struct config_rate {
	int64_t count, seconds;
};

struct config_relay {
	char *name; /* for logs and status; default: the host */
	char *host; /* name or IPv4 literal */
	int port;
	enum config_tls tls;
	char *tls_ca_file;   /* PEM, or NULL: the system's */
	char *username;      /* NULL: no login */
	char *password;      /* the first line of password_file or of the systemd credential of that
				name; NULL without username, and where passwords are not read */
	char *token_command; /* run by /bin/sh, prints the token for XOAUTH2; NULL: a password */
	bool pipelining;     /* used if the relay offers it */
	bool discard;        /* nothing is sent; each message counts as sent */
	bool allow_plain_auth; /* the password may go over a connection without TLS */
	int connections;       /* sessions at most */
	int messages_per_connection;
	int priority;             /* the smaller is taken first */
	int weight;               /* share of the sessions among relays of one priority; from 1 */
	struct config_rate rate;  /* kept evenly */
	struct config_rate limit; /* in any window of that length */
	int connect_timeout;      /* seconds, as the four below */
	int greeting_timeout, envelope_timeout, transfer_timeout, answer_timeout;
	char *hello; /* the name said in EHLO; default: this machine's */
};

/* at: minutes after midnight in the list's time zone; weekday 0 = Sunday; monthday 1..31, a longer
 * day than the month has is its last. */
struct config_schedule {
	enum edition edition;
	int at;
	int weekday;
	int monthday;
};

struct config_source {
	enum config_source_kind kind;
	char *location;     /* the URL of the feed, or of the WordPress without a '/' at its end;
			       or the directory's path without one */
	char *url;          /* directory only: the public address of the folder, ends in '/' */
	char *permalink;    /* directory only: the pattern of its posts' addresses, or NULL */
	int interval;       /* seconds between two looks */
	bool allow_private; /* not of a directory: may be on this machine or in this network */
	struct strlist categories; /* only posts of one of these; empty: all */
};

struct config_list {
	char *name;        /* [a-z0-9][a-z0-9-]*, at most 64 */
	char *title;       /* default: the name */
	char *description; /* or NULL */
	char *from;        /* as written: "Beijing Tech <news@example.org>" */
	char *from_name;   /* or NULL */
	char from_address[ADDRESS_MAX + 1];
	char *reply_to;                /* an address, or NULL */
	struct config_source *sources; /* at least one */
	size_t n_sources;
	struct config_schedule schedule;
	char *timezone; /* an IANA name that exists in /usr/share/zoneinfo; default "UTC" */
	bool offers[5]; /* offers[EDITION_x]: a reader may choose it; the schedule's own is always
			   true */
	int min_posts, max_posts;
	enum config_content content;
	char *language; /* BCP 47, default "en" */
};

/* Limits for the recipients of one domain. */
struct config_domain {
	char *name;      /* in its normal form */
	int connections; /* messages on their way at once; 0: as many as there are */
	struct config_rate rate;
};

/* A key that signs mails (RFC 6376). */
struct config_dkim {
	char *domain;
	char *selector;
	char *key_file; /* as written: a path, or the name of a credential or of a file beside
			   hubmail.conf */
	char *key;      /* PEM; NULL if it was not to be read */
};

struct config {
	char *file;
	char *database;
	char *secret_file;
	char *control_socket;
	char *control_group;   /* or NULL: only root and the daemon's own user */
	char *web_listen_host; /* an IPv4 or IPv6 literal without brackets */
	int web_listen_port;
	char *web_url; /* without a '/' at the end */
	enum config_on_unknown on_unknown;
	int retry_first, retry_longest, retry_give_up; /* seconds */
	int pause_after; /* refusals on principle (5.7.x, 5.5.x) in a row that hold a digest back */
	struct config_relay *relays; /* at least one; sorted by priority, then as written */
	size_t n_relays;
	struct config_domain *domains;
	size_t n_domains;
	struct config_dkim *dkim;
	size_t n_dkim;
	struct config_list *lists; /* at least one */
	size_t n_lists;
};

/* Reads `file` and conf.d/ beside it (every *.conf, sorted by name: its `lists` and `relays` are
 * added to those that are there; any other setting may stand only once). Passwords are read too.
 * NULL if there is any error; *errors (not NULL) then holds one line for each, with file, line,
 * setting and what was expected, all of them and not only the first. Warnings do not exist: what is
 * wrong is an error. */
struct config *config_load(const char *file, struct strlist *errors);

/* The same for a tool that sends nothing: it may be run by somebody who cannot read the passwords,
 * and does not look at them. */
struct config *config_load_without_passwords(const char *file, struct strlist *errors);

/* How a tool reaches the running daemon though its configuration has errors: `file` and the
 * settings of the group `control`, everything else is zero. NULL if those cannot be known. */
struct config *config_load_control(const char *file);

/* Reads the len bytes of one file called `file` in errors, without looking at anything on the
 * machine: no conf.d, no password, no CA file, and a time zone is only looked at by its form. */
struct config *config_parse(const char *file, const char *text, size_t len, struct strlist *errors);

void config_free(struct config *c);
void config_list_free(struct config_list *l); /* the content of one, for whoever copied it */

const struct config_list *config_find_list(const struct config *c, const char *name); /* or NULL */

/* Reads "each", "manual", "daily HH:MM", "weekly DAY HH:MM" or "monthly D HH:MM". ERROR_CONFIG says
 * what is wrong. */
bool config_parse_schedule(const char *text, struct config_schedule *out, struct error *e);

/* The table that the parser, the example and the man page share. */
struct config_rule; /* how a setting is read: the room's own */
struct config_setting {
	const char *group; /* "", "control", "web", "retry", "relays", "lists", "lists.sources" */
	const char *name;
	const char *type;     /* "text", "duration 1s..1h", "number 1..1000", "one of: a, b", … */
	const char *fallback; /* the default as written in the file, a text without its quotes; "" =
				 required, NULL = optional without a default */
	const char *help;     /* one line */
	const struct config_rule *rule;
};
const struct config_setting *config_settings(size_t *n);

#endif

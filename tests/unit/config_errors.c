/* What is wrong in a configuration, and what is said about it. */
#include "config_helper.h"

#define KNOWN_TOP "database secret_file on_unknown control web retry domains dkim relays lists"
#define KNOWN_LIST                                                                                 \
	"name title description from reply_to schedule timezone editions min_posts max_posts "     \
	"content language sources"

const char *__lsan_default_suppressions(void);

/* libconfig 1.5 does not free the text of a token that a syntax error leaves over. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static void test_an_empty_file_says_what_is_missing(void **state)
{
	(void)state;
	expect_errors("",
		"hubmail.conf: web.url: is missing: the public address of these pages, as it "
		"stands in the mails' links\n"
		"hubmail.conf: relays: is missing: the SMTP server that takes the mail: relays = ( "
		"{ host = \"smtp.example.org\"; } );\n"
		"hubmail.conf: lists: is missing: the newsletter that people subscribe to: lists = "
		"( { name = \"news\"; … } );");
}

static void test_all_errors_are_shown_in_the_order_of_the_lines(void **state)
{
	(void)state;
	refuse("1: web.url: \"news\" begins with neither \"https://\" nor \"http://\"\n"
	       "hubmail.conf:2: relays[0].host: is missing: the SMTP server: a name or an IPv4 "
	       "address\n"
	       "hubmail.conf:3: lists[0].schedule: \"weekly moon 08:00\" has no day \"moon\" "
	       "(mon tue wed thu fri sat sun)\n"
	       "hubmail.conf:5: on_unknown: \"forget\" is none of: resend, hold",
		.web = "url = \"news\";", .relay = "port = 25;",
		.list = "name = \"news\"; from = \"news@example.org\"; schedule = \"weekly moon "
			"08:00\";",
		.top = "on_unknown = \"forget\";");
}

static void test_there_is_an_end_to_the_errors_that_are_shown(void **state)
{
	(void)state;
	struct buf text = {0};
	struct strlist errors = {0};

	for (int i = 0; i < 300; i++)
		buf_addf(&text, "unknown-%d = 1;\n", i);
	assert_null(config_parse("hubmail.conf", text.data, text.len, &errors));
	assert_int_equal(errors.n, 201);
	assert_string_equal(errors.items[200], "hubmail.conf: … and 103 more errors");
	strlist_free(&errors);
	buf_free(&text);
}

static void test_a_misspelt_setting_gets_a_suggestion(void **state)
{
	(void)state;
	refuse("3: lists[0].titel: unknown setting: did you mean \"title\"? (known "
	       "here: " KNOWN_LIST ")",
		.list = LIST " titel = \"x\";");
	refuse("5: list: unknown setting: did you mean \"lists\"? (known here: " KNOWN_TOP ")",
		.top = "list = ();");
}

static void test_a_setting_in_the_wrong_group_is_shown_its_own(void **state)
{
	(void)state;
	refuse("5: min_posts: unknown setting: it belongs into lists (known here: " KNOWN_TOP ")",
		.top = "min_posts = 1;");
	refuse("1: web.database: unknown setting: it belongs into the file outside of all groups "
	       "(known here: listen url)",
		.web = WEB " database = \"x\";");
}

static void test_a_setting_of_nowhere_is_told_what_there_is(void **state)
{
	(void)state;
	refuse("5: colour: unknown setting (known here: " KNOWN_TOP ")", .top = "colour = 1;");
}

static void test_a_setting_of_a_later_version_is_not_called_unknown(void **state)
{
	(void)state;
#define NOT_YET                                                                                    \
	": this version of hubmail does not have this setting yet: remove it or put a \"#\" "      \
	"before it"
	refuse("5: bounces" NOT_YET, .top = "bounces = { };");
	refuse("1: web.trusted_proxies" NOT_YET,
		.web = WEB " trusted_proxies = ( \"127.0.0.1\" );");
	refuse("3: lists[0].opt_in" NOT_YET, .list = LIST " opt_in = \"double\";");
}

static void test_a_value_of_the_wrong_type_is_told_the_right_one(void **state)
{
	(void)state;
	refuse("2: relays[0].port: a text stands here, but a whole number from 1 to 65535 "
	       "(without quotes) is expected",
		.relay = RELAY " port = \"587\";");
	refuse("2: relays[0].port: a number with a fraction stands here, but a whole number from "
	       "1 to 65535 (without quotes) is expected",
		.relay = RELAY " port = 587.5;");
	refuse("5: database: a number stands here, but a text in \"quotes\" is expected",
		.top = "database = 5;");
	refuse("5: on_unknown: true or false stands here, but a text in \"quotes\" is expected",
		.top = "on_unknown = true;");
	refuse("5: retry.first: a list in [ ] stands here, but a duration like \"5m\" is expected",
		.top = "retry = { first = [ 5 ]; };");
	refuse("3: lists[0].editions: a text stands here, but a list of texts like ( \"one\", "
	       "\"two\" ) is expected",
		.list = LIST " editions = \"daily\";");
	refuse("4: lists[0].sources[0].categories: a number stands here, but a text in \"quotes\" "
	       "is expected",
		.sources = "{ feed = \"https://example.org/\"; categories = ( 1 ); }");
	refuse("5: control: a text stands here, but a group is expected: control = { … };",
		.top = "control = \"/run/x\";");
	refuse("4: lists[0].sources[0]: a text stands here, but a group is expected: { … }",
		.sources = "\"https://example.org/feed/\"");
	expect_errors("web = { " WEB " };\nrelays = ( { " RELAY " } );\nlists = { };",
		"hubmail.conf:3: lists: a group in { } stands here, but a list of groups is "
		"expected: lists = ( { … } );");
}

static void test_a_value_out_of_range_is_told_the_range(void **state)
{
	(void)state;
	refuse("2: relays[0].port: 0 is out of range: a number from 1 to 65535 is expected",
		.relay = RELAY " port = 0;");
	refuse("2: relays[0].connections: 5000000000 is out of range: a number from 1 to 256 is "
	       "expected",
		.relay = RELAY " connections = 5000000000L;");
	refuse("2: relays[0].connect_timeout: \"2h\" is out of range: a duration from 1s to 1h is "
	       "expected",
		.relay = RELAY " connect_timeout = \"2h\";");
	refuse("2: relays[0].connect_timeout: \"-5\" is no duration: write a number of seconds, or "
	       "one with a unit like \"90s\", \"5m\", \"2h\", \"1d\"",
		.relay = RELAY " connect_timeout = -5;");
	refuse("3: lists[0].editions: \"dayly\" is none of: each, daily, weekly, monthly (did you "
	       "mean \"daily\"?)",
		.list = LIST " editions = ( \"dayly\" );");
	refuse("3: lists[0].editions: \"daily\" stands there twice",
		.list = LIST " editions = ( \"daily\", \"daily\" );");
}

static void test_a_text_is_not_empty_and_has_one_line(void **state)
{
	(void)state;
	refuse("3: lists[0].title: \"\" is empty: give it a value or remove the setting",
		.list = LIST " title = \"\";");
	refuse("3: lists[0].title: \"a?b\" has a control character or a line break (is a quote "
	       "missing before it?)",
		.list = LIST " title = \"a\\nb\";");
	refuse("3: lists[0].title: \"??\" is not UTF-8", .list = LIST " title = \"\\xff\\xfe\";");
	refuse("5: control.group: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" has 33 bytes, more than 32",
		.top = "control = { group = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"; };");
}

static void test_paths_begin_at_the_root(void **state)
{
	(void)state;
#define RELATIVE " is a relative path: write it from the root, with a \"/\" at the beginning"
	refuse("5: database: \"hubmail.db\"" RELATIVE, .top = "database = \"hubmail.db\";");
	refuse("5: secret_file: \"./secret\"" RELATIVE, .top = "secret_file = \"./secret\";");
	refuse("5: control.socket: \"sock\"" RELATIVE, .top = "control = { socket = \"sock\"; };");
	refuse("4: lists[0].sources[0].directory: \"posts\"" RELATIVE,
		.sources = "{ directory = \"posts\"; url = \"https://example.org/\"; }");
	refuse("5: database: \"/var/lib/\" is a folder: the path of a file is expected",
		.top = "database = \"/var/lib/\";");
	refuse("2: relays[0].password_file: \"keys/smtp\" is a relative path: write it from the "
	       "root, or only the name of a file beside the configuration (or of a systemd "
	       "credential)",
		.relay = RELAY " username = \"u\"; password_file = \"keys/smtp\";");
}

static void test_a_socket_path_fits_into_a_socket_address(void **state)
{
	(void)state;
	char *top = xasprintf("control = { socket = \"/%0107d\"; };", 0);
	struct strlist errors = {0};
	struct parts p = {.top = top};
	char *text = write_parts(&p);

	assert_null(config_parse("hubmail.conf", text, strlen(text), &errors));
	assert_int_equal(errors.n, 1);
	assert_true(text_ends(errors.items[0], " has 108 bytes, more than 107"));
	strlist_free(&errors);
	free(text);
	free(top);
}

static void test_hosts_are_names_or_ipv4_addresses(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"::1", "is an IPv6 address, which is not supported here: write a host name (it "
			"may lead to an IPv6 address)"},
		{"[::1]", "is an IPv6 address, which is not supported here: write a host name (it "
			  "may lead to an IPv6 address)"},
		{"smtp://a.example", "is a URL: write only the host name"},
		{"a.example:25", "is no host name: the port is a setting of its own"},
		{"münchen.example", "is not ASCII: write the name as punycode (\"xn--…\")"},
		{"300.1.1.1", "is neither a host name nor an IPv4 address"},
		{"a b", "is neither a host name nor an IPv4 address"},
		{"-a.example", "is neither a host name nor an IPv4 address"},
		{"a..example", "is neither a host name nor an IPv4 address"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *relay = xasprintf("host = \"%s\";", cases[i][0]);
		char *expected = xasprintf(
			"hubmail.conf:2: relays[0].host: \"%s\" %s", cases[i][0], cases[i][1]);
		refuse_parts((struct parts){.relay = relay}, expected);
		free(expected);
		free(relay);
	}
}

static void test_hubmails_own_name_is_a_name_or_an_address_in_brackets(void **state)
{
	(void)state;
	config_free(accept(.relay = RELAY " hello = \"[192.0.2.1]\";"));
	config_free(accept(.relay = RELAY " hello = \"news\";"));
	refuse("2: relays[0].hello: \"192.0.2.1\" is neither a host name nor an IPv4 address in "
	       "brackets (\"[192.0.2.1]\")",
		.relay = RELAY " hello = \"192.0.2.1\";");
}

static void test_addresses_to_listen_on_have_a_port(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"8025", "has no address and port: write it like \"127.0.0.1:8025\""},
		{":8025", "has no address and port: write it like \"127.0.0.1:8025\""},
		{"127.0.0.1:0", "has no port from 1 to 65535 after the \":\""},
		{"127.0.0.1:http", "has no port from 1 to 65535 after the \":\""},
		{"::1:8025", "is an IPv6 address without brackets: write \"[::1]:8025\""},
		{"[127.0.0.1]:8025",
			"does not begin with an address of this machine: write it like "
			"\"127.0.0.1:8025\" (\"0.0.0.0:8025\" for all)"},
		{"news.example.org:80",
			"does not begin with an address of this machine: write it like "
			"\"127.0.0.1:8025\" (\"0.0.0.0:8025\" for all)"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *web = xasprintf(WEB " listen = \"%s\";", cases[i][0]);
		char *expected = xasprintf(
			"hubmail.conf:1: web.listen: \"%s\" %s", cases[i][0], cases[i][1]);
		refuse_parts((struct parts){.web = web}, expected);
		free(expected);
		free(web);
	}
}

static void test_urls_are_http_with_a_host_and_no_secrets(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"ftp://example.org/", "begins with neither \"https://\" nor \"http://\""},
		{"example.org", "begins with neither \"https://\" nor \"http://\""},
		{"https://u:p@example.org/",
			"has a user name or password in it, which is not supported"},
		{"https://example.org/a b",
			"has a character that cannot stand in a URL: percent-encode it"},
		{"https://example.org/<",
			"has a character that cannot stand in a URL: percent-encode it"},
		{"https://example.org/#top", "has a \"#\": write it without"},
		{"https://example.org/?a=b",
			"has a \"?\": paths are put behind it, so write it without"},
		{"https://münchen.example/",
			"is not ASCII: write the host as punycode (\"xn--…\") and the path "
			"percent-encoded"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *web = xasprintf("url = \"%s\";", cases[i][0]);
		char *expected =
			xasprintf("hubmail.conf:1: web.url: \"%s\" %s", cases[i][0], cases[i][1]);
		refuse_parts((struct parts){.web = web}, expected);
		free(expected);
		free(web);
	}
	refuse("1: web.url: \"https://\" is no URL: No host part in the URL",
		.web = "url = \"https://\";");
	refuse("4: lists[0].sources[0].feed: \"https://u:p@example.org/feed\" has a user name or "
	       "password in it, which is not supported",
		.sources = "{ feed = \"https://u:p@example.org/feed\"; }");
}

static void test_names_can_stand_in_commands_and_addresses(void **state)
{
	(void)state;
#define LIST_NAME                                                                                  \
	" cannot be a list's name: use small letters, digits and hyphens, with no hyphen at the "  \
	"beginning (the title may have anything)"
	refuse("3: lists[0].name: \"My News\"" LIST_NAME,
		.list = "name = \"My News\"; from = \"a@example.org\"; schedule = \"each\";");
	refuse("3: lists[0].name: \"-news\"" LIST_NAME,
		.list = "name = \"-news\"; from = \"a@example.org\"; schedule = \"each\";");
	refuse("2: relays[0].name: \"a b\" cannot be a relay's name: use letters, digits, dots and "
	       "hyphens",
		.relay = RELAY " name = \"a b\";");
	refuse("5: control.group: \"my group\" cannot be the name of a group",
		.top = "control = { group = \"my group\"; };");
}

static void test_senders_and_reply_addresses_are_addresses(void **state)
{
	(void)state;
	refuse("3: lists[0].from: \"news\" is not an e-mail address that can be used: it has no "
	       "\"@\"",
		.list = "name = \"news\"; from = \"news\"; schedule = \"each\";");
	refuse("3: lists[0].reply_to: \"Ed <ed@example.org>\" has more than an address: write it "
	       "without a name, like \"editor@example.org\"",
		.list = LIST " reply_to = \"Ed <ed@example.org>\";");
}

static void test_languages_and_time_zones_have_a_form(void **state)
{
	(void)state;
	refuse("3: lists[0].language: \"en_US\" is not a language (BCP 47): write it like \"en\", "
	       "\"pt-BR\" or \"zh-Hans\", with a hyphen",
		.list = LIST " language = \"en_US\";");
	refuse("3: lists[0].language: \"de-a\" is not a language (BCP 47): write it like \"en\", "
	       "\"pt-BR\" or \"zh-Hans\"",
		.list = LIST " language = \"de-a\";");
	refuse("3: lists[0].timezone: \"../etc/passwd\" is not the name of a time zone: write it "
	       "like \"Europe/Zurich\" or \"UTC\"",
		.list = LIST " timezone = \"../etc/passwd\";");
}

static void test_a_login_needs_both_name_and_password(void **state)
{
	(void)state;
	refuse("2: relays[0].username: needs password_file, the file or the systemd credential "
	       "with the password, or token_command",
		.relay = RELAY " username = \"news\";");
	refuse("2: relays[0].password_file: needs username, the name to log in with",
		.relay = RELAY " password_file = \"/etc/hubmail/x\";");
}

static void test_rates_and_limits_have_a_form(void **state)
{
	(void)state;
	refuse("2: relays[0].rate: \"100\" is no rate: write it like \"100/s\" or \"50000/d\"",
		.relay = RELAY " rate = \"100\";");
	refuse("2: relays[0].rate: \"0/s\" is no rate: before the \"/\" stands a number of messages "
	       "from 1",
		.relay = RELAY " rate = \"0/s\";");
	refuse("2: relays[0].limit: \"5/year\" is no rate: after the \"/\" stands s, m, h, d or w, "
	       "or a duration of at most a week like \"15m\"",
		.relay = RELAY " limit = \"5/year\";");
	struct config *c = accept(.relay = RELAY " rate = \"90/15m\"; limit = \"50000/d\";");
	assert_int_equal(c->relays[0].rate.count, 90);
	assert_int_equal(c->relays[0].rate.seconds, 900);
	assert_int_equal(c->relays[0].limit.count, 50000);
	assert_int_equal(c->relays[0].limit.seconds, 86400);
	config_free(c);
}

static void test_a_domain_has_limits_and_is_named_once(void **state)
{
	(void)state;
	refuse("5: domains[0].name: has no limit: write connections = N; or rate = \"N/s\";",
		.top = "domains = ( { name = \"gmail.com\"; } );");
	refuse("5: domains[0].name: \"gmail\" is no domain of e-mail addresses",
		.top = "domains = ( { name = \"gmail\"; connections = 1; } );");
	refuse("5: domains[1].name: there are limits for \"gmail.com\" already",
		.top = "domains = ( { name = \"gmail.com\"; connections = 1; }, "
		       "{ name = \"GMail.com\"; connections = 2; } );");
	struct config *c =
		accept(.top = "domains = ( { name = \"B\u00fccher.example\"; rate = \"20/s\"; } );");
	assert_string_equal(c->domains[0].name, "xn--bcher-kva.example");
	assert_int_equal(c->domains[0].rate.count, 20);
	config_free(c);
}

static void test_dkim_keys_have_a_name_each(void **state)
{
	(void)state;
#define KEY "domain = \"example.org\"; selector = \"a\"; key_file = \"k\";"
	refuse("5: dkim.selector: is missing: the name of the key's DNS record: "
	       "SELECTOR._domainkey.DOMAIN",
		.top = "dkim = { domain = \"example.org\"; key_file = \"k\"; };");
	refuse("5: dkim[1].selector: stands with another key of this domain already: there is one "
	       "DNS record for each name",
		.top = "dkim = ( { " KEY " }, { " KEY " } );");
	struct config *c = accept(.top = "dkim = { " KEY " };");
	assert_int_equal(c->n_dkim, 1);
	assert_string_equal(c->dkim[0].selector, "a");
	assert_string_equal(c->dkim[0].key_file, "k");
	config_free(c);
}

static void test_a_token_takes_the_place_of_a_password(void **state)
{
	(void)state;
	refuse("2: relays[0].token_command: needs username, the name to log in with",
		.relay = RELAY " token_command = \"token\";");
	refuse("2: relays[0].token_command: takes the place of password_file: remove one of them",
		.relay = RELAY " username = \"u\"; password_file = \"p\"; token_command = \"t\";");
	config_free(accept(.relay = RELAY " username = \"u\"; token_command = \"t\";"));
}

static void test_a_password_does_not_leave_the_machine_unencrypted(void **state)
{
	(void)state;
#define LOGIN " tls = \"none\"; username = \"news\"; password_file = \"smtp-password\";"
	refuse("2: relays[0].tls: \"none\" would send the password unencrypted over the network: "
	       "write \"starttls\" or \"implicit\", or allow_plain_auth = true",
		.relay = RELAY LOGIN);
	config_free(accept(.relay = "host = \"localhost\";" LOGIN));
	config_free(accept(.relay = RELAY LOGIN " allow_plain_auth = true;"));
	config_free(accept(.relay = "host = \"127.0.0.2\";" LOGIN));
	refuse("2: relays[0].tls: \"none\" would send the password unencrypted over the network: "
	       "write \"starttls\" or \"implicit\", or allow_plain_auth = true",
		.relay = "host = \"127.0.0.1.example.org\";" LOGIN);
}

static void test_a_source_is_exactly_one_thing(void **state)
{
	(void)state;
	refuse("4: lists[0].sources[0]: neither feed nor wordpress nor directory stands here: "
	       "write { feed = \"https://example.org/feed/\"; }, { wordpress = "
	       "\"https://example.org\"; } or { directory = \"/srv/blog/posts\"; url = "
	       "\"https://example.org/posts/\"; }",
		.sources = "{ }");
	refuse("4: lists[0].sources[0].directory: a source has a feed, a wordpress or a "
	       "directory: make two sources of them",
		.sources = "{ feed = \"https://example.org/\"; directory = \"/srv\"; url = "
			   "\"https://example.org/\"; }");
	refuse("4: lists[0].sources[0].url: is missing: the public address of the folder, for "
	       "links to its posts",
		.sources = "{ directory = \"/srv\"; }");
	refuse("4: lists[0].sources[0].url: belongs to a directory: other sources say "
	       "where their posts are",
		.sources = "{ feed = \"https://example.org/\"; url = \"https://example.org/\"; }");
	refuse("4: lists[0].sources[0].permalink: belongs to a directory: other sources say "
	       "where their posts are",
		.sources = "{ feed = \"https://example.org/\"; permalink = \"/:slug/\"; }");
	refuse("4: lists[0].sources[0].permalink: \"/:yaer/:slug/\" has a \":yaer\", which is not "
	       "known: use :year, :month, :day, :title, :slug, :filename, :section, :sections, "
	       ":categories",
		.sources = "{ directory = \"/srv\"; url = \"https://example.org/\"; "
			   "permalink = \"/:yaer/:slug/\"; }");
	refuse("4: lists[0].sources[0].allow_private: is for what is asked over the network: a "
	       "directory is on this machine",
		.sources = "{ directory = \"/srv\"; url = \"https://example.org/\"; "
			   "allow_private = true; }");
	refuse("4: lists[0].sources[0].wordpress: \"https://example.org/?p=1\" has a \"?\": paths "
	       "are put behind it, so write it without",
		.sources = "{ wordpress = \"https://example.org/?p=1\"; }");
	refuse("4: lists[0].sources: is missing: where its posts appear: sources = ( { feed = "
	       "\"https://example.org/feed/\"; } );",
		.sources = "");
}

static void test_what_must_differ_differs(void **state)
{
	(void)state;
	refuse("4: lists[0].sources[1].feed: stands in this list already",
		.sources = SOURCE ", " SOURCE);
	refuse("4: lists[0].sources[1].directory: stands in this list already",
		.sources = "{ directory = \"/srv\"; url = \"https://a.example/\"; }, { directory = "
			   "\"/srv/\"; url = \"https://a.example/\"; }");
	refuse("2: relays[1].host: there is a relay \"a\" already: give each a name of its own",
		.relay = "host = \"a\"; }, { host = \"a\";");
	refuse("2: relays[1].name: there is a relay \"main\" already: give each a name of its own",
		.relay = "host = \"a\"; name = \"main\"; }, { host = \"b\"; name = \"main\";");
	refuse("3: lists[1].name: there is a list \"news\" already: give each a name of its own",
		.list = LIST " sources = ( " SOURCE " ); }, { " LIST);
}

static void test_numbers_that_belong_together_are_in_order(void **state)
{
	(void)state;
	refuse("3: lists[0].min_posts: 30 is more than max_posts (20)",
		.list = LIST " min_posts = 30;");
	refuse("5: retry.first: is longer than retry.longest, the longest pause",
		.top = "retry = { first = \"5h\"; };");
	refuse("5: retry.longest: is longer than retry.give_up, after which there is no further "
	       "attempt",
		.top = "retry = { longest = \"6d\"; };");
}

static void test_there_is_a_limit_to_how_much_is_taken(void **state)
{
	(void)state;
	struct buf relays = {0};

	buf_adds(&relays, "host = \"a\"; }");
	for (int i = 0; i < 64; i++)
		buf_addf(&relays, ", { host = \"a%d\"; %s", i, i < 63 ? "}" : "");
	refuse("2: relays: there are more than 64", .relay = relays.data);
	buf_free(&relays);
}

static void test_syntax_errors_have_a_line_and_a_guess(void **state)
{
	(void)state;
	expect_errors("a = 1;\nlists = ( 1,\n2,\n);\n",
		"hubmail.conf:4: syntax error: no \",\" may stand after the last item of a list");
	expect_errors("a = 1;\na = 2;\n",
		"hubmail.conf:2: the setting in this line stands in its group twice");
	expect_errors("a = [ 1, \"x\" ];\n",
		"hubmail.conf:1: the items of a list in [ ] must all be of the same type: use ( )");
	expect_errors("a = 1;\n@include \"/etc/passwd\"\n",
		"hubmail.conf:2: @include is not supported: put the file into conf.d/ beside "
		"hubmail.conf");
#define GUESS                                                                                      \
	"syntax error here or in the line before (a \";\", a \",\" between items or a bracket "    \
	"that is missing?)"
	expect_errors("a = 1;\nb = yes;\n", "hubmail.conf:2: " GUESS);
	expect_errors("a = {\nb = 1;\n", "hubmail.conf:3: " GUESS);
}

static void test_a_quote_that_was_forgotten_is_found_in_its_line(void **state)
{
	(void)state;
#define NO_QUOTE ": a text begins in this line and has no closing quote in it"
	expect_errors("a = \"open;\nb = \"x\";\n", "hubmail.conf:1" NO_QUOTE);
	expect_errors("a = \"x\\\"y\";\nb = \"x\\\";", "hubmail.conf:2" NO_QUOTE);
	expect_errors("# \"\n// \"\n/* \"\n\" */\nb = \"", "hubmail.conf:5" NO_QUOTE);
	expect_errors("a = 1;\n/* b = 2;\n\n",
		"hubmail.conf:2: a remark begins here with \"/*\" and does not end with \"*/\"");
}

static void test_what_is_not_text_is_refused(void **state)
{
	(void)state;
	struct strlist errors = {0};
	static const char nul[] = "a = 1;\n\0b = 1;\n";

	expect_errors("a = 1;\n# caf\xE9\n",
		"hubmail.conf:2: the file is not UTF-8 text: save it as UTF-8");
	assert_null(config_parse("hubmail.conf", nul, sizeof(nul) - 1, &errors));
	assert_string_equal(
		errors.items[0], "hubmail.conf:2: the file is not UTF-8 text: save it as UTF-8");
	strlist_free(&errors);
}

static void test_brackets_without_end_are_refused(void **state)
{
	(void)state;
	struct buf text = {0};

	buf_adds(&text, "a = ");
	for (int i = 0; i < 100000; i++)
		buf_addc(&text, '(');
	expect_errors(text.data, "hubmail.conf:1: brackets stand in one another too deeply");
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_file_says_what_is_missing),
		cmocka_unit_test(test_all_errors_are_shown_in_the_order_of_the_lines),
		cmocka_unit_test(test_there_is_an_end_to_the_errors_that_are_shown),
		cmocka_unit_test(test_a_misspelt_setting_gets_a_suggestion),
		cmocka_unit_test(test_a_setting_in_the_wrong_group_is_shown_its_own),
		cmocka_unit_test(test_a_setting_of_nowhere_is_told_what_there_is),
		cmocka_unit_test(test_a_setting_of_a_later_version_is_not_called_unknown),
		cmocka_unit_test(test_a_value_of_the_wrong_type_is_told_the_right_one),
		cmocka_unit_test(test_a_value_out_of_range_is_told_the_range),
		cmocka_unit_test(test_a_text_is_not_empty_and_has_one_line),
		cmocka_unit_test(test_paths_begin_at_the_root),
		cmocka_unit_test(test_a_socket_path_fits_into_a_socket_address),
		cmocka_unit_test(test_hosts_are_names_or_ipv4_addresses),
		cmocka_unit_test(test_hubmails_own_name_is_a_name_or_an_address_in_brackets),
		cmocka_unit_test(test_addresses_to_listen_on_have_a_port),
		cmocka_unit_test(test_urls_are_http_with_a_host_and_no_secrets),
		cmocka_unit_test(test_names_can_stand_in_commands_and_addresses),
		cmocka_unit_test(test_senders_and_reply_addresses_are_addresses),
		cmocka_unit_test(test_languages_and_time_zones_have_a_form),
		cmocka_unit_test(test_a_login_needs_both_name_and_password),
		cmocka_unit_test(test_a_password_does_not_leave_the_machine_unencrypted),
		cmocka_unit_test(test_rates_and_limits_have_a_form),
		cmocka_unit_test(test_a_domain_has_limits_and_is_named_once),
		cmocka_unit_test(test_dkim_keys_have_a_name_each),
		cmocka_unit_test(test_a_token_takes_the_place_of_a_password),
		cmocka_unit_test(test_a_source_is_exactly_one_thing),
		cmocka_unit_test(test_what_must_differ_differs),
		cmocka_unit_test(test_numbers_that_belong_together_are_in_order),
		cmocka_unit_test(test_there_is_a_limit_to_how_much_is_taken),
		cmocka_unit_test(test_syntax_errors_have_a_line_and_a_guess),
		cmocka_unit_test(test_a_quote_that_was_forgotten_is_found_in_its_line),
		cmocka_unit_test(test_what_is_not_text_is_refused),
		cmocka_unit_test(test_brackets_without_end_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The table of commands, and finding one in it. Each row stands in the command's own file. */
#include "command.h"

#include "hubmail/base_text.h"
#include <stdio.h>
#include <string.h>

extern const struct command command_add, command_remove, command_suppress, command_unsuppress,
	command_erase, command_show, command_subscribers, command_import, command_export,
	command_lists, command_sources, command_posts, command_poll, command_parse, command_send,
	command_preview, command_digests, command_queue, command_pause, command_resume,
	command_cancel, command_retry, command_status, command_dkim, command_backup,
	command_completion, command_help;

const struct command *const commands[] = {
	&command_add,
	&command_remove,
	&command_suppress,
	&command_unsuppress,
	&command_erase,
	&command_show,
	&command_subscribers,
	&command_import,
	&command_export,
	&command_lists,
	&command_sources,
	&command_posts,
	&command_poll,
	&command_parse,
	&command_send,
	&command_preview,
	&command_digests,
	&command_queue,
	&command_pause,
	&command_resume,
	&command_cancel,
	&command_retry,
	&command_status,
	&command_dkim,
	&command_backup,
	&command_completion,
	&command_help,
	NULL,
};

const struct option_spec global_options[] = {
	{.name = "config",
		.letter = 'c',
		.value = "FILE",
		.complete = COMPLETE_FILE,
		.help = "configuration (default " HUBMAIL_SYSCONFDIR "/hubmail/hubmail.conf)"},
	{.name = "json", .help = "print JSON"},
	{.name = "quiet", .letter = 'q', .help = "print only what was asked for, and what failed"},
	{.name = "help", .letter = 'h', .help = "explain the command, and exit"},
	{.name = "version", .help = "print the version, and exit"},
	{0},
};

/* What the design names and this version does not have. */
static const char *const later[] = {"edit", "test", "bounce", "doctor", "stats", NULL};

/* What people type who know other programs. */
static const struct {
	const char *name, *meant;
} elsewhere[] = {
	{"ls", "hubmailctl subscribers` or `hubmailctl lists"},
	{"rm", "hubmailctl remove"},
	{"delete", "hubmailctl remove` or `hubmailctl erase"},
	{"forget", "hubmailctl erase"},
	{"block", "hubmailctl suppress"},
	{"blocklist", "hubmailctl suppress"},
	{"unblock", "hubmailctl unsuppress"},
	{"unsubscribe", "hubmailctl remove"},
	{"mailq", "hubmailctl queue"},
	{"flush", "hubmailctl retry"},
	{"logs", "journalctl -u hubmaild"},
};

const char *command_group_title(enum command_group g)
{
	static const char *const titles[GROUPS] = {
		[GROUP_READERS] = "Readers",
		[GROUP_POSTS] = "Lists and posts",
		[GROUP_DIGESTS] = "Digests and the queue",
		[GROUP_SERVICE] = "Service",
	};

	return titles[g];
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

bool command_unknown(const char *name, struct error *e)
{
	const char *names[64];
	size_t n = 0;

	for (size_t i = 0; later[i] != NULL; i++)
		if (strcmp(later[i], name) == 0)
			return error_set(e, ERROR_USAGE,
				"%s: this version does not have that command yet", name);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (strcmp(elsewhere[i].name, name) == 0)
			return error_set(e, ERROR_USAGE, "%s: no such command; did you mean `%s`?",
				name, elsewhere[i].meant);
	while (n < sizeof(names) / sizeof(names[0]) && commands[n] != NULL) {
		names[n] = commands[n]->name;
		n++;
	}
	const char *meant = text_suggest(name, names, n);
	for (size_t i = 0; i < n && meant == NULL; i++)
		if (text_starts(names[i], name))
			meant = names[i];
	if (meant != NULL)
		return error_set(
			e, ERROR_USAGE, "%s: no such command; did you mean `%s`?", name, meant);
	return error_set(
		e, ERROR_USAGE, "%s: no such command (`hubmailctl help` shows them all)", name);
}

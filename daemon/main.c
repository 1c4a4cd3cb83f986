/* hubmaild's life cycle: read the command line and the configuration, build the rooms from the
 * bottom up, run the loop, reload on SIGHUP, and stop in order: first what takes new work, then the
 * sessions, last the writer. */
#include "hubmail/base_clock.h"
#include "hubmail/base_crypto.h"
#include "hubmail/base_error.h"
#include "hubmail/base_log.h"
#include "hubmail/base_loop.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/config.h"
#include "hubmail/control.h"
#include "hubmail/control_daemon.h"
#include "hubmail/delivery.h"
#include "hubmail/schedule.h"
#include "hubmail/store.h"
#include "hubmail/store_writer.h"
#include "hubmail/web.h"
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define STOP_CHECK_MS 20L
#define STOP_PATIENCE_S 60L /* after this long the open sessions are cut off */

struct options {
	const char *file;
	bool foreground, test_only;
	int verbose;
};

struct daemon {
	const struct options *options;
	struct config *config;
	struct secret secret;
	int lock;
	struct loop *loop;
	struct store_writer *writer;
	struct schedule *schedule;
	struct delivery *delivery;
	struct web *web;
	struct control *control;
	struct control_daemon commands;
	struct event *signals[3], *watchdog, *stop_timer;
	bool stopping;
	int64_t stop_at_ms;
};

static void usage(FILE *to)
{
	fputs("usage: hubmaild [-c FILE] [-f] [-t] [-v]...\n"
	      "  -c, --config FILE   configuration (default " CONFIG_DEFAULT_FILE ")\n"
	      "  -f, --foreground    log to the terminal in a readable form\n"
	      "  -t, --test          check the configuration and exit: 0 it is right, 78 it is not\n"
	      "  -v, --verbose       log more\n"
	      "      --version       print the version and exit\n"
	      "  -h, --help          print this and exit\n",
		to);
}

/* -1: go on; otherwise the exit code. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"foreground", no_argument, NULL, 'f'},
		{"test", no_argument, NULL, 't'},
		{"verbose", no_argument, NULL, 'v'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:ftvh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->file = optarg;
			break;
		case 'f':
			o->foreground = true;
			break;
		case 't':
			o->test_only = true;
			break;
		case 'v':
			o->verbose++;
			break;
		case 'V':
			puts("hubmaild " HUBMAIL_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return ERROR_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "hubmaild: %s: no argument is expected\n", argv[optind]);
	usage(stderr);
	return ERROR_USAGE;
}

/* A configuration that can be run, or all that is wrong with it. */
static struct config *load(const char *file, struct strlist *errors)
{
	struct config *c = config_load(file, errors);

	if (c == NULL || delivery_check(c, errors))
		return c;
	config_free(c);
	return NULL;
}

/* ---- Reload ---- */

static void free_old_config(void *arg)
{
	config_free(arg);
}

static void warn_of_restart(const struct config *old, const struct config *new)
{
	const char *const pairs[][3] = {
		{"database", old->database, new->database},
		{"secret_file", old->secret_file, new->secret_file},
		{"control.socket", old->control_socket, new->control_socket},
		{"control.group", old->control_group, new->control_group},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (!text_same(pairs[i][1], pairs[i][2]))
			log_warn("setting takes effect after a restart", "setting=%s", pairs[i][0]);
}

/* For `hubmailctl status` and `systemctl status`: a refused reload must not pass for a done one. */
static void note_trouble(struct daemon *d, const struct strlist *errors)
{
	snprintf(d->commands.config_trouble, sizeof(d->commands.config_trouble), "%s",
		errors->n > 0 ? errors->items[0] : "");
	if (errors->n > 0)
		sd_notifyf(0, "STATUS=Runs with the configuration of before: %s", errors->items[0]);
	else
		sd_notify(0, "STATUS=");
}

static void reload(evutil_socket_t sig, short what, void *arg)
{
	struct daemon *d = arg;
	struct strlist errors = {0};

	(void)sig;
	(void)what;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
	struct config *new = load(d->options->file, &errors);
	for (size_t i = 0; i < errors.n; i++)
		log_error("configuration is wrong, the old one stays", "error=%s",
			log_quote(errors.items[i]));
	note_trouble(d, &errors);
	strlist_free(&errors);
	if (new != NULL) {
		struct config *old = d->config;
		warn_of_restart(old, new);
		d->config = new;
		d->commands.config = new;
		schedule_reconfigure(d->schedule, new);
		delivery_reconfigure(d->delivery, new);
		if (d->web != NULL)
			web_reconfigure(d->web, new);
		/* What was posted before may still look at the old one. */
		loop_post(d->loop, free_old_config, old);
		log_info("configuration reloaded", "file=%s lists=%zu relays=%zu", new->file,
			new->n_lists, new->n_relays);
	}
	sd_notify(0, "READY=1");
}

/* ---- Stop ---- */

/* Neither a relay nor a full disk is waited for. A result that cannot be recorded leaves its trace
 * in the database, as after a crash. */
static void stop_now(struct daemon *d)
{
	delivery_stop(d->delivery, true);
	store_writer_hurry(d->writer);
}

static void stop_check(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	struct timeval again = {0, STOP_CHECK_MS * 1000};

	(void)fd;
	(void)what;
	if (delivery_stopped(d->delivery)) {
		event_base_loopexit(loop_base(d->loop), NULL);
		return;
	}
	if (clock_mono_ms() > d->stop_at_ms)
		stop_now(d);
	evtimer_add(d->stop_timer, &again);
}

static void stop(evutil_socket_t sig, short what, void *arg)
{
	struct daemon *d = arg;
	bool now = d->stopping;

	(void)what;
	sd_notify(0, "STOPPING=1");
	log_info(now ? "stopping at once" : "stopping after the current messages", "signal=%s",
		sig == SIGINT ? "INT" : "TERM");
	if (!d->stopping)
		d->stop_at_ms = clock_mono_ms() + STOP_PATIENCE_S * 1000;
	d->stopping = true;
	if (now)
		stop_now(d);
	else
		delivery_stop(d->delivery, false);
	stop_check(-1, 0, d);
}

/* ---- Start ---- */

static void feed_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	sd_notify(0, "WATCHDOG=1");
}

static void new_deliveries(void *arg)
{
	struct daemon *d = arg;

	if (d->delivery != NULL)
		delivery_wake(d->delivery);
}

/* The rooms, from the bottom up. What was built is taken down by tear_down(). */
static bool build(struct daemon *d, struct error *e)
{
	const struct config *c = d->config;

	d->lock = store_lock(c->database, e);
	if (d->lock < 0 || !secret_load(c->secret_file, true, &d->secret, e))
		return false;
	d->loop = loop_new();
	if (d->loop == NULL)
		return error_set(e, ERROR_IO, "no event loop: too few file descriptors");
	d->writer = store_writer_start(c->database, e);
	if (d->writer == NULL)
		return false;
	d->commands.store = store_open(c->database, STORE_READ, e);
	if (d->commands.store == NULL)
		return false;
	d->delivery = delivery_start(c, &d->secret, d->writer, e);
	if (d->delivery == NULL)
		return false;
	d->schedule = schedule_start(d->loop, c, d->writer, new_deliveries, d, e);
	if (d->schedule == NULL)
		return false;
	schedule_push(d->schedule, &d->secret);
	if (c->web_listen_host != NULL &&
		(d->web = web_start(d->loop, c, &d->secret, d->writer, e)) == NULL)
		return false;
	if (d->web != NULL)
		web_take_calls(d->web, d->schedule);
	d->commands.config = c;
	d->commands.writer = d->writer;
	d->commands.schedule = d->schedule;
	d->commands.delivery = d->delivery;
	d->commands.started_at = clock_now();
	d->control = control_start(d->loop, c, control_daemon_handle, &d->commands, e);
	return d->control != NULL;
}

static void tear_down(struct daemon *d)
{
	control_free(d->control);
	web_free(d->web);
	schedule_free(d->schedule);
	if (d->delivery != NULL)
		delivery_stop(d->delivery, true);
	delivery_free(d->delivery);
	store_close(d->commands.store);
	store_writer_stop(d->writer);
	for (size_t i = 0; i < 3; i++)
		if (d->signals[i] != NULL)
			event_free(d->signals[i]);
	if (d->watchdog != NULL)
		event_free(d->watchdog);
	if (d->stop_timer != NULL)
		event_free(d->stop_timer);
	loop_free(d->loop);
	config_free(d->config);
	explicit_bzero(&d->secret, sizeof(d->secret));
	if (d->lock >= 0)
		close(d->lock);
}

static void listen_to_signals(struct daemon *d)
{
	struct event_base *base = loop_base(d->loop);
	uint64_t watchdog_us = 0;

	d->signals[0] = evsignal_new(base, SIGTERM, stop, d);
	d->signals[1] = evsignal_new(base, SIGINT, stop, d);
	d->signals[2] = evsignal_new(base, SIGHUP, reload, d);
	for (size_t i = 0; i < 3; i++)
		evsignal_add(d->signals[i], NULL);
	d->stop_timer = evtimer_new(base, stop_check, d);
	if (sd_watchdog_enabled(0, &watchdog_us) > 0) {
		struct timeval half = {
			(time_t)(watchdog_us / 2000000), (suseconds_t)(watchdog_us / 2 % 1000000)};
		d->watchdog = event_new(base, -1, EV_PERSIST, feed_watchdog, NULL);
		event_add(d->watchdog, &half);
	}
}

static int run(struct daemon *d)
{
	struct error e = {0};
	int exit_code = 0;

	if (build(d, &e)) {
		listen_to_signals(d);
		log_info("ready", "version=%s config=%s database=%s lists=%zu relays=%zu",
			HUBMAIL_VERSION, d->config->file, d->config->database, d->config->n_lists,
			d->config->n_relays);
		sd_notify(0, "READY=1");
		event_base_dispatch(loop_base(d->loop));
		log_info("stopped", NULL);
	} else {
		log_error("cannot start", "reason=%s", log_quote(e.text));
		exit_code = error_exit_code(&e);
	}
	tear_down(d);
	return exit_code;
}

int main(int argc, char **argv)
{
	struct options o = {.file = CONFIG_DEFAULT_FILE};
	struct daemon d = {.options = &o, .lock = -1};
	struct strlist errors = {0};
	int exit_code = parse_options(argc, argv, &o);

	if (exit_code >= 0)
		return exit_code;
	umask(027);
	mem_give_back();
	d.config = load(o.file, &errors);
	for (size_t i = 0; i < errors.n; i++)
		fprintf(stderr, "%s\n", errors.items[i]);
	strlist_free(&errors);
	if (d.config == NULL)
		return ERROR_CONFIG;
	if (o.test_only) {
		printf("%s: the configuration is right\n", o.file);
		config_free(d.config);
		return 0;
	}
	/* A reload that comes before there is anything to reload. */
	signal(SIGHUP, SIG_IGN);
	log_open(o.foreground ? LOG_TERMINAL : LOG_JOURNAL, o.verbose);
	delivery_prepare_process();
	return run(&d);
}

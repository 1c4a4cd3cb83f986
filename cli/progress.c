/* Drawing the progress line. */
#include "progress.h"

#include "hubmail/base_clock.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAW_EVERY_MS 100
#define BAR_MAX 30

void progress_begin(struct progress *p, const struct report *r, int64_t pipe_every_ms)
{
	*p = (struct progress){
		.terminal = isatty(STDERR_FILENO) != 0,
		.silent = report_quiet(r),
		.pipe_every = pipe_every_ms,
		.next_ms = clock_mono_ms() + DRAW_EVERY_MS,
	};
	if (!p->terminal && pipe_every_ms == 0)
		p->silent = true;
}

bool progress_due(const struct progress *p)
{
	return !p->silent && clock_mono_ms() >= p->next_ms;
}

static size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

void progress_show(struct progress *p, double part, const char *text)
{
	char bar[BAR_MAX + 1];
	size_t width = terminal_width(), bar_width = width > 70 ? BAR_MAX : 10;

	if (!p->terminal) {
		fprintf(stderr, "%s\n", text);
		p->next_ms = clock_mono_ms() + p->pipe_every;
		return;
	}
	p->next_ms = clock_mono_ms() + DRAW_EVERY_MS;
	p->drawn = true;
	if (part < 0) {
		fprintf(stderr, "\r%.*s\033[K", (int)width - 1, text);
		return;
	}
	size_t full = (size_t)((part > 1 ? 1 : part) * (double)bar_width);
	memset(bar, ' ', bar_width);
	memset(bar, '=', full);
	bar[bar_width] = '\0';
	int room = (int)width - (int)bar_width - 9;
	fprintf(stderr, "\r[%s] %3d%% %.*s\033[K", bar, (int)(part * 100), room > 0 ? room : 0,
		text);
}

void progress_clear(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

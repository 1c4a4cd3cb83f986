/* Mails have no frames and play no films, so an embedded one becomes a link: to the film's page
 * with its picture where the address tells both, else with its title or its file's name. A frame
 * that has no title shows something that only its page can explain, and goes. */
#include "embed.h"

#include "character.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_html.h"
#include "image.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>

#define TITLE_MAX 500
#define ID_MAX 32
#define PLAY "\xE2\x96\xB6 "

static void write_link(
	const char *url, const char *picture, const char *title, bool linked, struct buf *out)
{
	char *label = xasprintf(PLAY "%s", title);
	if (!linked) {
		buf_adds(out, "<a");
		attribute_write("href", url, out);
		buf_addc(out, '>');
	}
	if (picture != NULL) {
		buf_adds(out, "<img");
		attribute_write("src", picture, out);
		attribute_write("alt", label, out);
		buf_addc(out, '>');
	} else {
		characters_escape(label, strlen(label), out);
	}
	if (!linked)
		buf_adds(out, "</a>");
	free(label);
}

/* What stands behind `place` in the address, as far as it can be an id. */
static bool take_id(const char *url, const char *place, char id[ID_MAX])
{
	const char *s = strstr(url, place);
	if (s == NULL)
		return false;
	s += strlen(place);
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
	if (n == 0 || n >= ID_MAX)
		return false;
	memcpy(id, s, n);
	id[n] = '\0';
	return true;
}

static bool write_youtube(const char *url, const char *title, bool linked, struct buf *out)
{
	static const char *const places[] = {
		"youtube.com/embed/", "youtube-nocookie.com/embed/", "youtube.com/v/"};
	char id[ID_MAX];
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!take_id(url, places[i], id) || strlen(id) != 11)
			continue;
		char *page = xasprintf("https://www.youtube.com/watch?v=%s", id);
		char *picture = xasprintf("https://i.ytimg.com/vi/%s/hqdefault.jpg", id);
		write_link(page, picture, title != NULL ? title : "YouTube", linked, out);
		free(page);
		free(picture);
		return true;
	}
	return false;
}

static bool write_known(const char *url, const char *title, bool linked, struct buf *out)
{
	char id[ID_MAX];
	char *page = NULL;
	if (write_youtube(url, title, linked, out))
		return true;
	if (take_id(url, "player.vimeo.com/video/", id))
		page = xasprintf("https://vimeo.com/%s", id);
	else if (take_id(url, "platform.twitter.com/embed/Tweet.html?id=", id))
		page = xasprintf("https://twitter.com/i/status/%s", id);
	else if (take_id(url, "dailymotion.com/embed/video/", id))
		page = xasprintf("https://www.dailymotion.com/video/%s", id);
	if (page == NULL)
		return false;
	write_link(page, NULL, title != NULL ? title : page + strlen("https://"), linked, out);
	free(page);
	return true;
}

static char *address(const struct token *t, const char *base)
{
	static const char *const names[] = {"src", "data-src", "data-lazy-src"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *value = token_attribute(t, names[i], URL_MAX);
		char *url = value != NULL ? source_url_absolute(value, base) : NULL;
		free(value);
		if (url != NULL)
			return url;
	}
	return NULL;
}

static char *title_of(const struct token *t)
{
	char *value = token_attribute(t, "title", TITLE_MAX);
	char *line = characters_line(value);
	free(value);
	return line;
}

/* WordPress puts the title of another post in a quote before the frame that shows it. */
static bool repeats_a_quote(const struct token *t)
{
	char *class = token_attribute(t, "class", TITLE_MAX);
	bool repeats = class != NULL && strstr(class, "wp-embedded-content") != NULL;
	free(class);
	return repeats;
}

static void take_frame(const struct token *t, const char *base, bool linked, struct buf *out)
{
	char *url = address(t, base);
	char *title = title_of(t);
	if (url != NULL && !write_known(url, title, linked, out) && title != NULL &&
		!repeats_a_quote(t))
		write_link(url, NULL, title, linked, out);
	free(url);
	free(title);
}

static const char *file_of(const char *url)
{
	const char *slash = strrchr(url, '/');
	return slash != NULL && slash[1] != '\0' ? slash + 1 : url;
}

static void write_media(
	struct embed *m, const struct token *t, const char *base, bool linked, struct buf *out)
{
	char *url = m->written ? NULL : address(t, base);
	if (url != NULL)
		write_link(url, m->poster, m->title != NULL ? m->title : file_of(url), linked, out);
	m->written = m->written || url != NULL;
	free(url);
}

static void begin_media(struct embed *m, const struct token *t, const char *base)
{
	embed_free(m);
	char *poster = token_attribute(t, "poster", URL_MAX);
	m->open = true;
	m->poster = poster != NULL ? source_url_absolute(poster, base) : NULL;
	if (m->poster != NULL && !image_is_picture(m->poster)) {
		free(m->poster);
		m->poster = NULL;
	}
	m->title = title_of(t);
	free(poster);
}

void embed_free(struct embed *m)
{
	free(m->poster);
	free(m->title);
	*m = (struct embed){0};
}

void embed_take(struct embed *m, const struct token *t, const struct dropping *d, const char *base,
	bool linked, struct buf *out)
{
	bool in_media = m->open && (strcmp(d->name, "video") == 0 || strcmp(d->name, "audio") == 0);
	bool shown = d->nested == 0;
	bool frame = (shown && strcmp(t->name, "iframe") == 0) ||
		     (strcmp(t->name, "embed") == 0 && (shown || strcmp(d->name, "object") == 0));
	if (t->kind != TOKEN_OPEN)
		return;
	if (shown && (strcmp(t->name, "video") == 0 || strcmp(t->name, "audio") == 0)) {
		begin_media(m, t, base);
		in_media = true;
	} else {
		in_media = in_media && !shown && strcmp(t->name, "source") == 0;
	}
	if (in_media)
		write_media(m, t, base, linked, out);
	else if (frame)
		take_frame(t, base, linked, out);
}

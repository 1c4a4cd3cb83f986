/* Copies of what the configuration says of a list, and its time zone. */
#include "settings.h"

#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include <stdlib.h>
#include <string.h>

static void copy_source(struct config_source *to, const struct config_source *from)
{
	*to = *from;
	to->location = xstrdup(from->location);
	to->url = xstrdup(from->url);
	to->permalink = xstrdup(from->permalink);
	to->categories = (struct strlist){0};
	strlist_copy(&to->categories, &from->categories);
}

static void copy_list(struct config_list *to, const struct config_list *from)
{
	*to = *from;
	to->name = xstrdup(from->name);
	to->title = xstrdup(from->title);
	to->description = xstrdup(from->description);
	to->from = xstrdup(from->from);
	to->from_name = xstrdup(from->from_name);
	to->reply_to = xstrdup(from->reply_to);
	to->timezone = xstrdup(from->timezone);
	to->language = xstrdup(from->language);
	to->sources = xcalloc(from->n_sources, sizeof(*to->sources));
	for (size_t i = 0; i < from->n_sources; i++)
		copy_source(&to->sources[i], &from->sources[i]);
}

struct settings *settings_new(const struct config *c, const struct config_list *list)
{
	struct settings *s = xcalloc(1, sizeof(*s));
	struct error e = {0};

	s->refs = 1;
	copy_list(&s->list, list);
	s->config.web_url = xstrdup(c->web_url);
	s->zone = zone_load(list->timezone, &e);
	if (s->zone == NULL)
		log_error("no edition of this list can fall due", "list=%s reason=%s", list->name,
			log_quote(e.text));
	return s;
}

struct settings *settings_ref(struct settings *s)
{
	s->refs++;
	return s;
}

void settings_unref(struct settings *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	config_list_free(&s->list);
	free(s->config.web_url);
	zone_free(s->zone);
	free(s);
}

bool settings_has_edition(const struct settings *s, enum edition edition)
{
	return s->list.schedule.edition == edition ||
	       (edition > EDITION_MANUAL && edition <= EDITION_MONTHLY && s->list.offers[edition]);
}

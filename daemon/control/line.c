/* What stands on a line of the control socket: a JSON object with a command one way, a JSON object
 * with "ok" the other way. */
#include "line.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/control.h"
#include <stdlib.h>
#include <string.h>

json_t *line_parse(const char *line, size_t len, const char **command, struct error *e)
{
	json_error_t why;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);

	*command = json_string_value(json_object_get(request, "command"));
	if (*command != NULL)
		return request;
	if (request == NULL)
		error_set(e, ERROR_USAGE, "the request is no JSON: %s (at byte %d)", why.text,
			why.position);
	else if (!json_is_object(request))
		error_set(e, ERROR_USAGE, "the request is no JSON object");
	else
		error_set(e, ERROR_USAGE, "the request names no command");
	json_decref(request);
	return NULL;
}

/* NULL if it cannot be written or is too long. */
static char *print(const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	size_t len = text == NULL ? 0 : strlen(text);

	if (len == 0 || len > CONTROL_LINE_MAX) {
		free(text);
		return NULL;
	}
	char *line = xasprintf("%s\n", text);
	free(text);
	return line;
}

char *line_failure(const struct error *why)
{
	char *text = utf8_clean(why->text, strlen(why->text));
	json_t *answer = json_pack("{s:b, s:i, s:s}", "ok", 0, "code", (int)why->code, "error",
		text[0] != '\0' ? text : "hubmaild does not say why");
	char *line = print(answer);

	json_decref(answer);
	free(text);
	return line;
}

char *line_success(json_t *answer)
{
	struct error e;
	char *line = NULL;

	if (json_object_set_new(answer, "ok", json_true()) == 0)
		line = print(answer);
	json_decref(answer);
	if (line != NULL)
		return line;
	error_set(&e, ERROR_REFUSED, "the answer does not fit into one line of %u bytes",
		CONTROL_LINE_MAX);
	return line_failure(&e);
}

/* Text for JSON. */
#include "hubmail/base_json.h"

#include "hubmail/base_text.h"
#include <stdlib.h>
#include <string.h>

json_t *json_text(const char *text)
{
	if (text == NULL)
		return json_null();
	char *clean = utf8_clean(text, strlen(text));
	json_t *json = json_string_nocheck(clean);
	free(clean);
	return json;
}

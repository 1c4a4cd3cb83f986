/* A line of the control socket, and the answer that echoes it. */
#include "hubmail/control.h"

#include "../../daemon/control/line.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error e = {0};
	const char *command;
	json_t *request = line_parse((const char *)data, size, &command, &e);
	char *answer;

	if (request != NULL) {
		assert(command != NULL);
		answer = line_success(request);
	} else {
		assert(e.code == ERROR_USAGE && e.text[0] != '\0');
		answer = line_failure(&e);
	}
	assert(answer != NULL && strchr(answer, '\n') == answer + strlen(answer) - 1);
	free(answer);
	return 0;
}

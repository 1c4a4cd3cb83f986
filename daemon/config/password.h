/* Passwords of relays. Private to the room. */
#ifndef DAEMON_CONFIG_PASSWORD_H
#define DAEMON_CONFIG_PASSWORD_H

#include "hubmail/base_error.h"

/* The first line of `from`: an absolute path, or a name for which first the systemd credentials
 * ($CREDENTIALS_DIRECTORY, systemd.exec(5)) and then the folder of config_file are searched. A path
 * that cannot be read is looked for among the credentials by its last part, for the unit may have
 * loaded it from there. The caller's, for password_free(); NULL on error, which never shows
 * anything of the content. */
char *password_read(const char *config_file, const char *from, struct error *e);

/* The same for all of a file: a private key. */
char *key_read(const char *config_file, const char *from, struct error *e);

void password_free(char *password); /* wipes it; NULL is fine */

#endif

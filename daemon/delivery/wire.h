/* What libesmtp's socket needs and libesmtp does not do: seen by the connect() and poll() of
 * interpose.c while a session's thread is inside libesmtp. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_WIRE_H
#define HUBMAIL_DELIVERY_WIRE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

struct wire {
	int connect_timeout_ms;
	int user_timeout_ms; /* TCP_USER_TIMEOUT: unacknowledged data ends the connection after this
				long */
	pthread_mutex_t lock; /* fd is used by wire_shut_down() from other threads */
	int fd;               /* the connection, or -1 */
};

void wire_init(struct wire *w, int connect_timeout_ms, int user_timeout_ms);
void wire_destroy(struct wire *w);

/* Between these two the calling thread's connect() and poll() are ours. */
void wire_enter(struct wire *w);
void wire_leave(void);
struct wire *wire_current(void); /* NULL outside of them */

/* Connects within the time-out, with TCP_NODELAY, keep-alive and TCP_USER_TIMEOUT. As connect(2).
 */
int wire_connect(struct wire *w, int fd, const struct sockaddr *addr, socklen_t len);

/* False if the peer has closed or reset the connection: what is written now reaches nobody. */
bool wire_is_alive(struct wire *w);

/* Ends the connection from another thread: libesmtp sees it as lost. */
void wire_shut_down(struct wire *w);
/* libesmtp has closed the descriptor: it is not ours to touch any more. */
void wire_forget(struct wire *w);

#endif

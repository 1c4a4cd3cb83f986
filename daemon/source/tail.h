/* The ends that blog software puts under a summary. */
#ifndef SOURCE_TAIL_H
#define SOURCE_TAIL_H

#include "hubmail/base_buf.h"

/* Takes "Continue reading" links and "The post … appeared first on …" from the end of sanitised
 * HTML, turns "[…]" there into "…", and drops what is then empty. */
void tail_trim(struct buf *html);

#endif

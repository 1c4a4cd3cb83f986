/* The names of HTML's character references. */
#ifndef SOURCE_REFERENCE_H
#define SOURCE_REFERENCE_H

#include <stdint.h>

#define REFERENCE_NAME_MAX 10 /* letters of the longest name that is known */

/* The character of "nbsp" (no '&', no ';'; upper and lower case differ), or 0. */
uint32_t reference_value(const char *name);

#endif

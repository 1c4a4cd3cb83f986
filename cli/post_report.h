/* Posts as `posts` and `parse` show them. */
#ifndef CLI_POST_REPORT_H
#define CLI_POST_REPORT_H

#include "hubmail/post.h"
#include "report.h"

/* Appends the posts to a JSON array; with list, its name and each post's id are in it too. */
void post_report_json(json_t *array, const struct post_list *posts, const char *list);

#endif

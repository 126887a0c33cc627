/*
 * A folder with keys for tests that call by tcp: id.key, server.key,
 * authorized_keys, known_servers
 */

#ifndef TESTS_HARNESS_KEYS_H
#define TESTS_HARNESS_KEYS_H

/* tcp://127.0.0.1:PORT, where nobody listens now. */
void free_tcp_url(char ret_url[64]);

/* Makes the files in @folder: who has id.key may call all at @url, and knows the server there. Exits the test if it cannot. */
void key_folder_fill(const char *folder, const char *url);

#endif

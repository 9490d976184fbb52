// The certificates of the tests, as scripts/certs.sh makes them.
#ifndef TARO_TEST_CERTS_H
#define TARO_TEST_CERTS_H

// Folder of the certificates, filled if need be: TARO_TEST_CERTS, else one of this process's own. Not for two
// threads at once.
const char *certs_folder(void);
// Removes the process's own folder.
void certs_remove(void);

#endif

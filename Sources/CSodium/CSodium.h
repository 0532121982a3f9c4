// As CLinux does: otherwise the two have different definitions of fd_set, and cannot be imported together.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sodium.h>

// A C target needs a translation unit; everything here is in the header.
#include "CLinux.h"

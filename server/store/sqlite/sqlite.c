#include "server/store/sqlite/sqlite.h"

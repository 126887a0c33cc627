#include "server/store/memory/memory.h"

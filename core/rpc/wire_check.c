#include "core/rpc/wire_check.h"

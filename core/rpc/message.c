#include "core/rpc/message.h"

#include "core/rpc/mailbox.h"

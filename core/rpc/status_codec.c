#include "core/rpc/status_codec.h"

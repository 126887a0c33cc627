#include "core/rpc/frame.h"

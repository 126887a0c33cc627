#include "core/base/uuid.h"

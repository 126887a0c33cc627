#include "core/json/schema.h"

#include "core/json/json.h"

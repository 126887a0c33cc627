#include "core/users/rules.h"

#include "core/users/errors.h"

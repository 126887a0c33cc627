#include "core/users/get_user.h"

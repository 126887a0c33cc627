#include "core/users/create_user.h"

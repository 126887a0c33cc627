#include "core/users/update_user.h"

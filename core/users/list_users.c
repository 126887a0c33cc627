#include "core/users/list_users.h"

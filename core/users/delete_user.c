#include "core/users/delete_user.h"

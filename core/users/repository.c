#include "core/users/repository.h"

#include "server/store/postgres/postgres.h"

#include <pipit/server.h>

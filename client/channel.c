#include <pipit/client.h>

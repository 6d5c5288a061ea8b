#include "prom/exposition.h"

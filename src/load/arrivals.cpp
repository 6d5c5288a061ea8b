#include "load/arrivals.h"

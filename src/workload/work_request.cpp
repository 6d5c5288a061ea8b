#include "workload/work_request.h"

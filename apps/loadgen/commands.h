// The commands of loadgen: the one without a word, which sends load, and `merge`.
#pragma once

#include "cli/command.h"

namespace mpca::app {

Command attack_command();
Command merge_command();

}  // namespace mpca::app

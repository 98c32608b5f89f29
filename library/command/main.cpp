// The program `tilewright`: hands the words typed to command.cpp, with the bundled variants.
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "command/command.hpp"
#include "variants/table.hpp"

int main(int count, char** words) {
  // A reader that stops early (`| head`) is an output that cannot be written, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(words + (count > 0 ? 1 : 0), words + count);
  return tilewright::command::command(arguments, tilewright::library::variants(), std::cout,
                                      std::cerr,
                                      {::isatty(STDOUT_FILENO) == 1, ::isatty(STDERR_FILENO) == 1});
}

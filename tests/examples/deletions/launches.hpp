// The kernels whose barriers and waits are deleted, and the launches that must notice.
// A kernel comes as text and PTX; a launch is its arguments with the memory behind them.
// Next: deletions.cpp.
#pragma once

#include <string>
#include <tilewright/compile.hpp>
#include <vector>

namespace tilewright::test {

/// Arguments of one launch. `shape` is for people.
struct Launch {
  std::string shape;
  std::vector<Buffer> buffers;
  std::vector<Binding> arguments;
};

/// A kernel, one of its two texts, and launches that run it.
struct Subject {
  std::string name;
  std::string source_file;  ///< the user's, as provenance prints it: the last two components
  std::string source_path;
  Program program;
  bool aligned = true;
  std::vector<Launch> launches;

  const emit::KernelText& text() const {
    return aligned ? program.aligned.text : program.general.text;
  }
};

/// The lessons' kernels, a flash without a mask, and the goldens, each as both of its texts.
std::vector<Subject> subjects(const Device& device);

}  // namespace tilewright::test

// Compiles generated text at test time: the reference into a shared object that a test calls, or a
// whole program with a CUDA compiler.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

/// A folder that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "tilewright_standalone_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const std::string& file, const std::string& text) const {
    const std::string full = (path_ / file).string();
    std::ofstream(full) << text;
    return full;
  }
  std::string path(const std::string& file) const { return (path_ / file).string(); }

  /// Runs a command; what it printed is in `output()`.
  int run(const std::string& command) const {
    const int status = std::system((command + " > '" + path("log") + "' 2>&1").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  }
  std::string output() const {
    std::stringstream text;
    text << std::ifstream(path("log")).rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path path_;
};

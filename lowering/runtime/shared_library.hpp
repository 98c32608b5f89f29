// A library opened at run time. Nothing here is ever linked: libcuda, NVRTC and the emulator are
// found when they are needed, and their absence is an answer, not a crash.
// The one idea: RTLD_LOCAL, so two drivers with the same symbol names can live in one process.
// Libraries stay open until the process ends: a GPU driver does not survive being closed.
// Next: driver.hpp, nvrtc.hpp.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tilewright::runtime {

class SharedLibrary {
 public:
  /// `absent`: no such file. Otherwise it is there and the linker refused it (`reason` says why).
  struct Failure {
    bool absent = false;
    std::string reason;
  };

  /// Opens `name` (a path, or a bare name for the dynamic linker). On failure returns nothing and
  /// fills `failure`.
  static std::optional<SharedLibrary> open(const std::string& name, Failure& failure);

  /// Opens `path` with its symbols visible to libraries opened later; failure is not an error.
  static void preload(const std::filesystem::path& path);

  /// The address of an exported symbol, or null.
  void* find(const char* symbol) const;

  /// The file the linker settled on (from the address of one of its symbols); empty if unknown.
  static std::filesystem::path file_of(const void* symbol_address);

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  void* handle_;
};

/// The folder of the executable or library that contains this code.
std::filesystem::path folder_of_this_binary();

/// Where the dynamic linker looks for this program's libraries before the system's folders: the
/// RUNPATH it was linked with.
std::vector<std::filesystem::path> run_paths_of_this_binary();

}  // namespace tilewright::runtime

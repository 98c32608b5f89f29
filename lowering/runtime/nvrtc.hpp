// NVRTC, NVIDIA's run-time compiler, opened when first needed.
// The one idea: text in, image and log out. No include path, no header, no toolkit: the text is
// self-contained.
// Next: nvrtc_search.hpp (where it is found), compile.hpp (what callers use).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/image.hpp"

namespace tilewright::runtime {

class Nvrtc {
 public:
  /// Opens NVRTC; the same library is opened once per process. Throws Error{missing} that lists
  /// where it looked and the command that installs it.
  static std::shared_ptr<const Nvrtc> load();

  ~Nvrtc();

  const std::filesystem::path& file() const { return file_; }
  int major() const { return major_; }
  int minor() const { return minor_; }
  std::string version() const;  ///< "13.0"

  /// The architectures it compiles for, as numbers: 80, 86, 90 …
  std::vector<int> architectures() const;

  /// Compiles `text` under the file name `<name>.cu`. `architecture` is "sm_80" or "sm_90a".
  /// Errors: compile_failed with NVRTC's log; unsupported for an architecture it does not know.
  /// Safe from many threads; at most eight compile at a time, as each takes some hundred MB.
  CompiledImage compile(const std::string& text, const std::string& name,
                        const std::string& architecture, ImageKind kind,
                        const std::vector<std::string>& options) const;

 private:
  struct Functions;
  Nvrtc(std::filesystem::path file, std::unique_ptr<Functions> functions);
  static std::shared_ptr<const Nvrtc> open(const std::string& candidate, std::string& reason);

  std::filesystem::path file_;
  std::unique_ptr<Functions> functions_;
  int major_ = 0;
  int minor_ = 0;
};

/// The sentence that tells a user how to get NVRTC.
const char* how_to_install_nvrtc();

}  // namespace tilewright::runtime

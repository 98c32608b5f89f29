// NVRTC, NVIDIA's run-time compiler, opened when first needed.
// The one idea: text in, image and log out. No include path, no header, no toolkit: the text is
// self-contained.
// Next: nvrtc_search.hpp (where it is found), compile.hpp (what callers use).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/image.hpp"
#include "runtime/nvrtc_log.hpp"

namespace tilewright::runtime {

class Nvrtc {
 public:
  /// Opens NVRTC; the same library is opened once per process. Throws Error{missing} that lists
  /// where it looked and the command that installs it.
  static std::shared_ptr<const Nvrtc> load();

  /// The same, or nothing; `notes` are then the places it looked at and what was wrong there.
  static std::shared_ptr<const Nvrtc> find(std::vector<std::string>& notes);

  ~Nvrtc();

  /// What one compile may take while it runs: 30 to 95 MB were measured for kernels of 130 to 360
  /// KB (NVRTC 13.0; bench/results/2026-11-25-first-result.md), and 34 MB once for the library.
  static constexpr std::uint64_t bytes_per_compile = std::uint64_t{128} << 20;

  /// Eight, unless more were asked for: threads that a program lets loose on cold kernels must not
  /// take its memory. Never lowers it.
  static void allow_compiles_at_once(int count);

  const std::filesystem::path& file() const { return file_; }
  int major() const { return major_; }
  int minor() const { return minor_; }
  std::string version() const;  ///< "13.0"

  /// The architectures it compiles for, as numbers: 80, 86, 90 …
  std::vector<int> architectures() const;

  /// Compiles `text` under the file name `<name>.cu`. `architecture` is "sm_80" or "sm_90a".
  /// Errors: compile_failed with NVRTC's log; unsupported for an architecture it does not know.
  /// Safe from many threads; at most `compiles_at_once` run at a time, others wait.
  /// `origins` names the user's lines in the messages.
  CompiledImage compile(const std::string& text, const std::string& name,
                        const std::string& architecture, ImageKind kind,
                        const std::vector<std::string>& options,
                        const LineOrigins& origins = {}) const;

 private:
  struct Functions;
  Nvrtc(std::filesystem::path file, std::unique_ptr<Functions> functions);
  static std::shared_ptr<const Nvrtc> open(const std::string& candidate, std::string& reason);

  std::filesystem::path file_;
  std::unique_ptr<Functions> functions_;
  int major_ = 0;
  int minor_ = 0;
};

}  // namespace tilewright::runtime

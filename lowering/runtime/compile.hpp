// The compile service: CUDA text in, a cached image (or a loaded kernel) out.
// The one idea: one place decides the options, the cache key, the dump and the log line, so a
// kernel compiled offline and one compiled for a device are the same bytes.
// Next: cache.hpp, nvrtc.hpp, module.hpp; tests/runtime/compile_test.cpp.
#pragma once

#include <string>
#include <vector>

#include "device.hpp"
#include "image.hpp"
#include "module.hpp"
#include "nvrtc_log.hpp"

namespace tilewright::runtime {

struct CompileOptions {
  /// NVRTC options beside the ones always given: --std=c++17 and --generate-line-info. Fast math is
  /// never switched on. They are part of the cache key.
  std::vector<std::string> extra;
  /// The user's line for a line of the text, to be named in NVRTC's messages; no part of the key.
  LineOrigins origins = {};
};

/// What an image is compiled for.
struct ImageTarget {
  std::string architecture;  ///< as Device::architecture gives it: "sm_80", "sm_90a"
  ImageKind kind = ImageKind::cubin;

  /// A GPU's own code, or PTX for the emulator.
  static ImageTarget of(const Device& device);

  /// "sm_90": a GPU of that architecture, which need not be here. Else a device as Device::open
  /// takes it; an emulated one is not opened. Errors: as Device::open, and invalid_argument.
  static ImageTarget named(const std::string& name);

  friend bool operator==(const ImageTarget&, const ImageTarget&) = default;
};

/// A loaded kernel and the image it came from.
struct CompiledKernel {
  Function function;  ///< keeps its module and device alive
  CompiledImage image;
};

/// Compiles without any device. `name` is the kernel's (it names the file in messages and dumps);
/// `architecture` is "sm_80", "sm_90a" …. Errors: invalid_argument for a malformed architecture,
/// missing without NVRTC, unsupported or compile_failed from NVRTC.
CompiledImage compile_image(const std::string& cuda_text, const std::string& name,
                            const std::string& architecture, ImageKind kind,
                            const CompileOptions& options = {});

/// Compiles for `device`'s own architecture (cubin for a GPU, PTX for the emulator), loads it and
/// gets the extern "C" kernel `name`.
CompiledKernel compile_kernel(const Device& device, const std::string& cuda_text,
                              const std::string& name, const CompileOptions& options = {});

/// What compile_image adds to every compile, `options` included, in order.
std::vector<std::string> nvrtc_options(const CompileOptions& options = {});

}  // namespace tilewright::runtime

// From the bytes a program hands to cuModuleLoadData to a loaded module, or a result code and a
// log.
//
// Only PTX text is taken. Look next at modules.cpp for the entry points.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "emulator/driver/state.hpp"

namespace tilewright::emulator::driver {

/// Where the caller wants the log of a load: cuModuleLoadDataEx's options, decoded.
class JitLog {
 public:
  JitLog() = default;
  /// CUDA_ERROR_INVALID_VALUE for an option that does not exist or a null where one is needed.
  JitLog(unsigned count, const CUjit_option* options, void** values);

  /// Writes into the error log, cut to its size, and tells how many bytes were written.
  void error(std::string_view text);

 private:
  char* buffer_ = nullptr;
  std::size_t capacity_ = 0;
  void** error_size_ = nullptr;  ///< the option's value slot, which receives the size written
};

/// The PTX text of an image. CUDA_ERROR_NO_BINARY_FOR_GPU for machine code,
/// CUDA_ERROR_INVALID_IMAGE for what is neither.
std::string_view ptx_of_image(const void* image, JitLog& log);

/// Loads PTX into a context and gives it a handle. CUDA_ERROR_INVALID_PTX,
/// CUDA_ERROR_UNSUPPORTED_PTX_VERSION for an instruction that is not known.
std::shared_ptr<LoadedModule> load_module(std::string_view ptx,
                                          const std::shared_ptr<Context>& context, JitLog& log);

/// A module's kernel as a function handle, the same one every time; CUDA_ERROR_NOT_FOUND.
CUfunction function_of(const std::shared_ptr<LoadedModule>& module, const std::string& name);

/// Ends a module: its handle, its functions' handles, its global variables.
void unload_module(CUmodule handle);

/// A whole file with a terminating zero behind its last byte; CUDA_ERROR_FILE_NOT_FOUND.
std::string read_image_file(const char* path);

}  // namespace tilewright::emulator::driver

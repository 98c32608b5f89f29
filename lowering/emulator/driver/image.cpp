// Recognising PTX, loading it, and saying in the caller's log buffer why it could not be loaded.
//
// Look next at engine.hpp for what loading does.
#include "emulator/driver/image.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

namespace tilewright::emulator::driver {
namespace {

/// Behind white space and comments; npos when a comment does not end.
std::size_t first_word(std::string_view text) {
  std::size_t at = 0;
  for (;;) {
    at = text.find_first_not_of(" \t\r\n\f\v", at);
    if (at == std::string_view::npos) return at;
    if (text.compare(at, 2, "//") == 0) {
      at = text.find('\n', at);
    } else if (text.compare(at, 2, "/*") == 0) {
      at = text.find("*/", at + 2);
      if (at != std::string_view::npos) at += 2;
    } else {
      return at;
    }
    if (at == std::string_view::npos) return at;
  }
}

[[noreturn]] void refuse(CUresult result, JitLog& log, std::string_view text) {
  log.error(text);
  throw Failure{result};
}

}  // namespace

JitLog::JitLog(unsigned count, const CUjit_option* options, void** values) {
  require(count == 0 || (options != nullptr && values != nullptr));
  void** info_size = nullptr;
  bool wants_info = false;
  for (unsigned i = 0; i < count; ++i) {
    require(options[i] >= 0 && options[i] < CU_JIT_NUM_OPTIONS);
    switch (options[i]) {
      case CU_JIT_ERROR_LOG_BUFFER: buffer_ = static_cast<char*>(values[i]); break;
      case CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES:
        error_size_ = &values[i];
        capacity_ = static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(values[i]));
        break;
      case CU_JIT_INFO_LOG_BUFFER: wants_info = values[i] != nullptr; break;
      case CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES: info_size = &values[i]; break;
      default: break;  // optimisation levels and the like: nothing here for them to change
    }
  }
  // The emulator has nothing to say about a module that loads: the information log is empty.
  if (info_size != nullptr) {
    const auto capacity = reinterpret_cast<std::uintptr_t>(*info_size);
    for (unsigned i = 0; i < count && wants_info && capacity != 0; ++i)
      if (options[i] == CU_JIT_INFO_LOG_BUFFER) *static_cast<char*>(values[i]) = '\0';
    *info_size = nullptr;
  }
  error({});
}

void JitLog::error(std::string_view text) {
  std::size_t written = 0;
  if (buffer_ != nullptr && capacity_ != 0) {
    written = std::min(text.size(), capacity_ - 1);
    std::copy_n(text.data(), written, buffer_);
    buffer_[written] = '\0';
  }
  if (error_size_ != nullptr) *error_size_ = reinterpret_cast<void*>(written);
}

std::string_view ptx_of_image(const void* image, JitLog& log) {
  require(image != nullptr);
  // Byte by byte, so that nothing behind a short text is read.
  const auto* bytes = static_cast<const unsigned char*>(image);
  const auto starts_with = [&](std::initializer_list<unsigned char> magic) {
    // Not std::equal, which may compare all of them at once.
    const unsigned char* at = bytes;
    for (const unsigned char expected : magic)
      if (*at++ != expected) return false;
    return true;
  };
  constexpr std::string_view machine_code =
      "the emulator runs PTX text, and this image is machine code for a GPU; hand over the PTX";
  if (starts_with({0x7f, 'E', 'L', 'F'}) || starts_with({0x50, 0xed, 0x55, 0xba}) ||
      starts_with({0xb1, 0x43, 0x62, 0x46}))
    refuse(CUDA_ERROR_NO_BINARY_FOR_GPU, log, machine_code);
  const std::string_view text = static_cast<const char*>(image);
  const std::size_t start = first_word(text);
  if (start == std::string_view::npos || text.compare(start, 8, ".version") != 0)
    refuse(CUDA_ERROR_INVALID_IMAGE, log, "not PTX: the text does not start with .version");
  return text;
}

std::shared_ptr<LoadedModule> load_module(std::string_view ptx,
                                          const std::shared_ptr<Context>& context, JitLog& log) {
  auto loaded = std::make_shared<LoadedModule>();
  loaded->context = context;
  Device& device = *context->device;
  try {
    std::scoped_lock lock(device.execution);
    loaded->module = Module::load(ptx, device.memory());
  } catch (const PtxError& error) {
    const std::string_view text = error.what();
    // The engine's words for what a later PTX version may have and it does not.
    bool unknown = false;
    for (const char* words : {"unknown", "unsupported", "not supported"})
      unknown = unknown || text.find(words) != text.npos;
    refuse(unknown ? CUDA_ERROR_UNSUPPORTED_PTX_VERSION : CUDA_ERROR_INVALID_PTX, log, text);
  }
  const int target = loaded->module->target();
  if (target > device.traits->arch())
    refuse(CUDA_ERROR_INVALID_PTX, log,
           "the module's .target is sm_" + std::to_string(target) + ", above this device's sm_" +
               std::to_string(device.traits->arch()));
  loaded->handle = make_handle<CUmodule>();
  State::get().modules.insert(loaded->handle, loaded);
  return loaded;
}

CUfunction function_of(const std::shared_ptr<LoadedModule>& module, const std::string& name) {
  const auto& kernels = module->module->kernels();
  const auto kernel = kernels.find(name);
  require(kernel != kernels.end(), CUDA_ERROR_NOT_FOUND);
  std::scoped_lock lock(module->mutex);
  CUfunction& handle = module->functions[name];
  if (handle == nullptr) {
    auto function = std::make_shared<Function>();
    function->handle = make_handle<CUfunction>();
    function->owner = module;
    function->kernel = &kernel->second;
    const int left = shared_per_block_default -
                     static_cast<int>(std::min<std::uint32_t>(kernel->second.static_shared_bytes,
                                                              shared_per_block_default));
    function->dynamic_shared_limit = left;
    State::get().functions.insert(function->handle, function);
    handle = function->handle;
  }
  return handle;
}

void unload_module(CUmodule handle) {
  State& state = State::get();
  auto module = state.modules.remove(handle);
  require(module != nullptr, CUDA_ERROR_INVALID_HANDLE);
  state.functions.remove_if([&](const Function& f) { return f.owner == module; });
  // A launch under way on another thread still holds the module; the last holder frees it.
}

std::string read_image_file(const char* path) {
  require(path != nullptr);
  std::ifstream file(path, std::ios::binary);
  require(file.good(), CUDA_ERROR_FILE_NOT_FOUND);
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  require(!file.bad() && !content.empty(), CUDA_ERROR_INVALID_IMAGE);
  return content;
}

}  // namespace tilewright::emulator::driver

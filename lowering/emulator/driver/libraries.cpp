// Entry points of the interface that loads code without a context: a library keeps the PTX text and
// becomes a module of each context that first uses it.
//
// Look next at image.cpp for loading.
#include <cstring>

#include "emulator/driver/functions.hpp"
#include "emulator/driver/image.hpp"

namespace tilewright::emulator::driver {
namespace {

/// The library's module in a context, loaded when it is not there yet.
std::shared_ptr<LoadedModule> module_in(Library& library, const std::shared_ptr<Context>& context,
                                        JitLog& log) {
  std::scoped_lock lock(library.mutex);
  CUmodule& handle = library.modules[context->handle];
  if (auto module = State::get().modules.find(handle)) return module;
  auto module = load_module(library.ptx, context, log);
  handle = module->handle;
  return module;
}

std::shared_ptr<Library> library_of(CUlibrary handle) {
  auto library = State::get().libraries.find(handle);
  require(library != nullptr, CUDA_ERROR_INVALID_HANDLE);
  return library;
}

std::shared_ptr<LibraryKernel> kernel_of(CUkernel handle) {
  auto kernel = State::get().kernels.find(handle);
  require(kernel != nullptr, CUDA_ERROR_INVALID_HANDLE);
  return kernel;
}

CUlibrary load_library(const void* image, JitLog log) {
  auto library = std::make_shared<Library>();
  library->ptx = ptx_of_image(image, log);
  // With a context at hand the text is judged now, not at its first use.
  if (!context_stack().empty()) module_in(*library, current_context(), log);
  library->handle = make_handle<CUlibrary>();
  State::get().libraries.insert(library->handle, library);
  return library->handle;
}

}  // namespace

CUfunction function_of_kernel(const LibraryKernel& kernel) {
  JitLog log;
  return function_of(module_in(*kernel.library, current_context(), log), kernel.name);
}

}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuLibraryLoadData(CUlibrary* library, const void* image, CUjit_option* options,
                                   void** values, unsigned int count, CUlibraryOption*, void**,
                                   unsigned int) {
  return guarded([&] {
    require(library != nullptr);
    *library = load_library(image, JitLog(count, options, values));
  });
}

CUresult CUDAAPI cuLibraryLoadFromFile(CUlibrary* library, const char* path, CUjit_option* options,
                                       void** values, unsigned int count, CUlibraryOption*, void**,
                                       unsigned int) {
  return guarded([&] {
    require(library != nullptr);
    *library = load_library(read_image_file(path).c_str(), JitLog(count, options, values));
  });
}

CUresult CUDAAPI cuLibraryUnload(CUlibrary library) {
  return guarded([&] {
    State& state = State::get();
    auto found = state.libraries.remove(library);
    require(found != nullptr, CUDA_ERROR_INVALID_HANDLE);
    state.kernels.remove_if([&](const LibraryKernel& k) { return k.library == found; });
    std::scoped_lock lock(found->mutex);
    for (const auto& [context, module] : found->modules)
      if (state.modules.find(module) != nullptr) unload_module(module);
  });
}

CUresult CUDAAPI cuLibraryGetModule(CUmodule* module, CUlibrary library) {
  return guarded([&] {
    require(module != nullptr);
    JitLog log;
    *module = module_in(*library_of(library), current_context(), log)->handle;
  });
}

CUresult CUDAAPI cuLibraryGetKernel(CUkernel* kernel, CUlibrary library, const char* name) {
  return guarded([&] {
    require(kernel != nullptr && name != nullptr);
    auto found = library_of(library);
    JitLog log;
    const auto module = module_in(*found, current_context(), log);
    require(module->module->kernels().count(name) != 0, CUDA_ERROR_NOT_FOUND);
    std::scoped_lock lock(found->mutex);
    CUkernel& handle = found->kernels[name];
    if (handle == nullptr) {
      auto made = std::make_shared<LibraryKernel>();
      made->handle = make_handle<CUkernel>();
      made->library = found;
      made->name = name;
      State::get().kernels.insert(made->handle, made);
      handle = made->handle;
    }
    *kernel = handle;
  });
}

CUresult CUDAAPI cuLibraryGetGlobal(CUdeviceptr* address, std::size_t* bytes, CUlibrary library,
                                    const char* name) {
  CUmodule module = nullptr;
  const CUresult found = cuLibraryGetModule(&module, library);
  return found != CUDA_SUCCESS ? found : cuModuleGetGlobal(address, bytes, module, name);
}

CUresult CUDAAPI cuKernelGetFunction(CUfunction* function, CUkernel kernel) {
  return guarded([&] {
    require(function != nullptr);
    *function = function_of_kernel(*kernel_of(kernel));
  });
}

CUresult CUDAAPI cuKernelGetAttribute(int* value, CUfunction_attribute attribute, CUkernel kernel,
                                      CUdevice device) {
  return guarded([&] {
    require(value != nullptr);
    const auto function = resolve_function(function_of_kernel(*kernel_of(kernel)));
    require(function->owner->context->device == &device_of(device), CUDA_ERROR_INVALID_DEVICE);
    *value = function_attribute(*function, attribute);
  });
}

CUresult CUDAAPI cuKernelSetAttribute(CUfunction_attribute attribute, int value, CUkernel kernel,
                                      CUdevice device) {
  return guarded([&] {
    const auto function = resolve_function(function_of_kernel(*kernel_of(kernel)));
    require(function->owner->context->device == &device_of(device), CUDA_ERROR_INVALID_DEVICE);
    set_function_attribute(*function, attribute, value);
  });
}

CUresult CUDAAPI cuKernelGetName(const char** name, CUkernel kernel) {
  return guarded([&] {
    require(name != nullptr);
    *name = kernel_of(kernel)->name.c_str();
  });
}

}  // extern "C"

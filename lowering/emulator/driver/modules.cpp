// Entry points about modules and the functions in them.
//
// Look next at image.cpp for loading, launch.cpp for running a function, libraries.cpp for the
// interface that loads without a context.
#include "emulator/driver/functions.hpp"
#include "emulator/driver/image.hpp"

using namespace tilewright::emulator::driver;

namespace {

CUmodule load(const void* image, JitLog log) {
  auto context = current_context();
  return load_module(ptx_of_image(image, log), context, log)->handle;
}

std::shared_ptr<LoadedModule> module_of(CUmodule handle) {
  auto module = State::get().modules.find(handle);
  require(module != nullptr, CUDA_ERROR_INVALID_HANDLE);
  return module;
}

}  // namespace

extern "C" {

CUresult CUDAAPI cuModuleLoadData(CUmodule* module, const void* image) {
  return guarded([&] {
    require(module != nullptr);
    *module = load(image, {});
  });
}

CUresult CUDAAPI cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned int count,
                                    CUjit_option* options, void** values) {
  return guarded([&] {
    require(module != nullptr);
    *module = load(image, JitLog(count, options, values));
  });
}

CUresult CUDAAPI cuModuleLoadFatBinary(CUmodule* module, const void* image) {
  return guarded([&] {
    require(module != nullptr && image != nullptr);
    throw Failure{CUDA_ERROR_NO_BINARY_FOR_GPU};
  });
}

CUresult CUDAAPI cuModuleLoad(CUmodule* module, const char* path) {
  return guarded([&] {
    require(module != nullptr);
    *module = load(read_image_file(path).c_str(), {});
  });
}

CUresult CUDAAPI cuModuleUnload(CUmodule module) {
  return guarded([&] { unload_module(module); });
}

CUresult CUDAAPI cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  return guarded([&] {
    require(function != nullptr && name != nullptr);
    *function = function_of(module_of(module), name);
  });
}

CUresult CUDAAPI cuModuleGetFunctionCount(unsigned int* count, CUmodule module) {
  return guarded([&] {
    require(count != nullptr);
    *count = static_cast<unsigned>(module_of(module)->module->kernels().size());
  });
}

CUresult CUDAAPI cuModuleGetGlobal(CUdeviceptr* address, std::size_t* bytes, CUmodule module,
                                   const char* name) {
  return guarded([&] {
    require(name != nullptr && (address != nullptr || bytes != nullptr));
    auto found = module_of(module);
    const auto& globals = found->module->globals();
    const auto global = globals.find(name);
    require(global != globals.end(), CUDA_ERROR_NOT_FOUND);
    if (address != nullptr) *address = global->second.address;
    if (bytes != nullptr) *bytes = global->second.bytes;
  });
}

CUresult CUDAAPI cuFuncGetAttribute(int* value, CUfunction_attribute attribute,
                                    CUfunction function) {
  return guarded([&] {
    require(value != nullptr);
    *value = function_attribute(*resolve_function(function), attribute);
  });
}

CUresult CUDAAPI cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute,
                                    int value) {
  return guarded([&] { set_function_attribute(*resolve_function(function), attribute, value); });
}

CUresult CUDAAPI cuFuncSetCacheConfig(CUfunction function, CUfunc_cache) {
  return guarded([&] { resolve_function(function); });
}

CUresult CUDAAPI cuFuncLoad(CUfunction function) {
  return guarded([&] { resolve_function(function); });
}

CUresult CUDAAPI cuFuncGetModule(CUmodule* module, CUfunction function) {
  return guarded([&] {
    require(module != nullptr);
    *module = resolve_function(function)->owner->handle;
  });
}

CUresult CUDAAPI cuFuncGetName(const char** name, CUfunction function) {
  return guarded([&] {
    require(name != nullptr);
    *name = resolve_function(function)->kernel->name.c_str();
  });
}

CUresult CUDAAPI cuFuncGetParamInfo(CUfunction function, std::size_t index, std::size_t* offset,
                                    std::size_t* bytes) {
  return guarded([&] {
    require(offset != nullptr);
    const auto found = resolve_function(function);
    require(index < found->kernel->parameters.size());
    *offset = found->kernel->parameters[index].offset;
    if (bytes != nullptr) *bytes = found->kernel->parameters[index].bytes;
  });
}

}  // extern "C"

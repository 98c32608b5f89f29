// See session.hpp. The emulator's record is emptied before every module, so that faults belong to
// it.
#include "session.hpp"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "emulator/emulator_api.h"

// The form without creation parameters: later headers rename cuCtxCreate to one that has them.
extern "C" CUresult CUDAAPI cuCtxCreate_v2(CUcontext* context, unsigned int flags, CUdevice device);

namespace tilewright::corpus {

void require(CUresult code, const char* call) {
  if (code != CUDA_SUCCESS) throw DriverError{code, call};
}

Session::Session(const std::string& ptx, const char* step_limit) {
  CORPUS_OK(cuInit(0));
  CORPUS_OK(cuCtxCreate_v2(&context_, 0, 0));
  tilewright_emulator_reset();
  tilewright_emulator_configure("step_limit", step_limit);
  std::vector<char> log(2048);
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {log.data(), reinterpret_cast<void*>(log.size())};
  const CUresult loaded = cuModuleLoadDataEx(&module_, ptx.c_str(), 2, options, values);
  if (loaded != CUDA_SUCCESS) {
    cuCtxDestroy(context_);
    throw DriverError{loaded, log.data()};
  }
}

Session::~Session() {
  tilewright_emulator_reset();
  cuCtxDestroy(context_);  // and with it the module and what was allocated
}

CUdeviceptr Session::allocate(std::size_t bytes) {
  CUdeviceptr address = 0;
  CORPUS_OK(cuMemAlloc(&address, bytes == 0 ? 1 : bytes));
  return address;
}

CUresult Session::launch_raw(const char* kernel, const Shape& shape, void** arguments) {
  CUfunction function = nullptr;
  CORPUS_OK(cuModuleGetFunction(&function, module_, kernel));
  if (shape.shared > 48 * 1024) {
    CORPUS_OK(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                 static_cast<int>(shape.shared)));
  }
  CUresult result = cuLaunchKernel(function, shape.grid, shape.grid_y, 1, shape.block, 1, 1,
                                   shape.shared, nullptr, arguments, nullptr);
  if (result == CUDA_SUCCESS) result = cuCtxSynchronize();
  for (const auto& fault : nlohmann::json::parse(tilewright_emulator_faults())) {
    faults_.push_back({fault.at("kind"), fault.at("kernel"), fault.at("message"),
                       fault.at("ptx_line"), fault.at("cuda_line")});
  }
  tilewright_emulator_reset();
  return result;
}

std::string kinds_of(const std::vector<Fault>& faults) {
  std::set<std::string> kinds;
  for (const Fault& fault : faults) kinds.insert(fault.kind);
  std::string text;
  for (const std::string& kind : kinds) text += (text.empty() ? "" : ", ") + kind;
  return text.empty() ? "none" : text;
}

std::string file_text(const std::string& path) {
  std::ifstream file(std::string(TILEWRIGHT_CORPUS) + "/" + path);
  if (!file) throw std::runtime_error("no file " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace tilewright::corpus

// What the driver's tests share: a fresh context on device 0, small PTX kernels, and a check that
// prints result codes by name.
//
// Look next at launch_test.cpp for how they are used together.
#pragma once

#include <cuda.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "emulator/emulator_api.h"

// The form without creation parameters: later headers rename cuCtxCreate to one that has them.
extern "C" CUresult CUDAAPI cuCtxCreate_v2(CUcontext* context, unsigned int flags, CUdevice device);

namespace tilewright::test {

inline std::string result_name(CUresult result) {
  const char* name = nullptr;
  return cuGetErrorName(result, &name) == CUDA_SUCCESS ? name : std::to_string(result);
}

#define CHECK_RESULT(call, expected) \
  CHECK_EQ(tilewright::test::result_name(call), tilewright::test::result_name(expected))
#define REQUIRE_OK(call) \
  REQUIRE_EQ(tilewright::test::result_name(call), std::string("CUDA_SUCCESS"))

/// A kernel `name(.u64 data, .u32 n)` around a body. Registers: %r<32>, %rd<32>, %f<16>, %p<8>;
/// %rd1 is the global address of data, %r1 is n, %r2 the thread's index in the grid.
inline std::string ptx_kernel(const std::string& body, const std::string& target = "sm_80",
                              const std::string& before = "") {
  return ".version 7.8\n.target " + target + "\n.address_size 64\n" + before +
         ".visible .entry kernel(.param .u64 data, .param .u32 n)\n{\n"
         "  .reg .pred %p<8>;\n  .reg .f32 %f<16>;\n  .reg .b32 %r<32>;\n  .reg .b64 %rd<32>;\n"
         "  ld.param.u64 %rd1, [data];\n  cvta.to.global.u64 %rd1, %rd1;\n"
         "  ld.param.u32 %r1, [n];\n"
         "  mov.u32 %r3, %ctaid.x;\n  mov.u32 %r4, %ntid.x;\n  mov.u32 %r5, %tid.x;\n"
         "  mad.lo.s32 %r2, %r3, %r4, %r5;\n" +
         body + "  ret;\n}\n";
}

/// data[i] = i for i < n.
inline const char* const store_index =
    "  setp.ge.u32 %p1, %r2, %r1;\n"
    "  @%p1 bra DONE;\n"
    "  mul.wide.u32 %rd2, %r2, 4;\n"
    "  add.s64 %rd3, %rd1, %rd2;\n"
    "  st.global.u32 [%rd3], %r2;\n"
    "DONE:\n";

/// A context of its own on a device, current while the test case runs; the emulator's record is
/// empty and its options are the defaults.
struct Fresh {
  CUcontext context = nullptr;

  explicit Fresh(int ordinal = 0) {
    REQUIRE_OK(cuInit(0));
    REQUIRE_OK(cuCtxCreate_v2(&context, 0, ordinal));
    tilewright_emulator_reset();
  }
  ~Fresh() {
    tilewright_emulator_reset();
    if (context != nullptr) cuCtxDestroy(context);
  }
  Fresh(const Fresh&) = delete;
  Fresh& operator=(const Fresh&) = delete;

  CUfunction load(const std::string& ptx, const char* name = "kernel") const {
    CUmodule module = nullptr;
    std::vector<char> log(2048);
    CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void* values[] = {log.data(), reinterpret_cast<void*>(log.size())};
    const CUresult result = cuModuleLoadDataEx(&module, ptx.c_str(), 2, options, values);
    INFO(std::string(log.data()));
    REQUIRE_OK(result);
    CUfunction function = nullptr;
    REQUIRE_OK(cuModuleGetFunction(&function, module, name));
    return function;
  }

  CUdeviceptr allocate(std::size_t bytes) const {
    CUdeviceptr address = 0;
    REQUIRE_OK(cuMemAlloc(&address, bytes));
    return address;
  }
};

inline CUresult launch(CUfunction function, CUdeviceptr data, unsigned n, unsigned grid = 1,
                       unsigned block = 32, unsigned shared = 0, CUstream stream = nullptr) {
  void* parameters[] = {&data, &n};
  return cuLaunchKernel(function, grid, 1, 1, block, 1, 1, shared, stream, parameters, nullptr);
}

inline nlohmann::json faults() { return nlohmann::json::parse(tilewright_emulator_faults()); }
inline nlohmann::json counters() { return nlohmann::json::parse(tilewright_emulator_counters()); }

}  // namespace tilewright::test

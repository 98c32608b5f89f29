// Modules, functions and libraries: what is taken as an image, what is refused with which code and
// which words in the log, and what a function says of itself.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "driver_fixture.hpp"

using namespace tilewright::test;

namespace {

struct Load {
  CUresult result;
  std::string log;
  std::size_t log_bytes;
};

Load load_with_log(const void* image, std::size_t capacity = 2048) {
  std::vector<char> log(capacity + 1, '#');
  CUmodule module = nullptr;
  CUjit_option options[] = {CU_JIT_OPTIMIZATION_LEVEL, CU_JIT_ERROR_LOG_BUFFER,
                            CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {reinterpret_cast<void*>(4), log.data(), reinterpret_cast<void*>(capacity)};
  const CUresult result = cuModuleLoadDataEx(&module, image, 3, options, values);
  CHECK(log[capacity] == '#');
  return {result, log.data(), reinterpret_cast<std::size_t>(values[2])};
}

}  // namespace

TEST_CASE("what is no PTX is refused by kind") {
  Fresh fresh;
  CHECK_RESULT(load_with_log("").result, CUDA_ERROR_INVALID_IMAGE);
  CHECK_RESULT(load_with_log("\x7f").result, CUDA_ERROR_INVALID_IMAGE);
  CHECK_RESULT(load_with_log("hello").result, CUDA_ERROR_INVALID_IMAGE);
  CHECK_RESULT(load_with_log("// only a comment").result, CUDA_ERROR_INVALID_IMAGE);
  CHECK_RESULT(load_with_log("/* open").result, CUDA_ERROR_INVALID_IMAGE);
  CHECK_RESULT(load_with_log("\x7f"
                             "ELF\x02\x01\x01")
                   .result,
               CUDA_ERROR_NO_BINARY_FOR_GPU);
  const Load fatbin = load_with_log("\x50\xed\x55\xba\x01");
  CHECK_RESULT(fatbin.result, CUDA_ERROR_NO_BINARY_FOR_GPU);
  CHECK(fatbin.log.find("PTX") != fatbin.log.npos);
  CUmodule module = nullptr;
  CHECK_RESULT(cuModuleLoadData(&module, nullptr), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuModuleLoad(&module, "/no/such/file.ptx"), CUDA_ERROR_FILE_NOT_FOUND);
  CHECK_RESULT(cuModuleLoadDataEx(&module, "", 1, nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("PTX that cannot be read says why in the log, cut to its size") {
  Fresh fresh;
  const std::string bad = ptx_kernel("  frobnicate.u32 %r6, %r1;\n");
  const Load whole = load_with_log(bad.c_str());
  CHECK_RESULT(whole.result, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
  CHECK(whole.log.find("frobnicate") != whole.log.npos);
  CHECK(whole.log_bytes == whole.log.size());
  const Load cut = load_with_log(bad.c_str(), 8);
  CHECK(cut.log == whole.log.substr(0, 7));
  CHECK(cut.log_bytes == 7);
  const std::string unclosed = ".version 7.8\n.target sm_80\n.address_size 64\n.entry k( {\n";
  CHECK_RESULT(load_with_log(unclosed.c_str()).result, CUDA_ERROR_INVALID_PTX);
  const Load good = load_with_log(ptx_kernel("").c_str());
  CHECK_RESULT(good.result, CUDA_SUCCESS);
  CHECK(good.log.empty());
  CHECK(good.log_bytes == 0);
}

TEST_CASE("a module above the device's architecture is refused") {
  const std::string above = ptx_kernel("", "sm_90");
  {
    Fresh fresh(0);
    const Load load = load_with_log(above.c_str());
    CHECK_RESULT(load.result, CUDA_ERROR_INVALID_PTX);
    CHECK(load.log.find("sm_90") != load.log.npos);
  }
  Fresh fresh(1);
  CHECK_RESULT(load_with_log(above.c_str()).result, CUDA_SUCCESS);
  CHECK_RESULT(load_with_log(ptx_kernel("", "sm_90a").c_str()).result, CUDA_SUCCESS);
  CHECK_RESULT(load_with_log(ptx_kernel("", "sm_80").c_str()).result, CUDA_SUCCESS);
}

TEST_CASE("functions and globals by name, until the module is gone") {
  Fresh fresh;
  const std::string ptx = ptx_kernel("", "sm_80", ".visible .global .align 4 .b32 table[10];\n");
  CUmodule module = nullptr;
  REQUIRE_OK(cuModuleLoadData(&module, ptx.c_str()));
  CUfunction function = nullptr, again = nullptr;
  REQUIRE_OK(cuModuleGetFunction(&function, module, "kernel"));
  REQUIRE_OK(cuModuleGetFunction(&again, module, "kernel"));
  CHECK(function == again);
  CHECK_RESULT(cuModuleGetFunction(&again, module, "kernels"), CUDA_ERROR_NOT_FOUND);
  CUmodule owner = nullptr;
  REQUIRE_OK(cuFuncGetModule(&owner, function));
  CHECK(owner == module);
  CUdeviceptr table = 0;
  std::size_t bytes = 0;
  REQUIRE_OK(cuModuleGetGlobal(&table, &bytes, module, "table"));
  CHECK(bytes == 40);
  REQUIRE_OK(cuMemsetD32(table, 5, 10));
  CHECK_RESULT(cuMemFree(table), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuModuleGetGlobal(&table, &bytes, module, "chair"), CUDA_ERROR_NOT_FOUND);
  REQUIRE_OK(cuModuleUnload(module));
  CHECK_RESULT(cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
  CHECK_RESULT(cuModuleGetFunction(&again, module, "kernel"), CUDA_ERROR_INVALID_HANDLE);
  int value = 0;
  CHECK_RESULT(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_NUM_REGS, function),
               CUDA_ERROR_INVALID_HANDLE);
  CHECK_RESULT(launch(function, 0, 0), CUDA_ERROR_INVALID_HANDLE);
}

TEST_CASE("a module from a file") {
  Fresh fresh;
  const auto path = std::filesystem::temp_directory_path() /
                    ("tilewright_module_test_" + std::to_string(getpid()) + ".ptx");
  std::ofstream(path) << ptx_kernel("");
  CUmodule module = nullptr;
  CHECK_RESULT(cuModuleLoad(&module, path.c_str()), CUDA_SUCCESS);
  std::filesystem::remove(path);
}

TEST_CASE("attributes of functions and their limits") {
  Fresh fresh;
  CUfunction function =
      fresh.load(ptx_kernel("  mov.u32 %r6, buffer;\n  st.shared.u32 [%r6], %r2;\n", "sm_80",
                            ".shared .align 4 .b8 buffer[4096];\n"));
  auto attribute = [&](CUfunction_attribute which) {
    int value = -1;
    REQUIRE_OK(cuFuncGetAttribute(&value, which, function));
    return value;
  };
  CHECK(attribute(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES) == 4096);
  CHECK(attribute(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK) == 1024);
  CHECK(attribute(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) == 44 * 1024);
  CHECK(attribute(CU_FUNC_ATTRIBUTE_BINARY_VERSION) == 80);
  const auto dynamic = CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
  CHECK_RESULT(cuFuncSetAttribute(function, dynamic, 159 * 1024), CUDA_SUCCESS);
  CHECK(attribute(dynamic) == 159 * 1024);
  CHECK_RESULT(cuFuncSetAttribute(function, dynamic, 159 * 1024 + 1), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuFuncSetAttribute(function, dynamic, -1), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_NUM_REGS, 3),
               CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH, 2),
               CUDA_ERROR_NOT_SUPPORTED);
  int blocks = 0;
  REQUIRE_OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, 256, 0));
  CHECK(blocks == 8);
  REQUIRE_OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, 32, 75 * 1024));
  CHECK(blocks == 2);
  std::size_t offset = 0, bytes = 0;
  REQUIRE_OK(cuFuncGetParamInfo(function, 1, &offset, &bytes));
  CHECK(offset == 8);
  CHECK(bytes == 4);
  CHECK_RESULT(cuFuncGetParamInfo(function, 2, &offset, &bytes), CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("a library is a module of every context that uses it") {
  Fresh outer;
  CUlibrary library = nullptr;
  const std::string ptx = ptx_kernel(store_index);
  REQUIRE_OK(cuLibraryLoadData(&library, ptx.c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0));
  CUkernel kernel = nullptr;
  REQUIRE_OK(cuLibraryGetKernel(&kernel, library, "kernel"));
  CHECK_RESULT(cuLibraryGetKernel(&kernel, library, "other"), CUDA_ERROR_NOT_FOUND);
  auto run = [&](CUdeviceptr data) {
    unsigned last = 0;
    // A CUkernel stands for the function of the current context.
    REQUIRE_OK(launch(reinterpret_cast<CUfunction>(kernel), data, 32));
    REQUIRE_OK(cuMemcpyDtoH(&last, data + 124, 4));
    CHECK(last == 31);
  };
  run(outer.allocate(128));
  {
    Fresh inner;
    run(inner.allocate(128));
  }
  CUfunction function = nullptr;
  REQUIRE_OK(cuKernelGetFunction(&function, kernel));
  REQUIRE_OK(cuLibraryUnload(library));
  CHECK_RESULT(cuLibraryUnload(library), CUDA_ERROR_INVALID_HANDLE);
  CHECK_RESULT(cuKernelGetFunction(&function, kernel), CUDA_ERROR_INVALID_HANDLE);
  const char* bad = ".version 7.8\n.target sm_80\n.entry k( {\n";
  CHECK_RESULT(cuLibraryLoadData(&library, bad, nullptr, nullptr, 0, nullptr, nullptr, 0),
               CUDA_ERROR_INVALID_PTX);
}

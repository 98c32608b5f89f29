// The other half of dump_and_ship.cpp: loads what that wrote and launches it, with cuda.h and the
// standard library alone. Nothing of Tilewright is compiled into this program or linked to it.
//
//   build/examples/tasks/launch_shipped FOLDER flash.cubin      on a GPU of that architecture
//   LD_LIBRARY_PATH=build/emulator build/examples/tasks/launch_shipped FOLDER flash.ptx     without
#include <cuda.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

void call(CUresult result, const char* what) {
  if (result != CUDA_SUCCESS) std::printf("%s: error %d\n", what, result), std::exit(1);
}
#define CALL(function, ...) call(function(__VA_ARGS__), #function)

/// bf16 numbers: in device memory, and as the device rounded them.
struct Tensor {
  CUdeviceptr data = 0;
  std::vector<float> numbers;
  Tensor(std::size_t count, unsigned seed) : numbers(count) {
    std::vector<unsigned short> bits(count);
    for (std::size_t i = 0; i < count; ++i) {
      seed = seed * 1664525u + 1013904223u;
      const float x = float(int(seed)) * 0x1p-31f;
      std::memcpy(&bits[i], reinterpret_cast<const char*>(&x) + 2,
                  2);  // the upper half: rounded to 0
      const unsigned word = unsigned(bits[i]) << 16;
      std::memcpy(&numbers[i], &word, 4);
    }
    CALL(cuMemAlloc, &data, 2 * count);
    CALL(cuMemcpyHtoD, data, bits.data(), 2 * count);
  }
};

}  // namespace

int main(int count, char** words) {
  if (count != 3) return std::puts("launch_shipped FOLDER IMAGE"), 2;
  std::ifstream facts(words[1] + std::string("/flash.launch"));
  std::string symbol, word;
  unsigned threads = 0, shared = 0, rows_per_block = 1;
  facts >> symbol >> word >> threads >> word >> shared >> word >> rows_per_block;
  std::stringstream image;
  image << std::ifstream(words[1] + std::string("/") + words[2], std::ios::binary).rdbuf();

  CUdevice device;
  CUcontext context;
  CUmodule module;
  CUfunction function;
  CALL(cuInit, 0);
  CALL(cuDeviceGet, &device, 0);
  CALL(cuDevicePrimaryCtxRetain, &context, device);
  CALL(cuCtxSetCurrent, context);
  CALL(cuModuleLoadData, &module, image.str().c_str());
  CALL(cuModuleGetFunction, &function, module, symbol.c_str());
  CALL(cuFuncSetAttribute, function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, int(shared));

  // In the order of flash.launch: each tensor's address and strides in elements (the last is 1),
  // then the extents, then the scale.
  int batch = 1, heads = 4, kv_heads = 2, rows = 50, keys = 50, dim = 64;
  Tensor q(size_t(heads * rows * dim), 1), k(size_t(kv_heads * keys * dim), 2),
      v(k.numbers.size(), 3), out(q.numbers.size(), 0);
  CUdeviceptr no_lse = 0;  // an output that nobody wants
  long long head = rows * dim, kv_head = keys * dim, row = dim, all = heads * head,
            kv_all = kv_heads * kv_head, none = 0;
  float scale = 0.125f;
  void* parameters[] = {&q.data, &all,      &head,   &row,     &k.data, &kv_all,   &kv_head,
                        &row,    &v.data,   &kv_all, &kv_head, &row,    &out.data, &all,
                        &head,   &row,      &no_lse, &none,    &none,   &none,     &batch,
                        &keys,   &kv_heads, &rows,   &heads,   &scale};
  const unsigned blocks =
      unsigned(batch * heads) * ((unsigned(rows) + rows_per_block - 1) / rows_per_block);
  CALL(cuLaunchKernel, function, blocks, 1, 1, threads, 1, 1, shared, nullptr, parameters, nullptr);
  std::vector<unsigned short> bits(out.numbers.size());
  CALL(cuMemcpyDtoH, bits.data(), out.data, 2 * bits.size());

  double error = 0;
  for (int h = 0; h < heads; ++h)
    for (int i = 0; i < rows; ++i)
      for (int c = 0; c < dim; ++c) {
        double sum = 0, value = 0;
        for (int j = 0; j <= i; ++j) {
          const size_t key = size_t((h / 2 * keys + j) * dim);
          double s = 0;
          for (int d = 0; d < dim; ++d)
            s += double(q.numbers[size_t((h * rows + i) * dim + d)]) * k.numbers[key + size_t(d)];
          sum += std::exp(s * scale);
          value += std::exp(s * scale) * v.numbers[key + size_t(c)];
        }
        const unsigned word32 = unsigned(bits[size_t((h * rows + i) * dim + c)]) << 16;
        float got;
        std::memcpy(&got, &word32, 4);
        error = std::fmax(error, std::fabs(got - value / sum));
        if (std::isnan(got)) error = INFINITY;
      }
  std::printf("%s: %u blocks of %u threads, %u bytes of shared memory; max error %.2g: %s\n",
              words[2], blocks, threads, shared, error, error <= 0.01 ? "ok" : "WRONG");
  return error <= 0.01 ? 0 : 1;
}

/* A Driver API program as its users write them: C11, only cuda.h, no knowledge of Tilewright. It
 * adds two vectors on device 0 and prints OK. Built twice: once opening "libcuda.so.1" by name,
 * once linked against the toolkit's stub, and run with the emulator's folder in LD_LIBRARY_PATH.
 */
#include <cuda.h>
#include <stdio.h>
#include <stdlib.h>

static const char* const ptx =
    "// a comment before the version\n"
    ".version 7.0\n"
    ".target sm_80\n"
    ".address_size 64\n"
    ".visible .entry vector_add(.param .u64 a, .param .u64 b, .param .u64 c, .param .u32 n)\n"
    "{\n"
    "  .reg .pred %p<2>;\n"
    "  .reg .f32 %f<4>;\n"
    "  .reg .b32 %r<6>;\n"
    "  .reg .b64 %rd<8>;\n"
    "  ld.param.u64 %rd1, [a];\n"
    "  ld.param.u64 %rd2, [b];\n"
    "  ld.param.u64 %rd3, [c];\n"
    "  ld.param.u32 %r1, [n];\n"
    "  mov.u32 %r2, %ctaid.x;\n"
    "  mov.u32 %r3, %ntid.x;\n"
    "  mov.u32 %r4, %tid.x;\n"
    "  mad.lo.s32 %r5, %r2, %r3, %r4;\n"
    "  setp.ge.u32 %p1, %r5, %r1;\n"
    "  @%p1 bra DONE;\n"
    "  mul.wide.u32 %rd4, %r5, 4;\n"
    "  add.s64 %rd5, %rd1, %rd4;\n"
    "  add.s64 %rd6, %rd2, %rd4;\n"
    "  add.s64 %rd7, %rd3, %rd4;\n"
    "  ld.global.f32 %f1, [%rd5];\n"
    "  ld.global.f32 %f2, [%rd6];\n"
    "  add.f32 %f3, %f1, %f2;\n"
    "  st.global.f32 [%rd7], %f3;\n"
    "DONE:\n"
    "  ret;\n"
    "}\n";

#ifdef OPEN_BY_NAME
#include <dlfcn.h>

/* Every function by the name cuda.h maps it to. */
#define TEXT_OF(name) #name
#define NAME_OF(name) TEXT_OF(name)
static void* library;
static void* find(const char* name) {
  void* function = dlsym(library, name);
  if (function == NULL) {
    fprintf(stderr, "no %s in libcuda.so.1\n", name);
    exit(2);
  }
  return function;
}
#define CALL(name) ((__typeof__(&name))find(NAME_OF(name)))
#else
#define CALL(name) name
#endif

static void check(CUresult result, const char* what) {
  const char* text = NULL;
  if (result == CUDA_SUCCESS) return;
  CALL(cuGetErrorName)(result, &text);
  fprintf(stderr, "%s: %s\n", what, text != NULL ? text : "unknown");
  exit(1);
}

int main(void) {
  enum { n = 1000, threads = 128 };
  static float a[n], b[n], c[n];
  unsigned count = n;
  CUdevice device;
  CUcontext context;
  CUmodule module;
  CUfunction function;
  CUstream stream;
  CUdeviceptr da, db, dc;
#ifdef OPEN_BY_NAME
  library = dlopen("libcuda.so.1", RTLD_NOW);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
#endif
  for (int i = 0; i < n; ++i) {
    a[i] = (float)i;
    b[i] = 0.5f * (float)i;
  }
  check(CALL(cuInit)(0), "cuInit");
  check(CALL(cuDeviceGet)(&device, 0), "cuDeviceGet");
  check(CALL(cuDevicePrimaryCtxRetain)(&context, device), "cuDevicePrimaryCtxRetain");
  check(CALL(cuCtxSetCurrent)(context), "cuCtxSetCurrent");
  check(CALL(cuModuleLoadData)(&module, ptx), "cuModuleLoadData");
  check(CALL(cuModuleGetFunction)(&function, module, "vector_add"), "cuModuleGetFunction");
  check(CALL(cuStreamCreate)(&stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
  check(CALL(cuMemAlloc)(&da, sizeof a), "cuMemAlloc");
  check(CALL(cuMemAlloc)(&db, sizeof b), "cuMemAlloc");
  check(CALL(cuMemAlloc)(&dc, sizeof c), "cuMemAlloc");
  check(CALL(cuMemcpyHtoDAsync)(da, a, sizeof a, stream), "cuMemcpyHtoDAsync");
  check(CALL(cuMemcpyHtoDAsync)(db, b, sizeof b, stream), "cuMemcpyHtoDAsync");
  void* parameters[] = {&da, &db, &dc, &count};
  check(CALL(cuLaunchKernel)(function, (n + threads - 1) / threads, 1, 1, threads, 1, 1, 0, stream,
                             parameters, NULL),
        "cuLaunchKernel");
  check(CALL(cuMemcpyDtoHAsync)(c, dc, sizeof c, stream), "cuMemcpyDtoHAsync");
  check(CALL(cuStreamSynchronize)(stream), "cuStreamSynchronize");
  for (int i = 0; i < n; ++i) {
    if (c[i] != a[i] + b[i]) {
      fprintf(stderr, "element %d: %g, expected %g\n", i, (double)c[i], (double)(a[i] + b[i]));
      return 1;
    }
  }
  check(CALL(cuMemFree)(da), "cuMemFree");
  check(CALL(cuMemFree)(db), "cuMemFree");
  check(CALL(cuMemFree)(dc), "cuMemFree");
  check(CALL(cuStreamDestroy)(stream), "cuStreamDestroy");
  check(CALL(cuModuleUnload)(module), "cuModuleUnload");
  check(CALL(cuDevicePrimaryCtxRelease)(device), "cuDevicePrimaryCtxRelease");
  puts("OK");
  return 0;
}

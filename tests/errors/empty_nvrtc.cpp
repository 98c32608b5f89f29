// A stand-in for NVRTC that takes every text and returns images of no bytes.
#include <nvrtc.h>

nvrtcResult nvrtcVersion(int* major, int* minor) {
  *major = 99;
  *minor = 0;
  return NVRTC_SUCCESS;
}
const char* nvrtcGetErrorString(nvrtcResult) { return "NVRTC_ERROR_STAND_IN"; }
nvrtcResult nvrtcGetNumSupportedArchs(int* count) {
  *count = 0;
  return NVRTC_SUCCESS;
}
nvrtcResult nvrtcGetSupportedArchs(int*) { return NVRTC_SUCCESS; }
nvrtcResult nvrtcCreateProgram(nvrtcProgram*, const char*, const char*, int, const char* const*,
                               const char* const*) {
  return NVRTC_SUCCESS;
}
nvrtcResult nvrtcDestroyProgram(nvrtcProgram*) { return NVRTC_SUCCESS; }
nvrtcResult nvrtcCompileProgram(nvrtcProgram, int, const char* const*) { return NVRTC_SUCCESS; }

#define NO_BYTES(name)                              \
  nvrtcResult name##Size(nvrtcProgram, size_t* n) { \
    *n = 0;                                         \
    return NVRTC_SUCCESS;                           \
  }                                                 \
  nvrtcResult name(nvrtcProgram, char*) { return NVRTC_SUCCESS; }
NO_BYTES(nvrtcGetProgramLog)
NO_BYTES(nvrtcGetPTX)
NO_BYTES(nvrtcGetCUBIN)

// A loaded image and its kernels.
// The one idea: loading does everything that is slow or may fail, so that `launch` is one driver
// call: it never compiles, allocates, loads or waits, and a CUDA graph can capture it.
// Next: compile.hpp (who makes images); tests/runtime/emulator_test.cpp.
#pragma once

#include <memory>
#include <string>

#include "device.hpp"
#include "image.hpp"
#include "stream.hpp"

namespace tilewright::runtime {

/// Extents of a grid or a block.
struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

/// What the driver says about a kernel. On the emulator registers and local bytes are 0: PTX has
/// not been through register allocation.
struct FunctionProperties {
  int registers = 0;      ///< per thread
  int local_bytes = 0;    ///< per thread: spills and local arrays
  int static_shared = 0;  ///< bytes per block
  int max_threads = 0;    ///< per block
  int constant_bytes = 0;
};

class Function {
 public:
  const std::string& name() const;
  const Device& device() const;
  FunctionProperties properties() const;

  /// Allows `bytes` of dynamic shared memory per block. Throws Error{unsupported} when that and the
  /// static part exceed what the device has.
  void set_dynamic_shared(unsigned bytes) const;

  /// Blocks of `threads` threads and `shared` dynamic bytes that fit on one SM at a time.
  int blocks_per_sm(int threads, unsigned shared) const;

  /// Puts the kernel into `stream`. `parameters[i]` points to the value of parameter i. An empty
  /// grid launches nothing. A faulting kernel is reported by the next synchronising call.
  void launch(Dim3 grid, Dim3 block, unsigned shared, const Stream& stream,
              void** parameters) const;

 private:
  friend class Module;
  struct State;
  explicit Function(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

class Module {
 public:
  /// Loads `image`. Throws Error{launch_failed} with the driver's own log, Error{unsupported} when
  /// the image is for another device.
  static Module load(const Device& device, const CompiledImage& image);

  /// The extern "C" kernel `name`. Throws Error{invalid_argument} when the module has none.
  Function function(const std::string& name) const;

  /// Address and size of a __device__ or __constant__ variable.
  CUdeviceptr global(const std::string& name, std::size_t* bytes = nullptr) const;

 private:
  friend class Function;
  struct State;
  explicit Module(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace tilewright::runtime

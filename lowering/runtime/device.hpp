// A device: which driver, which ordinal, which context, and what it can hold.
// The one idea: a small value. Copies share one retained context; everything that lives on a device
// (buffers, streams, modules) keeps a copy and with it the context alive.
// Next: memory.hpp, stream.hpp, module.hpp; tests/runtime/device_test.cpp.
#pragma once

#include <memory>
#include <string>

#include "driver.hpp"

namespace tilewright::runtime {

/// NVRTC's name for a GPU's architecture, with the accelerated set where it has one: 80 -> "sm_80",
/// 90 -> "sm_90a".
std::string architecture_name(int arch);

class Device {
 public:
  /// `spec` is "cuda:<ordinal>", "emulator:sm_80", "emulator:sm_90a" or "auto"; empty means
  /// TILEWRIGHT_DEVICE, else auto: the first GPU if libcuda.so.1 exists (one that fails to start is
  /// an error), else the emulator with one warning line. Throws Error{invalid_argument} for any
  /// other word and Error{missing}, saying what to install, for a device that is not there.
  static Device open(const std::string& spec = "");

  const std::string& name() const;  ///< the driver's name for it
  std::string spec() const;         ///< what `open` takes to get this device again
  std::string place() const;        ///< for messages: spec(), and a context that is the caller's
  int ordinal() const;
  int compute_major() const;
  int compute_minor() const;
  int arch() const;                  ///< 80 for compute capability 8.0
  std::string architecture() const;  ///< architecture_name(arch())
  int sm_count() const;
  int shared_bytes_per_block() const;  ///< largest dynamic + static shared memory, opted in
  int shared_bytes_per_sm() const;
  int registers_per_sm() const;
  std::size_t total_memory() const;  ///< bytes
  bool is_emulator() const;

  /// The emulator's controls, or null on a GPU.
  const EmulatorControls* emulator() const;

  const Driver& driver() const;
  CUcontext context() const;  ///< the caller's at the time of `open`, else the primary one
  CUdevice handle() const;

  /// Waits for all work in the context. Throws Error{launch_failed} if any of it faulted.
  void synchronize() const;

  /// Same driver, same ordinal and same context: what is made on one can be used on the other.
  friend bool operator==(const Device& a, const Device& b);

 private:
  struct State;
  explicit Device(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  static Device on(std::shared_ptr<const Driver> driver, int ordinal, const std::string& spec);
  static Device emulated(const std::string& architecture);

  std::shared_ptr<const State> state_;
};

/// Makes a device's context current on this thread for a scope; one driver call when it already is.
class ContextScope {
 public:
  explicit ContextScope(const Device& device);
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  const Driver& driver_;
  bool pushed_ = false;
};

}  // namespace tilewright::runtime

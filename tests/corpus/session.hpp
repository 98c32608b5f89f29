// One program of the corpus running on the emulator through the Driver API: a context, a module
// made of PTX text, buffers that free themselves, launches, and the faults they left behind.
//
// A `Case` is a kernel with a launch and an oracle. corpus.cpp runs all cases as they stand;
// deletions.cpp runs them with one barrier or wait taken out. Next: cases.hpp.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace tilewright::corpus {

/// A driver call that failed where none should.
struct DriverError {
  CUresult code;
  std::string call;
};
void require(CUresult code, const char* call);
#define CORPUS_OK(call) tilewright::corpus::require(call, #call)

struct Fault {
  std::string kind, kernel, message;
  int ptx_line = 0, cuda_line = 0;
};

/// Device memory of `count` elements.
template <class T>
struct Array {
  CUdeviceptr address = 0;
  std::size_t count = 0;
};

class Session {
 public:
  /// Loads a module; throws DriverError with the loader's log when it is refused.
  explicit Session(const std::string& ptx, const char* step_limit = "400000000");
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  template <class T>
  Array<T> input(const std::vector<T>& values) {
    Array<T> made = output<T>(values.size());
    if (!values.empty())
      CORPUS_OK(cuMemcpyHtoD(made.address, values.data(), values.size() * sizeof(T)));
    return made;
  }
  /// Memory nobody has written: reading it is a fault.
  template <class T>
  Array<T> output(std::size_t count) {
    return {allocate(count * sizeof(T)), count};
  }
  template <class T>
  std::vector<T> read(const Array<T>& from) {
    std::vector<T> values(from.count);
    if (!values.empty())
      CORPUS_OK(cuMemcpyDtoH(values.data(), from.address, values.size() * sizeof(T)));
    return values;
  }

  struct Shape {
    unsigned grid = 1, block = 32, shared = 0, grid_y = 1;
  };
  /// Arguments are passed as they are; of an Array its address. Returns what the launch, or the
  /// synchronisation after it, said.
  template <class... Arguments>
  CUresult launch(const char* kernel, const Shape& shape, const Arguments&... arguments) {
    std::vector<void*> pointers = {const_cast<void*>(pointer_to(arguments))...};
    return launch_raw(kernel, shape, pointers.data());
  }

  const std::vector<Fault>& faults() const { return faults_; }

 private:
  template <class T>
  static const void* pointer_to(const Array<T>& array) {
    return &array.address;
  }
  template <class T>
  static const void* pointer_to(const T& value) {
    return &value;
  }
  CUdeviceptr allocate(std::size_t bytes);
  CUresult launch_raw(const char* kernel, const Shape& shape, void** arguments);

  CUcontext context_ = nullptr;
  CUmodule module_ = nullptr;
  std::vector<CUdeviceptr> allocations_;
  std::vector<Fault> faults_;
};

/// The distinct kinds of faults, comma-separated; "none".
std::string kinds_of(const std::vector<Fault>& faults);

struct Case {
  std::string file;                          ///< of ptx/, without ".ptx"
  std::string kernel;                        ///< the entry it launches
  std::string shape;                         ///< for people
  std::function<std::string(Session&)> run;  ///< "" or what is wrong with the results
  std::string expected = "none";             ///< kinds of faults
};

/// The text of a file below this folder.
std::string file_text(const std::string& path);

}  // namespace tilewright::corpus

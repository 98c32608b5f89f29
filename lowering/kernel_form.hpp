// One of a kernel's two forms (with and without reliance on alignment), as a launch needs it: its
// requirements, its grid and its parameters, by slots of the plan's signature.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch_arguments.hpp"
#include "pipeline.hpp"

namespace tilewright {

class KernelForm {
 public:
  KernelForm(const Signature& signature, const Lowered& lowered);

  /// Whether every tensor meets what the form's text relies on.
  bool suits(const LaunchArguments& given) const;
  /// Refuses a scalar or extent below 1 by which a loop's bounds divide.
  void require_positive(const LaunchArguments& given) const;
  /// Blocks of the grid; 0 when a dimension of it is empty. Throws Error{unsupported} for more than
  /// a launch can have.
  std::int64_t programs(const LaunchArguments& given) const;
  /// The parameters in order: `parameters[i]` points into `storage`; both hold `parameters()`.
  void pack(const LaunchArguments& given, std::uint64_t* storage, void** parameters) const;

  std::size_t parameters() const { return parameters_.size(); }
  unsigned threads() const { return threads_; }
  unsigned shared_bytes() const { return shared_bytes_; }

 private:
  struct Aligned {
    int slot = 0, inner_axis = 0;
    std::int64_t unit = 1;  ///< elements of 16 bytes
  };
  struct Positive {
    bool scalar = false;
    int from = 0;  ///< slot of a scalar, or dimension
    std::string name, where;
  };
  struct Factor {
    std::string dim;
    std::vector<int> parts;  ///< dimensions; several of a flattened one
    std::int64_t tile = 1;   ///< 0: of a loop, not of the grid
  };
  std::int64_t extent(const Factor& factor, const LaunchArguments& given) const;
  struct Parameter {
    enum class Kind { pointer, stride, extent, real, integer } kind{};
    int from = 0;  ///< slot, or dimension
    int axis = 0;
  };
  void find_positive(const ir::Region& region);

  const Signature& signature_;
  std::vector<Aligned> aligned_;
  std::vector<Positive> positive_;
  std::vector<Factor> grid_;
  std::vector<Parameter> parameters_;
  unsigned threads_ = 0, shared_bytes_ = 0;
};

}  // namespace tilewright

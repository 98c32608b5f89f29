// Runs a kernel on host tensors, program by program, tile by tile: the meaning of the IR, and so
// the oracle of every pass (interpret before and after must agree). f32 arithmetic, rounding at
// casts and stores, masks element by element. Scheduled operations act as what they mean (a copy
// and its wait are a load); the device emulator judges their order. Tiles and their arithmetic:
// tile_data.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ir/ir.hpp"

namespace tilewright::ir {

/// A tensor in host memory. Strides count elements; empty means dense, the last axis innermost.
struct HostTensor {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  std::vector<std::byte> data;

  /// Dense and zero.
  static HostTensor zeros(DType dtype, std::vector<std::int64_t> shape);

  std::int64_t stride(std::size_t axis) const;
  /// Elements by offset; floating types read and round as f32, integers exactly.
  double get(std::int64_t offset) const;
  void set(std::int64_t offset, double value);
};

/// What one launch is given. Outputs are among the tensors and are written in place; an output that
/// is absent drops its stores. Extents follow from the tensors and from `extents`; they must agree.
struct Inputs {
  std::map<std::string, HostTensor> tensors;
  std::map<std::string, double> scalars;
  std::map<std::string, std::int64_t> extents;
};

struct InterpretOptions {
  int default_tile = 16;  ///< for axes whose tile the schedule has not chosen
  bool partial = false;   ///< tensors and scalars may be missing that nothing asks for
};

/// Throws Error: invalid_argument for a missing tensor or scalar or a wrong element type,
/// shape_mismatch for extents that disagree, invalid_program for a domain that contradicts its
/// mask.
void interpret(const Kernel& kernel, Inputs& inputs, const InterpretOptions& options = {});

/// What values are made of: the arguments that are read, and the `each` and `block` values of the
/// grid.
struct Origins {
  std::set<std::string> arguments;
  std::set<ValueId> grid;
};
Origins origins_of(const Kernel& kernel, const std::vector<ValueId>& values);

/// Integers that a program knows in front of its loops ("value(17)" of a domain), from the
/// operations that define them and nothing else: on the host, what the device computes. Kernel and
/// inputs must outlive it. Throws as interpret does.
class ProgramValues {
 public:
  ProgramValues(const Kernel& kernel, Inputs& inputs);
  ~ProgramValues();
  /// Turns to a program, given by the number of each of the grid's values.
  void start(const std::map<ValueId, std::int64_t>& grid);
  std::int64_t operator()(ValueId value);

 private:
  class Evaluator;
  std::unique_ptr<Evaluator> evaluator_;
};

}  // namespace tilewright::ir

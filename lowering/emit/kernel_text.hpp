// What the emitter hands on: CUDA text, and the facts a launch needs to call it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "../ir/ir.hpp"

namespace tilewright::emit {

/// One parameter of the generated kernel, in order.
struct Parameter {
  enum class Kind {
    pointer,  ///< of `tensor`
    stride,   ///< of `tensor`'s axis number `axis`, in elements, 64 bits
    extent,   ///< of dimension `name_of`, 32 bits
    scalar,   ///< the argument `name_of`, 32 bits
  };
  Kind kind{};
  std::string name;     ///< in the text
  std::string type;     ///< "const bf16*", "long", "int", "float"
  std::string name_of;  ///< the tensor, dimension or scalar of the program
  int axis = -1;
};

/// The number of programs is the product of ceil(extent(dim) / tile) over these; the last runs
/// fastest.
struct GridFactor {
  std::string dim;
  int tile = 1;
};

/// Where a generated line comes from.
struct LineOrigin {
  int line = 0;  ///< of `text`, from 1
  Provenance where;
};

/// Elements per tile, by axis of the program; whole axes are not there.
using TileSizes = std::map<int, int>;

struct KernelText {
  std::string symbol;  ///< extern "C" name
  std::string text;    ///< the whole file
  std::vector<Parameter> parameters;
  std::vector<GridFactor> grid;
  TileSizes tiles;
  std::vector<LineOrigin> lines;
  int threads = 0;
  int shared_bytes = 0;  ///< dynamic
  /// Tensors that must have a 16-byte aligned address, stride 1 along `inner_axis` and other
  /// strides of a multiple of 16 bytes for this text to be right; empty for the text that takes any
  /// strides.
  struct Aligned {
    std::string tensor;
    int inner_axis = 0;
  };
  std::vector<Aligned> aligned;
};

/// The user's "file:line" of a line of the text, from 1; empty for a line of no statement.
std::string source_of(const KernelText& text, int line);

}  // namespace tilewright::emit

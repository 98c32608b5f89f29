// The kernels that show what the language can say, in one table: what their CUDA is (tests/golden)
// and whether each of its barriers and waits is needed (tests/examples/deletions). Every one also
// has a test of its own against plain loops, where its header is included.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tilewright/compile.hpp>
#include <vector>

namespace tilewright::test {

/// A dense tensor of one launch; what is in it follows from its name, type and extents.
struct SpecimenTensor {
  std::string name;
  DType dtype{};
  std::vector<std::int64_t> extents;
  int limit = 1;                   ///< i32: numbers from 0 to limit - 1
  bool positive = false;           ///< floating types: no number is negative, so sums do not cancel
  std::vector<double> given = {};  ///< its numbers, where they must be these
};

struct Specimen {
  std::string name;     ///< of the golden file
  std::string summary;  ///< one line for its head
  std::shared_ptr<const KernelSource> kernel;
  std::string file;  ///< the kernel's source, as provenance prints it: the last two components
  std::string path;  ///< and below the project's folder
  CompileRequest request = {};
  std::vector<std::string> element = {};  ///< dimensions whose tiles' product is an "element" of
                                          ///< the hot loop; empty: it has none worth a figure
  std::map<std::string, double> scalars = {};
  /// Launches whose rows are whole 16-byte pieces, the first of several tiles in every direction.
  std::vector<std::vector<SpecimenTensor>> launches = {};
};

std::vector<Specimen> specimens();

/// The tensor's numbers, in order: multiples of 1/64 between -1 and 1, exact in every floating
/// type, or integers below the limit.
std::vector<double> numbers_of(const SpecimenTensor& tensor);

}  // namespace tilewright::test

// A cubin as what it is: an ELF file with one .text section per kernel.
// The one idea: a bounds-checked view. Every offset and size is compared with the file before it is
// followed, so a damaged or hostile file is refused by name and never read past.
// Next: cubin_info.hpp, which knows what the sections mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright::runtime {

class CubinFile {
 public:
  struct Section {
    std::string name;
    std::uint32_t type = 0;
    std::uint32_t info = 0;     ///< sh_info
    std::uint64_t size = 0;     ///< bytes; also for sections that take no room in the file
    std::string_view contents;  ///< empty for those
  };
  struct Symbol {
    std::string name;
    std::uint16_t section = 0;
    unsigned char type = 0;  ///< ELF's STT_*: 2 is a function
  };

  /// Keeps a view of `bytes`, which must outlive it. Throws Error{invalid_file}.
  explicit CubinFile(std::string_view bytes);

  const std::vector<Section>& sections() const { return sections_; }
  const std::vector<Symbol>& symbols() const { return symbols_; }
  int architecture() const { return architecture_; }  ///< 80, 90 …

  /// The section called `name`, or null.
  const Section* find(std::string_view name) const;

  /// Names of the kernels: the sections ".text.<name>".
  std::vector<std::string> kernels() const;

 private:
  std::vector<Section> sections_;
  std::vector<Symbol> symbols_;
  int architecture_ = 0;
};

/// A little-endian unsigned value of `size` bytes at `offset`. Throws Error{invalid_file} past the
/// end.
std::uint64_t read_unsigned(std::string_view bytes, std::uint64_t offset, unsigned size);

}  // namespace tilewright::runtime

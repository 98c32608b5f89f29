// The element types of safetensors.hpp: one table, read both ways.
#include <array>

#include "formats/safetensors.hpp"

namespace tilewright::formats {
namespace {

struct Row {
  ElementType type;
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array rows{
    Row{ElementType::boolean, "BOOL", 1},    Row{ElementType::u8, "U8", 1},
    Row{ElementType::i8, "I8", 1},           Row{ElementType::f8_e4m3, "F8_E4M3", 1},
    Row{ElementType::f8_e5m2, "F8_E5M2", 1}, Row{ElementType::u16, "U16", 2},
    Row{ElementType::i16, "I16", 2},         Row{ElementType::f16, "F16", 2},
    Row{ElementType::bf16, "BF16", 2},       Row{ElementType::u32, "U32", 4},
    Row{ElementType::i32, "I32", 4},         Row{ElementType::f32, "F32", 4},
    Row{ElementType::u64, "U64", 8},         Row{ElementType::i64, "I64", 8},
    Row{ElementType::f64, "F64", 8},
};

// Looked up by position, so the table must follow the enumeration.
constexpr bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].type) != i) return false;
  }
  return true;
}
static_assert(in_order());

const Row& row(ElementType type) { return rows[static_cast<std::size_t>(type)]; }

}  // namespace

std::string_view name(ElementType type) { return row(type).name; }
std::size_t size_of(ElementType type) { return row(type).bytes; }

const ElementType* find_element_type(std::string_view name) {
  for (const Row& candidate : rows) {
    if (candidate.name == name) return &candidate.type;
  }
  return nullptr;
}

}  // namespace tilewright::formats

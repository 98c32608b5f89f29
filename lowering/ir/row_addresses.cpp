// See row_addresses.hpp.
#include "ir/row_addresses.hpp"

#include <algorithm>

namespace tilewright::ir {

bool picks(const Operation& access) {
  return std::any_of(access.indices.begin(), access.indices.end(),
                     [](const Index& index) { return index.kind == IndexSpec::Kind::gather; });
}

namespace {

class AddressReader {
 public:
  AddressReader(const Kernel& kernel, AxisId rows)
      : kernel_(kernel), rows_(rows), definitions_(definitions(kernel)) {}

  bool computable(ValueId value) const {
    const Type& type = kernel_.type(value);
    if (type.kind != Type::Kind::tile) return false;
    if (type.axes.empty()) return true;  // in every thread already
    if (type.axes != std::vector{rows_}) return false;
    const Operation* made = definitions_[static_cast<std::size_t>(value)];
    if (!made || made->cut_only) return false;
    const auto all = [&](const std::vector<ValueId>& values) {
      return std::all_of(values.begin(), values.end(), [&](ValueId x) { return computable(x); });
    };
    if (made->op == Op::index || made->op == Op::constant) return true;
    if (is_pointwise(made->op)) return all(made->operands);
    if (made->op != Op::load) return false;
    const Argument* tensor = kernel_.find_argument(made->name);
    return tensor && tensor->kind == Argument::Kind::in &&
           std::all_of(made->indices.begin(), made->indices.end(), [&](const Index& index) {
             return index.value == no_value || computable(index.value);
           });
  }

 private:
  const Kernel& kernel_;
  AxisId rows_;
  std::vector<const Operation*> definitions_;
};

}  // namespace

bool has_row_addresses(const Kernel& kernel, const Operation& access, AxisId rows) {
  if (!picks(access)) return true;
  const AddressReader reader(kernel, rows);
  for (std::size_t i = 0; i < access.indices.size(); ++i) {
    const Index& index = access.indices[i];
    if (index.kind == IndexSpec::Kind::gather && !reader.computable(index.value)) return false;
    if (index.axis < 0) continue;
    const Axis& axis = kernel.axes[static_cast<std::size_t>(index.axis)];
    if (index.step != 1 || index.offset != 0 || axis.follows >= 0 || kernel.may_leave(access, i))
      return false;
  }
  return true;
}

bool takes_row_addresses(const Kernel& kernel, const Operation& access) {
  const bool staged =
      access.op == Op::copy_async ||
      (access.op == Op::store &&
       std::any_of(access.operands.begin(), access.operands.end(), [&](ValueId operand) {
         return kernel.type(operand).kind == Type::Kind::buffer;
       }));
  return staged && picks(access);
}

}  // namespace tilewright::ir

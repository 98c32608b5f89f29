// The statements of the reference: the loops of the grid, a variable for each value that gets one,
// and stores. Loops of the program are in reference_loops.cpp, expressions in
// reference_expression.cpp.
#include "emit/reference_writer.hpp"

#include <algorithm>

#include "emit/errors.hpp"
#include "ir/flattened.hpp"
#include "ir/print.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emit {

ReferenceWriter::ReferenceWriter(const ir::Kernel& kernel, TileSizes tiles)
    : kernel_(kernel), tiles_(std::move(tiles)), plan_(kernel), signature_(kernel) {
  const auto counter = [&](const std::string& dim) {
    const std::string name = ir::identifier_of(dim);
    return signature_.names.take(name, "i_" + name);
  };
  for (const std::string& dim : kernel.grid) each_[dim] = counter(dim);
  for (std::size_t i = 0; i < kernel.axes.size(); ++i) {
    const ir::Axis& axis = kernel.axes[i];
    const bool grid =
        axis.kind == ir::Axis::Kind::grid && axis.follows < 0 && each_.contains(axis.dim);
    index_of_[static_cast<ir::AxisId>(i)] = grid ? each_.at(axis.dim) : counter(axis.dim);
  }
}

Lines ReferenceWriter::program() {
  Lines statements;
  region(kernel_.body, statements);
  Lines headers;
  for (const std::string& dim : kernel_.grid) {
    const auto axis = std::find_if(
        kernel_.axes.begin(), kernel_.axes.end(),
        [&](const ir::Axis& a) { return a.kind == ir::Axis::Kind::grid && a.dim == dim; });
    const bool one_block = axis != kernel_.axes.end() &&
                           !plan_.is_row(static_cast<ir::AxisId>(axis - kernel_.axes.begin()));
    if (one_block) continue;
    const std::string& i = each_.at(dim);
    headers.push_back("for (int " + i + " = 0; " + i + " < " + extent(dim) + "; ++" + i + ")");
  }
  if (headers.empty()) return statements;
  Lines lines(headers.begin(), headers.end() - 1);
  append_scope(lines, headers.back() + " ", "", statements);
  return lines;
}

void ReferenceWriter::region(const ir::Region& region, Lines& lines) {
  for (const auto& each : region.operations) operation(*each, lines);
}

void ReferenceWriter::operation(const ir::Operation& operation, Lines& lines) {
  switch (operation.op) {
    case Op::yield: return;
    case Op::store:
    case Op::atomic_add: return store(operation, lines);
    case Op::for_blocks: return for_blocks(operation, lines);
    case Op::for_range: return for_range(operation, lines);
    case Op::when: return when(operation, lines);
    default: break;
  }
  if (info(operation.op).kind == OpKind::scheduled || operation.results.size() != 1)
    throw Error(errors::emit["reference-lacks-operation"],
                "the reference of a standalone program has no '" +
                    std::string(info(operation.op).name) + "'",
                {kernel_.name, std::string(info(operation.op).name),
                 "operations of a traced kernel", to_string(operation.where)});
  if (!plan_.inlined(operation.results[0])) variable(operation, lines);
}

void ReferenceWriter::variable(const ir::Operation& operation, Lines& lines) {
  const ValueId value = operation.results[0];
  const ir::Type& type = kernel_.type(value);
  const std::vector<ir::AxisId> axes = plan_.free_axes(type);
  const AxisSet nest(axes.begin(), axes.end());
  const std::string comment = info_of(value).name.empty() ? "" : to_string(info_of(value).where);
  const std::string name = name_for(value, std::string(info(operation.op).name) + "_1");
  Lines inner;
  if (axes.empty() && (operation.op == Op::dot || is_reduction(operation.op))) {
    reduce(operation, name, nest, inner);
    inner[0] = with_comment(inner[0], comment);
    append(lines, inner);
  } else if (axes.empty()) {
    const Spelled x = expression(operation, nest, inner);
    append(lines, inner);
    lines.push_back(with_comment(
        "const " + element_type(type.dtype, false) + " " + name + " = " + x.text + ";", comment));
  } else {
    lines.push_back(with_comment(
        "Array<" + element_type(type.dtype, true) + "> " + name + "(" + shape(axes) + ");",
        comment));
    const Spelled x = expression(operation, nest, inner);
    variable_[value] = name;
    inner.push_back(name_element(value) + " = " + x.text + ";");
    append_nested(lines, loops_over(axes), inner);
  }
  variable_[value] = name;
}

void ReferenceWriter::store(const ir::Operation& operation, Lines& lines) {
  const ValueId value = operation.operands[0];
  const std::vector<ir::AxisId> axes = plan_.free_axes(kernel_.type(value));
  const AxisSet nest(axes.begin(), axes.end());
  Lines inner;
  const Element target = element(operation, nest, inner);
  std::string condition;
  for (const std::string& inside : target.inside)
    condition += (condition.empty() ? "" : " && ") + inside;
  for (const Mask& mask : masks_) {
    if (!nest.contains(mask.axis)) continue;  // the same element for each tile of the loop
    const std::string visible = guard(mask.axis, nest, operation);
    condition += (condition.empty() ? "" : " && ") + visible;
  }
  Lines statement;
  const Spelled x = use(value, nest, statement);
  const DType dtype = kernel_.type(value).dtype;
  if (operation.op == Op::store)
    statement.push_back(target.text + " = " + x.text + ";");
  else if (is_floating(dtype))
    statement.push_back(target.text + " += " + x.text + ";");
  else
    statement.push_back(target.text + " = int(unsigned(" + target.text + ") + unsigned(" + x.text +
                        "));");
  if (condition.empty())
    append(inner, statement);
  else
    append_nested(inner, "if (" + condition + ")", statement);
  if (axes.empty())
    append(lines, inner);
  else
    append_nested(lines, loops_over(axes), inner);
}

/// The condition under which an element is visible in the loop over `axis`; empty outside of one.
std::string ReferenceWriter::guard(ir::AxisId axis, const AxisSet& nest,
                                   const ir::Operation& operation) const {
  for (const Mask& mask : masks_) {
    if (mask.axis != axis) continue;
    for (const ir::AxisId needed : mask.axes)
      if (!nest.contains(needed))
        throw Error(errors::emit["reference-mask-unsupported"],
                    std::string(info(operation.op).name) + " under a mask over '" +
                        kernel_.axes[static_cast<std::size_t>(needed)].dim +
                        "', which its operand does not have",
                    {kernel_.axes[static_cast<std::size_t>(needed)].dim, "",
                     "operands with all dimensions of the mask", to_string(operation.where)});
    return element_of(mask.name, mask.axes);
  }
  return "";
}

std::string ReferenceWriter::extent(const std::string& dim) const {
  std::string product;
  for (const std::string& part : ir::parts_of(dim))
    product += (product.empty() ? "n." : " * n.") + signature_.member.at(part);
  return product;
}

std::string ReferenceWriter::loop_over(ir::AxisId axis) const {
  const std::string& i = index_of_.at(axis);
  return "for (int " + i + " = 0; " + i + " < " + length(axis) + "; ++" + i + ")";
}

/// How many elements an axis has: all that it is counted along, or those of a slice.
std::string ReferenceWriter::length(ir::AxisId id) const {
  const ir::Axis& axis = kernel_.axes[static_cast<std::size_t>(id)];
  const auto bound = kernel_.bound.find(axis.dim);
  const bool slice = axis.kind == ir::Axis::Kind::whole && axis.tile > 0 &&
                     (bound == kernel_.bound.end() || bound->second != axis.tile);
  // Of a dimension that is bound and no tensor has, the tile is all there is.
  const bool alone = axis.kind == ir::Axis::Kind::whole && !ir::is_flattened(axis.dim) &&
                     !signature_.member.contains(axis.dim);
  return slice || alone ? std::to_string(axis.tile) : extent(kernel_.counted_along(id));
}

std::string ReferenceWriter::loops_over(const std::vector<ir::AxisId>& axes) const {
  std::string text;
  for (const ir::AxisId axis : axes) text += (text.empty() ? "" : " ") + loop_over(axis);
  return text;
}

std::string ReferenceWriter::shape(const std::vector<ir::AxisId>& axes) const {
  std::string text = "{";
  for (std::size_t i = 0; i < axes.size(); ++i) text += (i ? ", " : "") + length(axes[i]);
  return text + "}";
}

/// The variable of `value` at the indices of the loops around: `s(kv)`, or `m_new`.
std::string ReferenceWriter::name_element(ValueId value) const {
  return element_of(variable_.at(value), plan_.free_axes(kernel_.type(value)));
}

std::string ReferenceWriter::element_of(const std::string& name,
                                        const std::vector<ir::AxisId>& axes) const {
  if (axes.empty()) return name;
  std::string text = name + "(";
  for (std::size_t i = 0; i < axes.size(); ++i) text += (i ? ", " : "") + index_of_.at(axes[i]);
  return text + ")";
}

std::string ReferenceWriter::name_for(ValueId value, const std::string& otherwise) {
  const std::string& name = info_of(value).name;
  return signature_.names.take(name.empty() ? otherwise : name);
}

}  // namespace tilewright::emit

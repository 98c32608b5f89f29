// Loops in the reference. for_blocks is a scope that runs once, because one block holds all of its
// dimension; for_range is a loop. Both carry their Vars in variables that are assigned at the end
// of the body, in an order in which no Var is overwritten before it is read. See
// reference_writer.hpp.
#include <algorithm>

#include "emit/errors.hpp"
#include "emit/reference_writer.hpp"
#include "ir/print.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emit {

void ReferenceWriter::for_blocks(const ir::Operation& loop, Lines& lines) {
  const ir::Region& mask = *loop.regions[0];
  const ir::Region& body = *loop.regions[1];
  declare_carried(loop, 0, lines);
  variable_[body.arguments[0]] = "0";
  Lines inner;
  std::optional<Mask> visible;
  if (!mask.operations.empty()) {
    region(mask, inner);
    const ValueId value = mask.operations.back()->operands[0];
    if (!variable_.contains(value)) {
      const std::vector<ir::AxisId> axes = plan_.free_axes(kernel_.type(value));
      const std::string name = signature_.names.take("visible");
      Lines statement;
      const Spelled x = use(value, {axes.begin(), axes.end()}, statement);
      variable_[value] = name;
      if (axes.empty()) {
        append(inner, statement);
        inner.push_back("const bool " + name + " = " + x.text + ";");
      } else {
        Lines filled;
        statement.push_back(name_element(value) + " = " + x.text + ";");
        append_nested(filled, loops_over(axes), statement);
        append_declared(inner, "Array<char> " + name + "(" + shape(axes) + ");", filled);
      }
    }
    visible = Mask{loop.axis, variable_.at(value), plan_.free_axes(kernel_.type(value))};
  }
  if (loop.follows_list()) visible = listed(loop, visible, inner);
  if (visible) masks_.push_back(*visible);
  region(body, inner);
  assign_carried(loop, inner);
  if (visible) masks_.pop_back();
  const std::string where = to_string(loop.where);
  append_scope(lines, "",
               "for_blocks over " + kernel_.axes[static_cast<std::size_t>(loop.axis)].dim +
                   (where.empty() ? "" : ", " + where),
               inner);
}

/// What a list shows: all of its tiles that are not cut, of the others what `mask` shows.
ReferenceWriter::Mask ReferenceWriter::listed(const ir::Operation& loop,
                                              const std::optional<Mask>& mask, Lines& lines) {
  const std::string tile = std::to_string(
                        kernel_.axes[static_cast<std::size_t>(loop.axis)].requested_tile),
                    entry = signature_.names.take("entry"), number = signature_.names.take("tile"),
                    first = signature_.names.take("first"), &element = index_of_.at(loop.axis);
  // A row of the list is a tile of rows: known where these are loops, one row at a time.
  const ir::Operation* from = plan_.definition(loop.indices[0].value);
  for (std::size_t id = 0; from != nullptr && id < kernel_.axes.size(); ++id)
    if (!from->indices.empty() && kernel_.axes[id].block == from->indices.back().value &&
        kernel_.axes[id].follows < 0 && !plan_.is_row(static_cast<ir::AxisId>(id)))
      throw Error(
          errors::emit["reference-list-unsupported"],
          "the rows of the list '" + loop.name + "' are tiles of '" + kernel_.axes[id].dim +
              "', over which the kernel reduces",
          {kernel_.axes[id].dim, "", "a list whose rows are not reduced", to_string(loop.where)});
  Mask shown{loop.axis, signature_.names.take("listed"),
             mask ? mask->axes : std::vector{loop.axis}};
  if (std::find(shown.axes.begin(), shown.axes.end(), loop.axis) == shown.axes.end())
    shown.axes.push_back(loop.axis);
  const Spelled begin = use(loop.indices[0].value, {}, lines),
                end = use(loop.indices[1].value, {}, lines);
  std::vector<ir::AxisId> others;
  for (const ir::AxisId axis : shown.axes)
    if (axis != loop.axis) others.push_back(axis);
  lines.push_back("Array<char> " + shown.name + "(" + shape(shown.axes) + ");");
  Lines inner = {"const int " + number + " = " + signature_.parameter.at(loop.name) + "(" + entry +
                 "), " + first + " = (" + number + " < 0 ? ~" + number + " : " + number + ") * " +
                 tile + ";"};
  const Lines statement = {
      element_of(shown.name, shown.axes) +
      (mask ? " = " + number + " >= 0 || " + element_of(mask->name, mask->axes) : " = true") + ";"};
  const std::string elements = "for (int " + element + " = " + first + "; " + element + " < " +
                               first + " + " + tile + " && " + element + " < " + length(loop.axis) +
                               "; ++" + element + ")";
  append_nested(inner, loops_over(others) + (others.empty() ? "" : " ") + elements, statement);
  append_scope(lines,
               "for (int " + entry + " = " + begin.text + "; " + entry + " < " +
                   at_least(end, precedence::sum) + "; ++" + entry + ") ",
               "the tiles that " + loop.name + " lists", inner);
  return shown;
}

void ReferenceWriter::for_range(const ir::Operation& loop, Lines& lines) {
  const ir::Region& body = *loop.regions[0];
  declare_carried(loop, 1, lines);
  const Spelled count = use(loop.operands[0], {}, lines);
  const std::string i = name_for(body.arguments[0], "i");
  variable_[body.arguments[0]] = i;
  Lines inner;
  region(body, inner);
  assign_carried(loop, inner);
  append_scope(
      lines,
      "for (int " + i + " = 0; " + i + " < " + at_least(count, precedence::sum) + "; ++" + i + ") ",
      to_string(loop.where), inner);
}

/// The values it merges are variables, set before it and again at the end of its body.
void ReferenceWriter::when(const ir::Operation& branch, Lines& lines) {
  const ir::Operation& yield = *branch.regions[0]->operations.back();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < branch.results.size(); ++i) {
    names.push_back(name_for(branch.results[i], "merged"));
    fill(names[i], branch.results[i], branch.operands[i + 1], true, lines);
  }
  const Spelled holds = use(branch.operands[0], {}, lines);
  Lines inner;
  region(*branch.regions[0], inner);
  for (std::size_t i = 0; i < branch.results.size(); ++i)
    fill(names[i], branch.results[i], yield.operands[i], false, inner);
  append_scope(lines, "if (" + holds.text + ") ", to_string(branch.where), inner);
}

/// `name` takes the elements of `from`; it is the variable of `merged` from then on.
void ReferenceWriter::fill(const std::string& name, ValueId merged, ValueId from, bool declare,
                           Lines& lines) {
  const ir::Type& type = kernel_.type(merged);
  const std::vector<ir::AxisId> axes = plan_.free_axes(type);
  Lines inner;
  const Spelled x = use(from, {axes.begin(), axes.end()}, inner);
  variable_[merged] = name;
  if (axes.empty()) {
    append(lines, inner);
    lines.push_back((declare ? element_type(type.dtype, false) + " " : "") + name + " = " + x.text +
                    ";");
    return;
  }
  if (declare)
    lines.push_back("Array<" + element_type(type.dtype, true) + "> " + name + "(" + shape(axes) +
                    ");");
  inner.push_back(name_element(merged) + " = " + x.text + ";");
  append_nested(lines, loops_over(axes), inner);
}

/// A variable for each Var, with its value before the loop; scalars of one type share a line.
void ReferenceWriter::declare_carried(const ir::Operation& loop, std::size_t first, Lines& lines) {
  const ir::Region& body = *loop.regions.back();
  std::map<std::string, std::string> scalars;
  std::map<ValueId, std::string> names;
  for (std::size_t i = first; i < loop.operands.size(); ++i) {
    const ValueId argument = body.arguments[i - first + 1];
    const ir::Type& type = kernel_.type(argument);
    const std::vector<ir::AxisId> axes = plan_.free_axes(type);
    const std::string name = name_for(argument, "carried");
    names[argument] = names[loop.results[i - first]] = name;
    Lines inner;
    const Spelled start = use(loop.operands[i], {axes.begin(), axes.end()}, inner);
    if (axes.empty()) {
      append(lines, inner);
      std::string& line = scalars[element_type(type.dtype, false)];
      line += (line.empty() ? "" : ", ") + name + " = " + start.text;
      continue;
    }
    const ir::Operation* made = plan_.definition(loop.operands[i]);
    const std::string array =
        "Array<" + element_type(type.dtype, true) + "> " + name + "(" + shape(axes);
    if (made && made->op == Op::constant) {
      lines.push_back(array + ", " + start.text + ");");
      continue;
    }
    lines.push_back(array + ");");
    variable_[argument] = name;
    inner.push_back(name_element(argument) + " = " + start.text + ";");
    append_nested(lines, loops_over(axes), inner);
  }
  for (const auto& [type, declared] : scalars) lines.push_back(type + " " + declared + ";");
  for (const auto& [value, name] : names) variable_[value] = name;
}

void ReferenceWriter::find_reads(ValueId value, const ir::Operation& loop, Assignment& into,
                                 bool reduced) const {
  const std::vector<ValueId>& arguments = loop.regions.back()->arguments;
  const auto found = std::find(arguments.begin() + 1, arguments.end(), value);
  if (found != arguments.end()) {
    const auto slot = static_cast<std::size_t>(found - arguments.begin()) - 1;
    into.reads.insert(slot);
    if (reduced && slot == into.slot) into.reduces = true;
    return;
  }
  const ir::Operation* made = plan_.definition(value);
  if (!made || variable_.contains(value)) return;
  const bool over_axis = made->op == Op::dot || is_reduction(made->op);
  for (const ValueId operand : made->operands)
    find_reads(operand, loop, into, reduced || over_axis);
  for (const ir::Index& index : made->indices)
    if (index.value != no_value) find_reads(index.value, loop, into, reduced);
}

void ReferenceWriter::assign_carried(const ir::Operation& loop, Lines& lines) {
  const ir::Region& body = *loop.regions.back();
  const ir::Operation& yield = *body.operations.back();
  std::vector<Assignment> waiting;
  for (std::size_t i = 0; i < yield.operands.size(); ++i) {
    if (yield.operands[i] == body.arguments[i + 1]) continue;
    Assignment next{i, yield.operands[i], {}};
    find_reads(next.value, loop, next, false);
    waiting.push_back(std::move(next));
  }
  while (!waiting.empty()) {
    const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](const Assignment& a) {
      return !a.reduces && std::none_of(waiting.begin(), waiting.end(), [&](const Assignment& b) {
        return b.slot != a.slot && b.reads.contains(a.slot);
      });
    });
    if (ready != waiting.end()) {
      assign(loop, *ready, lines);
      waiting.erase(ready);
      continue;
    }
    // Each of them is read by another one: the first waits in a variable of its own.
    Assignment& first = waiting.front();
    const ValueId argument = body.arguments[first.slot + 1];
    const ir::Type& type = kernel_.type(argument);
    const std::vector<ir::AxisId> axes = plan_.free_axes(type);
    const std::string name = signature_.names.take(variable_.at(argument) + "_next");
    Lines inner;
    const Spelled x = use(first.value, {axes.begin(), axes.end()}, inner);
    if (axes.empty()) {
      append(lines, inner);
      lines.push_back("const " + element_type(type.dtype, false) + " " + name + " = " + x.text +
                      ";");
    } else {
      const std::string old = variable_.at(argument);
      lines.push_back("Array<" + element_type(type.dtype, true) + "> " + name + "(" + shape(axes) +
                      ");");
      variable_[argument] = name;
      inner.push_back(name_element(argument) + " = " + x.text + ";");
      variable_[argument] = old;
      append_nested(lines, loops_over(axes), inner);
    }
    first.reads.clear();
    first.reduces = false;
    first.text = name;
  }
}

void ReferenceWriter::assign(const ir::Operation& loop, const Assignment& assignment,
                             Lines& lines) {
  const ValueId argument = loop.regions.back()->arguments[assignment.slot + 1];
  const std::string& name = variable_.at(argument);
  if (!assignment.text.empty()) {
    lines.push_back(name + " = " + assignment.text + ";");
    return;
  }
  const std::vector<ir::AxisId> axes = plan_.free_axes(kernel_.type(argument));
  const bool whole = variable_.contains(assignment.value) &&
                     plan_.free_axes(kernel_.type(assignment.value)) == axes;
  if (whole) {
    lines.push_back(name + " = " + variable_.at(assignment.value) + ";");
    return;
  }
  Lines inner;
  const Spelled x = use(assignment.value, {axes.begin(), axes.end()}, inner);
  const std::string comment = to_string(info_of(assignment.value).where);
  inner.push_back(name_element(argument) + " = " + x.text + ";");
  if (axes.empty()) {
    inner.back() = with_comment(inner.back(), comment);
    append(lines, inner);
  } else {
    append_nested(lines, loops_over(axes), inner);
  }
}

}  // namespace tilewright::emit

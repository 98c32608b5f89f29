// The gate that makes tile IR, as a class: what is open, what is known where, what each Var is now.
// One frame per open region; a value belongs to the frame it was made in and may be used while that
// is open. Statements are in build.cpp, loops and the grid in builder_control.cpp, names and axes
// in builder_names.cpp, slices and other names of an axis in builder_shape.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/ir.hpp"
#include "tilewright/dsl/gate.hpp"

namespace tilewright {

class Builder final : public Gate {
 public:
  Builder(std::string kernel_name, const std::map<std::string, std::int64_t>& extents);

  void declare(const Argument& argument) override;
  ValueId value(const Node& node, const Provenance& where) override;
  void announce(const IndexSpec& index, const Provenance& where) override;
  ValueId concat(std::string_view dim, const std::vector<ConcatPart>& parts,
                 const Provenance& where) override;
  void name(ValueId value, std::string_view name, const Provenance& where) override;
  void store(const std::string& tensor, const std::vector<IndexSpec>& indices, ValueId value,
             const Provenance& where) override;
  void atomic_add(const std::string& tensor, const std::vector<IndexSpec>& indices, ValueId value,
                  const Provenance& where) override;
  VariableId variable(std::string_view name, DType dtype, const std::vector<std::string>& dims,
                      ValueId init, const Provenance& where) override;
  ValueId read(VariableId variable) override;
  void assign(VariableId variable, ValueId value, const Provenance& where) override;
  ValueId open_blocks(std::string_view dim, const Provenance& where) override;
  void follow(const TileList& list, const Provenance& where) override;
  void begin_body(ValueId mask) override;
  ValueId open_range(ValueId count, const Provenance& where) override;
  void open_when(ValueId condition, const Provenance& where) override;
  void close() override;
  ValueId grid_each(std::string_view dim, const Provenance& where) override;
  ValueId grid_blocks(std::string_view dim, int tile, const Provenance& where) override;

  /// The program, once the lambda has returned. Throws for extents that name no dimension.
  ir::Kernel finish();

 private:
  using ExtentMap = std::map<std::string, std::int64_t>;

  struct Variable {
    std::string name;
    ir::Type type;
    ValueId current = no_value;
    int frame = 0;
    Provenance where;
  };
  /// A Var at the door of a loop: its value before, and the region argument that stands for it
  /// inside; for `when` there is no door, and both are the value before.
  struct Carried {
    VariableId variable;
    ValueId initial;
    ValueId argument;
  };
  struct Frame {
    enum class Kind { kernel, blocks, range, when, mask };
    Kind kind;
    int id;
    ir::Region* region;
    std::string dim = {};                           ///< blocks
    ir::AxisId axis = -1;                           ///< blocks
    std::unique_ptr<ir::Operation> loop = nullptr;  ///< blocks, range: placed when it closes
    std::vector<Carried> carried = {};
    std::unordered_map<std::string, ValueId> known = {};  ///< operations by their text
  };

  void push(Frame::Kind kind, ir::Region* region);
  void carry_variables();
  void drop_unused_values();
  void must_see(ValueId value, const Provenance& where) const;
  void must_have_effects(const std::string& tensor, std::string_view what,
                         const Provenance& where) const;
  ValueId define(ir::Type type, int frame, std::string name, const Provenance& where);
  ValueId append(ir::Operation operation, ir::Type type, const Provenance& where);
  bool is_in_out(const ir::Operation& operation) const;
  ValueId grid_number(Op op, std::string_view dim, const Provenance& where);
  void write(Op op, const std::string& tensor, const std::vector<IndexSpec>& indices, ValueId value,
             const Provenance& where);
  ValueId extent(const std::string& dim, const Provenance& where);
  ValueId filled(double number, const ir::Type& type, const Provenance& where);
  ValueId broadcast(ValueId value, const ir::Type& type, const Provenance& where);
  ir::Type inferred(const Node& node, const ir::Operation& operation,
                    const Provenance& where) const;

  // builder_names.cpp
  void must_be_name(std::string_view what, std::string_view name, const std::string& place) const;
  void must_be_dimension(std::string_view what, std::string_view dim,
                         const Provenance& where) const;
  enum class User { index, variable };
  ir::AxisId axis_of(User user, std::string_view what, const std::string& dim,
                     const Provenance& where);
  ir::AxisId whole_axis(const std::string& dim, const std::string& user, const Provenance& where);
  void refuse_packed(std::string_view what, const std::string& dim, const Provenance& where) const;
  void must_count(const std::string& dim, const Provenance& where) const;
  bool is_bound(const std::string& dim) const;

  // builder_shape.cpp
  ir::AxisId axis_of_elements(const std::string& dim, int count);
  ir::AxisId following_axis(ir::AxisId leader, const IndexSpec& spec, const Provenance& where);
  ir::Index cut(const IndexSpec& spec, std::int64_t extent, const Provenance& where);
  ir::AxisId renamed_axis(std::string_view what, const std::string& dim, ir::AxisId leader,
                          const Provenance& where) const;
  ir::AxisId named_slice(std::string_view what, const std::string& dim,
                         const Provenance& where) const;
  void must_not_overlap(const std::string& tensor, ir::AxisId axis, const Provenance& where) const;
  ir::Operation taken(const Node& node, const Provenance& where);
  ValueId index_along(ir::AxisId axis, int step, int offset, const Provenance& where);
  ir::AxisId vanishing_axis(const Node& node, const Provenance& where) const;
  std::vector<ir::Index> resolved(const std::string& tensor, const std::vector<IndexSpec>& indices,
                                  const Provenance& where);
  void must_be_one_tiling(const std::vector<ValueId>& values, const std::vector<ir::Index>& indices,
                          const Provenance& where) const;
  std::string described(ValueId value) const;
  void settle_temporaries();

  const ir::Value& at(ValueId value) const {
    return kernel_.values[static_cast<std::size_t>(value)];
  }

  ir::Kernel kernel_;
  ExtentMap extents_;
  std::vector<Frame> frames_;
  int frame_count_ = 0;
  std::vector<int> home_;              ///< by value: its frame
  std::map<int, std::string> opened_;  ///< by frame: "the loop at file.cpp:12"
  std::set<ValueId> named_by_user_;
  std::map<std::string, int> writes_;  ///< by InOut: how many stores to it came before
  std::vector<Variable> variables_;
  std::map<std::string, Provenance> grid_;       ///< by dimension: where each/blocks stands
  std::map<std::string, ir::AxisId> grid_axes_;  ///< blocks only
  std::set<std::string> counted_;                ///< dimensions whose extents the program asks for
  std::set<std::string> packed_;  ///< dimensions of the grid that are there as part of another one
  std::map<std::pair<std::string, int>, ir::AxisId> whole_axes_;  ///< by dimension and extent
};

}  // namespace tilewright

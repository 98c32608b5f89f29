// The arguments of a kernel, and how a tile of a tensor is named: Q(b, hq, m, D) has one index per
// dimension of the tensor, and the dimensions of the tile are those its indices bring. `load` reads
// such a tile, `store` writes one, `atomic_add` adds to one. An index may be an i32 tile: then each
// of its elements picks one along the axis. Past the end, and where a picked index lies outside the
// axis, a load gives 0 and nothing is written.
// Long file: a tensor, its tiles and what reads and writes them refuse each other's mistakes.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tilewright/dsl/flatten.hpp"
#include "tilewright/dsl/record.hpp"
#include "tilewright/dsl/view.hpp"

namespace tilewright {
namespace detail {

template <typename... Dims>
inline constexpr bool dimensions_differ = dims::distinct<Dims...>;
template <typename Tensor, std::size_t given>
inline constexpr bool one_index_per_dimension = Tensor::rank == given;
template <typename Index, typename Axis>
inline constexpr bool names_the_axis = false;
template <typename Axis>
inline constexpr bool names_the_axis<Axis, Axis> = true;
template <typename Shape>
inline constexpr bool is_scalar_index = Shape::rank == 0 && is_integer(Shape::dtype);
template <typename Shape>
inline constexpr bool is_index = Shape::rank == 0 ? is_integer(Shape::dtype) : Shape::dtype == i32;

struct PlainIndex {
  IndexSpec::Kind kind;
  std::string_view dim;
  ValueId value;
  std::string_view of = {};
  Selection selection = {};
};
[[gnu::noinline]] inline std::vector<IndexSpec> specs_of(std::span<const PlainIndex> indices) {
  std::vector<IndexSpec> result;
  for (const PlainIndex& i : indices)
    result.push_back({i.kind, std::string(i.dim), i.value, std::string(i.of), i.selection});
  return result;
}
[[gnu::noinline]] inline void record_store(const Statement& statement, std::string_view tensor,
                                           const std::vector<IndexSpec>& indices, ValueId value) {
  statement.trace.gate().store(std::string(tensor), indices, value, statement.where);
}
[[gnu::noinline]] inline void record_addition(const Statement& statement, std::string_view tensor,
                                              const std::vector<IndexSpec>& indices,
                                              ValueId value) {
  statement.trace.gate().atomic_add(std::string(tensor), indices, value, statement.where);
}

// One per axis of a tile's name.
template <typename D>
struct WholeIndex {
  using dims = hana::tuple<hana::type<D>>;
  static constexpr IndexSpec::Kind kind = IndexSpec::Kind::whole;
  static constexpr std::string_view dim = D::name;
  PlainIndex plain(const Statement&) const { return {kind, dim, no_value}; }
};
template <typename V>
struct ViewIndex {
  using dims = hana::tuple<hana::type<typename V::dim>>;
  V view;
  PlainIndex plain(const Statement& statement) const {
    const ValueId number = view.kind == IndexSpec::Kind::block
                               ? checked(view.number, view.trace, statement)
                               : no_value;
    return {view.kind, V::dim::name, number, view.of, view.selection};
  }
};
template <typename D>
struct BlockIndex {
  using dims = hana::tuple<hana::type<D>>;
  static constexpr IndexSpec::Kind kind = IndexSpec::Kind::block;
  static constexpr std::string_view dim = D::name;
  Block<D> block;
  PlainIndex plain(const Statement& statement) const {
    return {kind, dim, checked(block.number, block.trace, statement)};
  }
};
template <typename Operand>
struct ScalarIndex {
  using dims = hana::tuple<>;
  static constexpr IndexSpec::Kind kind = IndexSpec::Kind::scalar;
  static constexpr std::string_view dim = {};
  Operand operand;
  PlainIndex plain(const Statement& statement) const {
    return {kind, dim, record(operand, statement)};
  }
};
template <typename Operand>
struct GatherIndex {
  using dims = DimsOf<typename Operand::shape>;
  static constexpr IndexSpec::Kind kind = IndexSpec::Kind::gather;
  static constexpr std::string_view dim = {};
  Operand operand;
  PlainIndex plain(const Statement& statement) const {
    return {kind, dim, record(operand, statement)};
  }
};

/// The dimensions of several lists, each once, in order of appearance.
template <typename... Lists>
struct Union {
  using type = hana::tuple<>;
};
template <typename List>
struct Union<List> {
  using type = List;
};
template <typename First, typename Second, typename... Rest>
struct Union<First, Second, Rest...> {
  using type = typename Union<decltype(dims::joined(First{}, Second{})), Rest...>::type;
};

template <typename X>
inline constexpr bool is_each = false;
template <typename D>
inline constexpr bool is_each<Each<D>> = true;

/// True when `Index` names a dimension, and that is not the axis's.
template <typename Index, typename Axis>
constexpr bool matches_axis() {
  if constexpr (is_block<Index> || is_each<Index>) {
    return names_the_axis<typename Index::dim, Axis>;
  } else if constexpr (is_block_coordinate<Index>) {
    return names_the_axis<typename Index::part_dim, Axis>;
  } else if constexpr (term_kind<Index> == TermKind::dimension) {
    return names_the_axis<Index, Axis>;
  } else if constexpr (is_view<Index>) {
    return std::is_void_v<typename Index::axis> || names_the_axis<typename Index::axis, Axis>;
  } else {
    return true;
  }
}
template <typename Index, typename Axis>
inline constexpr bool index_names_its_axis = matches_axis<Index, Axis>();

/// The index of one axis, or Refused.
template <typename Axis, Operand X>
constexpr auto index_for(const X& x) {
  if constexpr (is_refused<X>) {
    return Refused{};
  } else if constexpr (!index_names_its_axis<X, Axis>) {
    static_assert(
        index_names_its_axis<X, Axis>,
        "tensor(…): a dimension, each or block must name the tensor's dimension at its place");
    return Refused{};
  } else if constexpr (term_kind<X> == TermKind::dimension) {
    return WholeIndex<X>{};
  } else if constexpr (is_block<X>) {
    return BlockIndex<typename X::dim>{x};
  } else if constexpr (is_view<X>) {
    return ViewIndex<X>{x};
  } else {
    const auto operand = as_operand(x);
    if constexpr (is_refused<decltype(operand)>) {
      return Refused{};
    } else {
      static_assert(is_index<ShapeOf<decltype(operand)>>,
                    "tensor(…): an index must be i32, a number or a tile that picks elements");
      if constexpr (!is_index<ShapeOf<decltype(operand)>>) {
        return Refused{};
      } else if constexpr (is_scalar_index<ShapeOf<decltype(operand)>>) {
        auto scalar = adapted<i32>(operand);
        return ScalarIndex<decltype(scalar)>{scalar};
      } else {
        return GatherIndex<std::remove_const_t<decltype(operand)>>{operand};
      }
    }
  }
}

}  // namespace detail

enum class Access { in, out, in_out };

/// A tile of a tensor, named but not read: what load and store take.
template <Access mode, typename Shape, typename... Indices>
struct TensorTile {
  using shape = Shape;
  static constexpr Access access = mode;
  std::string_view tensor;
  hana::tuple<Indices...> indices;

  std::vector<IndexSpec> specs(const detail::Statement& statement) const {
    return hana::unpack(indices, [&](const auto&... index) {
      const std::array<detail::PlainIndex, sizeof...(index)> plain{index.plain(statement)...};
      return detail::specs_of(plain);
    });
  }
};

/// A tensor of the signature. `name` is its name in errors, in the generated text and at launch.
template <Access mode, Name name, DType T, auto... Dims>
struct Tensor {
  static constexpr std::size_t rank = sizeof...(Dims);
  static constexpr DType dtype = T;
  static constexpr bool has_distinct_dimensions =
      detail::dimensions_differ<std::remove_const_t<decltype(Dims)>...>;

  static Argument argument() {
    constexpr Argument::Kind kind = mode == Access::in    ? Argument::Kind::in
                                    : mode == Access::out ? Argument::Kind::out
                                                          : Argument::Kind::in_out;
    return {kind, std::string(name.view()), T, {std::string(decltype(Dims)::name)...}};
  }

  /// One index per dimension: a whole dimension, an `each`, a block, an i32 number, an i32 tile, or
  /// one of view.hpp.
  template <Operand... X>
  constexpr auto operator()(const X&... x) const {
    static_assert(detail::one_index_per_dimension<Tensor, sizeof...(X)>,
                  "tensor(…): one index per dimension of the tensor");
    if constexpr (!detail::one_index_per_dimension<Tensor, sizeof...(X)>) {
      return Refused{};
    } else {
      return tile(detail::index_for<std::remove_const_t<decltype(Dims)>>(x)...);
    }
  }

 private:
  template <typename... Indices>
  static constexpr auto tile(Indices... indices) {
    if constexpr ((is_refused<Indices> || ...)) {
      return Refused{};
    } else {
      using List = typename detail::Union<typename Indices::dims...>::type;
      return TensorTile<mode, TileOf<T, List>, Indices...>{name.view(), {std::move(indices)...}};
    }
  }
};

template <Name name, DType T, auto... Dims>
struct In : Tensor<Access::in, name, T, Dims...> {};
template <Name name, DType T, auto... Dims>
struct Out : Tensor<Access::out, name, T, Dims...> {};
/// Read and written. What a program of the grid stores it reads back, in the order of its
/// statements; programs run side by side, so none may rely on what another one stores. The only
/// elements several programs may write are those they all reach by `atomic_add` alone.
template <Name name, DType T, auto... Dims>
struct InOut : Tensor<Access::in_out, name, T, Dims...> {};

/// Workspace between the kernels of a plan: one kernel writes it, a later one reads it, and the
/// plan gives it memory (a name is enough: the same name is the same workspace). Contiguous, rows
/// padded to 16 bytes. A kernel that both reads and writes one is refused when it is compiled.
template <Name name, DType T, auto... Dims>
struct Temp : Tensor<Access::in_out, name, T, Dims...> {
  static Argument argument() {
    Argument made = Tensor<Access::in_out, name, T, Dims...>::argument();
    made.temporary = true;
    return made;
  }
};

/// A number of the signature, equal for the whole launch.
template <Name name, DType T>
struct Scalar {
  static constexpr bool has_distinct_dimensions = true;
  static Argument argument() { return {Argument::Kind::scalar, std::string(name.view()), T, {}}; }
};

template <Access mode, typename Shape, typename... Indices>
struct TermOf<TensorTile<mode, Shape, Indices...>> {
  static constexpr TermKind kind = TermKind::tensor;
};
template <Name name, DType T, auto... Dims>
struct TermOf<In<name, T, Dims...>> {
  static constexpr TermKind kind = TermKind::tensor;
};
template <Name name, DType T, auto... Dims>
struct TermOf<Out<name, T, Dims...>> {
  static constexpr TermKind kind = TermKind::tensor;
};
template <Name name, DType T, auto... Dims>
struct TermOf<Temp<name, T, Dims...>> {
  static constexpr TermKind kind = TermKind::tensor;
};
template <Name name, DType T, auto... Dims>
struct TermOf<InOut<name, T, Dims...>> {
  static constexpr TermKind kind = TermKind::tensor;
};
template <Name name, DType T>
struct TermOf<Scalar<name, T>> {
  static constexpr TermKind kind = TermKind::tile;
  static constexpr auto operand(const Scalar<name, T>&) {
    return Expression<Tile<T>, Op::scalar_argument>(Details{.name = name.view()});
  }
};

namespace detail {

template <typename Source>
struct Load : Traced<typename Source::shape> {
  Source source;
  constexpr explicit Load(Source from) : source(std::move(from)) {}

  ValueId record_self(const Statement& statement) const {
    using Shape = typename Source::shape;
    return record_node(statement, Op::load, Shape::dtype, Shape::dim_names, {.name = source.tensor},
                       {}, source.specs(statement));
  }
};

template <typename X>
inline constexpr bool is_tile_of_tensor = false;
template <Access mode, typename Shape, typename... Indices>
inline constexpr bool is_tile_of_tensor<TensorTile<mode, Shape, Indices...>> = true;
template <typename X>
inline constexpr bool is_readable = X::access != Access::out;
template <typename X>
inline constexpr bool is_writable = X::access != Access::in;
template <typename Given, typename Wanted>
inline constexpr bool same_dimensions = same_dims<Given, Wanted>;
template <typename X>
inline constexpr bool is_added_to = X::access == Access::in_out;
template <typename Given, typename Wanted>
inline constexpr bool fills_or_matches = Given::rank == 0 || same_dims<Given, Wanted>;
template <typename Given, typename Wanted>
inline constexpr bool adds_as = Given::dtype == Wanted::dtype &&
                                (Wanted::dtype == f32 || Wanted::dtype == i32);
/// A store rounds between floating types; nothing else changes type unseen.
template <typename Given, typename Wanted>
inline constexpr bool stores_as = Given::dtype == Wanted::dtype ||
                                  (is_floating(Given::dtype) && is_floating(Wanted::dtype));

}  // namespace detail

template <typename Source>
struct TermOf<detail::Load<Source>> {
  static constexpr TermKind kind = TermKind::tile;
  static constexpr const auto& operand(const detail::Load<Source>& x) { return x; }
};

/// The elements of a tile of an In, InOut or Temp; 0 past its end.
template <typename X>
constexpr auto load(const X& tile) {
  if constexpr (is_refused<X>) {
    return Refused{};
  } else if constexpr (!detail::is_tile_of_tensor<X>) {
    static_assert(detail::is_tile_of_tensor<X>,
                  "load(x): x must be a tile of a tensor, Q(b, h, m, D)");
    return Refused{};
  } else {
    static_assert(detail::is_readable<X>, "load(x): the tensor must be an In or InOut");
    if constexpr (detail::is_readable<X>) {
      return detail::Load<X>(tile);
    } else {
      return Refused{};
    }
  }
}

/// Writes `value`, rounded to the tensor's type; nothing past the end. The dimensions must be those
/// of the tile, in any order.
template <typename X, Operand V>
void store(const X& tile, const V& value,
           const std::source_location place = std::source_location::current()) {
  const auto operand = detail::as_operand(value);
  using E = std::remove_cvref_t<decltype(operand)>;
  if constexpr (is_refused<X> || is_refused<E>) {
    return;
  } else if constexpr (!detail::is_tile_of_tensor<X>) {
    static_assert(detail::is_tile_of_tensor<X>,
                  "store(x, value): x must be a tile of a tensor, O(b, h, m, E)");
  } else if constexpr (!detail::is_writable<X>) {
    static_assert(detail::is_writable<X>, "store(x, value): the tensor must be an Out or InOut");
  } else {
    using To = typename X::shape;
    using From = detail::ShapeOf<E>;
    constexpr DType literal_type =
        detail::literal_fits(From::dtype, To::dtype) ? To::dtype : From::dtype;
    using Given = std::conditional_t<detail::is_literal<E>, Tile<literal_type>, From>;
    if constexpr (!detail::same_dimensions<From, To>) {
      static_assert(detail::same_dimensions<From, To>,
                    "store(x, value): value must have exactly the dimensions of x");
    } else if constexpr (!detail::stores_as<Given, To>) {
      static_assert(detail::stores_as<Given, To>,
                    "store(x, value): only floating types convert; write cast<T>(value)");
    } else {
      const detail::Statement statement("store", place);
      const ValueId id = detail::record(detail::adapted<Given::dtype>(operand), statement);
      detail::record_store(statement, tile.tensor, tile.specs(statement), id);
    }
  }
}

/// Adds `value` (a number: at every element) to what the tensor holds, as one indivisible step for
/// each element: any number of elements and programs may add to one place. Only visible elements,
/// nothing past the end. i32 sums wrap and come out the same every time; f32 sums depend in their
/// last bits on the order the device takes, and Program::order_dependent() says so.
template <typename X, Operand V>
void atomic_add(const X& tile, const V& value,
                const std::source_location place = std::source_location::current()) {
  const auto operand = detail::as_operand(value);
  using E = std::remove_cvref_t<decltype(operand)>;
  if constexpr (is_refused<X> || is_refused<E>) {
    return;
  } else if constexpr (!detail::is_tile_of_tensor<X>) {
    static_assert(detail::is_tile_of_tensor<X>,
                  "atomic_add(x, value): x must be a tile of a tensor, O(b, h, m, E)");
  } else if constexpr (!detail::is_added_to<X>) {
    static_assert(
        detail::is_added_to<X>,
        "atomic_add(x, value): the tensor must be an InOut, for it adds to what is there");
  } else {
    using To = typename X::shape;
    using From = detail::ShapeOf<E>;
    constexpr DType literal_type =
        detail::literal_fits(From::dtype, To::dtype) ? To::dtype : From::dtype;
    using Given = std::conditional_t<detail::is_literal<E>, Tile<literal_type>, From>;
    if constexpr (!detail::fills_or_matches<From, To>) {
      static_assert(detail::fills_or_matches<From, To>,
                    "atomic_add(x, value): value must have exactly the dimensions of x, or none");
    } else if constexpr (!detail::adds_as<Given, To>) {
      static_assert(detail::adds_as<Given, To>,
                    "atomic_add(x, value): x and value must both be f32 or both i32");
    } else {
      const detail::Statement statement("atomic_add", place);
      const ValueId id = detail::record(detail::adapted<Given::dtype>(operand), statement);
      detail::record_addition(statement, tile.tensor, tile.specs(statement), id);
    }
  }
}

}  // namespace tilewright

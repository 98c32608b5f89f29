// Indices that are more than a dimension or a block: `slice` and `split` cut a whole dimension,
// `n * s + c` strides over a tensor with the elements of a block, `halo` adds neighbours to a tile,
// and `as<M>` gives any of them another name, under which two of one origin may meet. All of them
// stand where an index of a tensor stands: K(b, as<M>(n), slice(D, 0, 16)).
#pragma once

#include <concepts>
#include <limits>
#include <source_location>

#include "tilewright/dsl/grid.hpp"

namespace tilewright {

/// An index that brings dimension D and fits the dimension Axis of a tensor (void: any). Element e
/// of D is element step * e + offset of the tensor; what lies outside of it loads 0 and is not
/// stored.
template <typename D, typename Axis>
struct View {
  using dim = D;
  using axis = Axis;
  IndexSpec::Kind kind;
  std::string_view of;  ///< the dimension it walks, by its own name
  Selection selection;
  ValueId number = no_value;  ///< of a block
  std::uint32_t trace = 0;
};

template <typename D, typename Axis>
struct TermOf<View<D, Axis>> {
  static constexpr TermKind kind = TermKind::block;
};

namespace detail {

template <typename X>
inline constexpr bool is_view = false;
template <typename D, typename Axis>
inline constexpr bool is_view<View<D, Axis>> = true;
template <typename X>
inline constexpr bool is_block = false;
template <typename D>
inline constexpr bool is_block<Block<D>> = true;

/// A dimension, block or view as a view of the same elements.
template <Name name>
constexpr View<Dim<name>, Dim<name>> as_view(Dim<name>) {
  return {IndexSpec::Kind::whole, Dim<name>::name, {}};
}
template <typename D>
constexpr View<D, D> as_view(const Block<D>& x) {
  return {IndexSpec::Kind::block, D::name, {}, x.number, x.trace};
}
template <typename D, typename Axis>
constexpr const View<D, Axis>& as_view(const View<D, Axis>& x) {
  return x;
}
template <typename X>
inline constexpr bool is_index_along_an_axis =
    is_block<X> || is_view<X> || term_kind<X> == TermKind::dimension;
template <typename X>
inline constexpr bool is_a_block = is_block<X>;
// Slices of values get their names here too; they are in shape.hpp.
template <typename X, typename D, typename Brings>
struct TakenSlice;
template <typename X>
inline constexpr bool is_taken_slice = false;
template <typename M, typename X, typename D, typename Brings>
constexpr auto renamed(const TakenSlice<X, D, Brings>& slice);
template <typename X>
inline constexpr bool may_be_renamed = is_index_along_an_axis<X> || is_taken_slice<X>;

template <typename D, typename View>
constexpr auto seen_as(const View& x, std::int64_t step, std::int64_t offset) {
  tilewright::View<D, void> result{x.kind, x.of, x.selection, x.number, x.trace};
  const auto moved = [](std::int64_t number) {
    if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max())
      refuse_integer(std::to_string(number));
    return static_cast<int>(number);
  };
  result.selection.step = moved(step * x.selection.step);
  result.selection.offset = moved(step * x.selection.offset + offset);
  return result;
}

template <std::integral S>
constexpr std::int64_t small(S number) {
  if (std::cmp_less(number, std::numeric_limits<int>::min()) ||
      std::cmp_greater(number, std::numeric_limits<int>::max()))
    refuse_integer(std::to_string(number));
  return static_cast<std::int64_t>(number);
}

/// Says to a running trace that `view` brings a name of its own.
[[gnu::noinline]] inline void announce(const IndexSpec& index, std::uint32_t serial,
                                       const std::source_location& place) {
  Trace* trace = Trace::running();
  const bool block = index.kind == IndexSpec::Kind::block;
  if (trace == nullptr || (block && serial != trace->serial())) return;
  trace->gate().announce(index, trace->provenance(place));
}
template <typename D, typename Axis>
View<D, Axis> announced(const View<D, Axis>& view, const std::source_location& place) {
  announce({view.kind, std::string(D::name), view.number, std::string(view.of), view.selection},
           view.trace, place);
  return view;
}

/// The parts of a split; `[i]` names one.
template <typename D, typename Part>
struct Split {
  Selection selection;
  std::source_location place;
  View<Part, D> operator[](int part) const {
    View<Part, D> result{IndexSpec::Kind::whole, D::name, selection};
    result.selection.part = part;
    return announced(result, place);
  }
};

}  // namespace detail

/// Elements lo … lo + count - 1 of D, all of which must be there: an axis of `count` elements,
/// numbered from 0. A dimension has one extent within an expression: to bring two slices of D
/// together, or a slice and D itself, give them names: `as<Dh>(slice(D, 0, 32))`.
template <Name d>
constexpr View<Dim<d>, Dim<d>> slice(Dim<d>, int lo, int count) {
  return {IndexSpec::Kind::whole, Dim<d>::name, {.offset = lo, .count = count == 0 ? -1 : count}};
}

/// split(D, 2, Dh)[i]: D seen as [2, Dh], the part i of neighbours. Dh then has |D| / 2 elements.
template <Name d, Name part>
constexpr detail::Split<Dim<d>, Dim<part>> split(
    Dim<d>, int parts, Dim<part>,
    const std::source_location place = std::source_location::current()) {
  return {{.parts = parts == 0 ? -1 : parts}, place};
}
/// split(D, Dh, 2)[i]: D seen as [Dh, 2], the elements 2 * j + i.
template <Name d, Name part>
constexpr detail::Split<Dim<d>, Dim<part>> split(
    Dim<d>, Dim<part>, int parts,
    const std::source_location place = std::source_location::current()) {
  return {{.parts = parts == 0 ? -1 : parts, .interleaved = true}, place};
}

/// `before` elements in front of m's tile, the tile, and `after` behind it: a tile of its own
/// dimension, so it usually gets a name, as<W>(halo(m, 8, 8)). index(W) counts from the start of
/// the tensor: what lies in front of it or behind its end loads 0 and is hidden.
template <typename M>
constexpr auto halo(const M& m, int before, int after) {
  static_assert(detail::is_a_block<M>, "halo(m, before, after): m must be a block");
  if constexpr (!detail::is_a_block<M>) {
    return Refused{};
  } else {
    auto result = detail::as_view(m);
    result.selection.before = before;
    result.selection.after = after;
    return result;
  }
}

/// The same elements under the name M: fits an axis of any name, and brings M. index(M) may stand
/// in the statements that follow.
template <auto m, typename X>
auto as(const X& x, const std::source_location place = std::source_location::current()) {
  using M = std::remove_const_t<decltype(m)>;
  if constexpr (is_refused<X>) {
    return Refused{};
  } else {
    static_assert(detail::may_be_renamed<X>,
                  "as<M>(x): x must be a dimension, a block, or a slice, part or halo of one");
    if constexpr (detail::is_taken_slice<X>) {
      return detail::renamed<M>(x);
    } else if constexpr (detail::is_index_along_an_axis<X>) {
      const auto view = detail::as_view(x);
      return detail::announced(
          View<M, void>{view.kind, view.of, view.selection, view.number, view.trace}, place);
    } else {
      return Refused{};
    }
  }
}

/// n * s + c: element e of the block stands for element s * e + c of the tensor.
template <typename D, std::integral S>
constexpr auto operator*(const Block<D>& n, S step) {
  return detail::seen_as<D>(detail::as_view(n), detail::small(step), 0);
}
template <typename D, typename Axis, std::integral S>
constexpr auto operator*(const View<D, Axis>& n, S step) {
  return detail::seen_as<D>(n, detail::small(step), 0);
}
template <typename D, std::integral C>
constexpr auto operator+(const Block<D>& n, C offset) {
  return detail::seen_as<D>(detail::as_view(n), 1, detail::small(offset));
}
template <typename D, typename Axis, std::integral C>
constexpr auto operator+(const View<D, Axis>& n, C offset) {
  return detail::seen_as<D>(n, 1, detail::small(offset));
}
template <typename D, std::integral C>
constexpr auto operator-(const Block<D>& n, C offset) {
  return detail::seen_as<D>(detail::as_view(n), 1, -detail::small(offset));
}
template <typename D, typename Axis, std::integral C>
constexpr auto operator-(const View<D, Axis>& n, C offset) {
  return detail::seen_as<D>(n, 1, -detail::small(offset));
}

}  // namespace tilewright

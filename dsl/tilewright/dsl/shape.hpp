// Values cut up and put together along a dimension they hold as a whole: `take` picks by index,
// `slice` and `split` pick neighbours or every k-th element, `concat` puts values one after
// another. The same words with a dimension in front of a tensor's place are indices: view.hpp.
#pragma once

#include <vector>

#include "tilewright/dsl/record.hpp"
#include "tilewright/dsl/tile_ops.hpp"
#include "tilewright/dsl/view.hpp"

namespace tilewright {
namespace detail {

template <typename A, typename K>
inline constexpr bool takes_along = has_dim<A, K>;
template <typename A>
inline constexpr bool is_picked_by = A::dtype == i32;

template <typename A, typename K, typename I>
using Taken = TileOf<A::dtype, decltype(dims::joined(DimsOf<Without<A::dtype, A, K>>{}, I{}))>;

/// Of x's dimension D the elements that `selection` names, as dimension Brings.
template <typename X, typename D, typename Brings>
struct TakenSlice : Traced<Taken<ShapeOf<X>, D, hana::tuple<hana::type<Brings>>>> {
  X x;
  Selection selection;
  constexpr TakenSlice(X from, const Selection& s) : x(std::move(from)), selection(s) {}

  ValueId record_self(const Statement& statement) const {
    using Shape = typename TakenSlice::shape;
    const std::array<ValueId, 1> operand{record(x, statement)};
    return record_node(statement, Op::take, Shape::dtype, Shape::dim_names, {.axis = D::name},
                       operand,
                       {{IndexSpec::Kind::whole, std::string(Brings::name), no_value,
                         std::string(D::name), selection}});
  }
};

template <typename X, typename D, typename Part>
struct TakenSplit {
  X x;
  Selection selection;
  constexpr auto operator[](int part) const {
    Selection one = selection;
    one.part = part;
    return TakenSlice<X, D, Part>(x, one);
  }
};

/// Elements of x along D may go by the name Brings.
template <typename X, typename D, typename Brings>
inline constexpr bool may_be_named = std::is_same_v<D, Brings> || !has_dim<X, Brings>;

template <typename X, typename D, typename Brings>
inline constexpr bool is_taken_slice<TakenSlice<X, D, Brings>> = true;

template <typename M, typename X, typename D, typename Brings>
constexpr auto renamed(const TakenSlice<X, D, Brings>& slice) {
  static_assert(may_be_named<ShapeOf<X>, D, M>,
                "as<M>(slice(x, D, lo, count)): x has dimension M besides");
  if constexpr (may_be_named<ShapeOf<X>, D, M>) {
    return TakenSlice<X, D, M>(slice.x, slice.selection);
  } else {
    return Refused{};
  }
}

/// A part of a concat: its operand, and the dimension along which it is put.
template <typename X, typename D>
struct NamedPart {
  using along = D;
  X x;
};

/// `...` after a dimension are parts along it; another dimension starts other parts.
template <typename D>
constexpr auto named_parts(D) {
  return hana::tuple<>{};
}
template <typename D, typename First, typename... Rest>
constexpr auto named_parts(D dim, const First& first, const Rest&... rest) {
  if constexpr (term_kind<First> == TermKind::dimension) {
    return named_parts(first, rest...);
  } else {
    const auto operand = as_operand(first);
    using X = std::remove_const_t<decltype(operand)>;
    return hana::concat(hana::tuple<NamedPart<X, D>>(NamedPart<X, D>{operand}),
                        named_parts(dim, rest...));
  }
}

template <typename Part>
using ShapeOfPart = ShapeOf<decltype(Part::x)>;
template <typename D, typename Part>
using Filled = Taken<ShapeOfPart<Part>, typename Part::along, hana::tuple<hana::type<D>>>;

template <typename... Parts>
inline constexpr bool have_their_dimension = (has_dim<ShapeOfPart<Parts>, typename Parts::along> &&
                                              ...);
template <typename D, typename... Parts>
inline constexpr bool may_become = (may_be_named<ShapeOfPart<Parts>, typename Parts::along, D> &&
                                    ...);
template <typename A, typename... Others>
inline constexpr bool are_alike = ((A::dtype == Others::dtype && same_dims<A, Others>)&&...);

template <typename Shape, typename D, typename... Parts>
struct Concat : Traced<Shape> {
  hana::tuple<Parts...> parts;
  constexpr explicit Concat(hana::tuple<Parts...> all) : parts(std::move(all)) {}

  ValueId record_self(const Statement& statement) const {
    return hana::unpack(parts, [&](const auto&... part) {
      const std::vector<ConcatPart> all{ConcatPart{
          record(part.x, statement), std::remove_cvref_t<decltype(part)>::along::name}...};
      return statement.trace.gate().concat(D::name, all, statement.where);
    });
  }
};

template <typename D, typename First, typename... Rest>
constexpr auto concat_of(D, const hana::tuple<First, Rest...>& parts) {
  if constexpr (is_refused<decltype(First::x)> || (is_refused<decltype(Rest::x)> || ...)) {
    return Refused{};
  } else if constexpr (!have_their_dimension<First, Rest...>) {
    static_assert(have_their_dimension<First, Rest...>,
                  "concat(D, H, a, b): every part must have the dimension H named before it");
    return Refused{};
  } else if constexpr (!may_become<D, First, Rest...>) {
    static_assert(may_become<D, First, Rest...>,
                  "concat(D, H, a, b): a part has dimension D besides H");
    return Refused{};
  } else {
    using Shape = Filled<D, First>;
    static_assert(are_alike<Shape, Filled<D, Rest>...>,
                  "concat(D, H, a, b): parts must agree in element type and in all dimensions but "
                  "the one they are put along");
    if constexpr (are_alike<Shape, Filled<D, Rest>...>) {
      return Concat<Shape, D, First, Rest...>(parts);
    } else {
      return Refused{};
    }
  }
}

}  // namespace detail

template <typename X, typename D, typename Brings>
struct TermOf<detail::TakenSlice<X, D, Brings>> {
  static constexpr TermKind kind = TermKind::tile;
  static constexpr const auto& operand(const detail::TakenSlice<X, D, Brings>& x) { return x; }
};
template <typename Shape, typename D, typename... Parts>
struct TermOf<detail::Concat<Shape, D, Parts...>> {
  static constexpr TermKind kind = TermKind::tile;
  static constexpr const auto& operand(const detail::Concat<Shape, D, Parts...>& x) { return x; }
};

/// x where its dimension D is at i, an i32 number or tile: x's other dimensions joined with i's. An
/// index counts as index(D) does; one outside of the tile gives 0.
template <Term X, Name d, Operand I>
constexpr auto take(const X& x, Dim<d>, const I& i) {
  using D = Dim<d>;
  const auto from = detail::as_operand(x);
  const auto picks = detail::as_operand(i);
  using From = std::remove_const_t<decltype(from)>;
  using Picks = std::remove_const_t<decltype(picks)>;
  if constexpr (is_refused<From> || is_refused<Picks>) {
    return Refused{};
  } else if constexpr (!detail::takes_along<detail::ShapeOf<From>, D>) {
    static_assert(detail::takes_along<detail::ShapeOf<From>, D>,
                  "take(x, D, i): x must have dimension D");
    return Refused{};
  } else if constexpr (!detail::is_picked_by<detail::ShapeOf<Picks>>) {
    static_assert(detail::is_picked_by<detail::ShapeOf<Picks>>, "take(x, D, i): i must be i32");
    return Refused{};
  } else {
    auto at = detail::adapted<i32>(picks);
    using Shape = detail::Taken<detail::ShapeOf<From>, D, DimsOf<detail::ShapeOf<Picks>>>;
    return Expression<Shape, Op::take, From, decltype(at)>(Details{.axis = D::name}, from, at);
  }
}

/// Elements lo … lo + count - 1 of x's dimension D, which x holds as a whole.
/// `as<H>(slice(x, D, lo, count))` gives them a dimension of their own.
template <Term X, Name d>
constexpr auto slice(const X& x, Dim<d>, int lo, int count) {
  const auto from = detail::as_operand(x);
  using From = std::remove_const_t<decltype(from)>;
  if constexpr (is_refused<From>) {
    return Refused{};
  } else {
    static_assert(detail::takes_along<detail::ShapeOf<From>, Dim<d>>,
                  "slice(x, D, lo, count): x must have dimension D");
    if constexpr (detail::takes_along<detail::ShapeOf<From>, Dim<d>>)
      return detail::TakenSlice<From, Dim<d>, Dim<d>>(
          from, {.offset = lo, .count = count == 0 ? -1 : count});
    else
      return Refused{};
  }
}

namespace detail {

/// `[i]` of a split that was refused.
struct RefusedParts {
  constexpr Refused operator[](int) const { return {}; }
};

template <typename D, typename Part, typename X>
constexpr auto split_of(const X& x, const Selection& selection) {
  const auto from = as_operand(x);
  using From = std::remove_const_t<decltype(from)>;
  if constexpr (is_refused<From>) {
    return RefusedParts{};
  } else if constexpr (!takes_along<ShapeOf<From>, D>) {
    static_assert(takes_along<ShapeOf<From>, D>, "split(x, D, 2, H): x must have dimension D");
    return RefusedParts{};
  } else {
    static_assert(may_be_named<ShapeOf<From>, D, Part>,
                  "split(x, D, 2, H): x has dimension H besides D");
    if constexpr (may_be_named<ShapeOf<From>, D, Part>)
      return TakenSplit<From, D, Part>{from, selection};
    else
      return RefusedParts{};
  }
}

}  // namespace detail

/// split(x, D, 2, H)[i]: x's dimension D seen as [2, H], the part i of neighbours.
template <Term X, Name d, Name part>
constexpr auto split(const X& x, Dim<d>, int parts, Dim<part>) {
  return detail::split_of<Dim<d>, Dim<part>>(x, {.parts = parts == 0 ? -1 : parts});
}
/// split(x, D, H, 2)[i]: D seen as [H, 2], the elements 2 * j + i.
template <Term X, Name d, Name part>
constexpr auto split(const X& x, Dim<d>, Dim<part>, int parts) {
  return detail::split_of<Dim<d>, Dim<part>>(
      x, {.parts = parts == 0 ? -1 : parts, .interleaved = true});
}

/// concat(D, H, a, b, …): the parts one after another along D, whose bound extent they fill; each
/// is put along the dimension named last before it: concat(D, H, low, high, R, rest). They agree in
/// element type and in all other dimensions.
template <Name d, Name h, Term First, Term... Rest>
constexpr auto concat(Dim<d> dim, Dim<h> along, const First& first, const Rest&... rest) {
  return detail::concat_of(dim, detail::named_parts(along, first, rest...));
}

}  // namespace tilewright

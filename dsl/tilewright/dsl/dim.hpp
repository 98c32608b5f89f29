// Dimensions have names, not positions. `Dim<"q">` is an empty type, so the names of a tile are
// part of its C++ type and the compiler checks them; extents stay run-time numbers. The set
// operations that broadcasting, reductions and products need are here, on tuples of hana::type.
// Next: expression.hpp.
#pragma once

#include <array>
#include <boost/hana/concat.hpp>
#include <boost/hana/contains.hpp>
#include <boost/hana/is_subset.hpp>
#include <boost/hana/remove_if.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/hana/type.hpp>
#include <boost/hana/unpack.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "tilewright/dsl/dtype.hpp"

namespace tilewright {

namespace hana = boost::hana;

/// A string literal as a template argument.
template <std::size_t Size>
struct Name {
  char text[Size]{};
  constexpr Name(const char (&literal)[Size]) {  // NOLINT: `Dim<"q">` is the point
    for (std::size_t i = 0; i < Size; ++i) text[i] = literal[i];
  }
  constexpr std::string_view view() const { return {text, Size - 1}; }
};

/// A dimension: `inline constexpr Dim<"q"> M;`. Two objects with one name are the same dimension.
template <Name dim_name>
struct Dim {
  static constexpr std::string_view name = dim_name.view();
  /// So that `{{D, 128}}` fills a map from dimension names to extents.
  operator std::string() const { return std::string(name); }  // NOLINT
  /// Of a flattened dimension, GM[M]: the coordinate M under it. Defined in flatten.hpp.
  template <Name part>
  constexpr auto operator[](Dim<part>) const;
};

/// What a tile is, without where it comes from: its element type and its dimensions, outermost
/// first.
template <DType T, typename... Dims>
struct Tile {
  static constexpr DType dtype = T;
  static constexpr auto dims = hana::tuple_t<Dims...>;
  static constexpr std::size_t rank = sizeof...(Dims);
  static constexpr std::array<std::string_view, sizeof...(Dims)> dim_names{Dims::name...};
};

namespace dims {

/// All of `a`, then what only `b` has: the dimensions of a broadcast.
inline constexpr auto joined = [](auto a, auto b) {
  return hana::concat(a, hana::remove_if(b, [a](auto dim) { return hana::contains(a, dim); }));
};

inline constexpr auto without = [](auto dims, auto gone) {
  return hana::remove_if(dims, [gone](auto dim) { return hana::equal(dim, gone); });
};

/// What both have, in a's order.
inline constexpr auto shared = [](auto a, auto b) {
  return hana::remove_if(a, [b](auto dim) { return hana::not_(hana::contains(b, dim)); });
};

inline constexpr auto contain = [](auto dims, auto dim) { return hana::contains(dims, dim); };
inline constexpr auto within = [](auto inner, auto outer) { return hana::is_subset(inner, outer); };
inline constexpr auto same = [](auto a, auto b) {
  return hana::and_(hana::is_subset(a, b), hana::is_subset(b, a));
};

template <typename... Dims>
inline constexpr bool distinct = true;
template <typename First, typename... Rest>
inline constexpr bool distinct<First, Rest...> =
    !decltype(hana::contains(hana::tuple_t<Rest...>, hana::type_c<First>))::value &&
    distinct<Rest...>;

}  // namespace dims

template <DType T>
inline constexpr auto make_tile =
    [](auto... dim) { return hana::type_c<Tile<T, typename decltype(dim)::type...>>; };
/// A tuple of hana::type back to a Tile of element type T.
template <DType T, typename List>
using TileOf = typename decltype(hana::unpack(List{}, make_tile<T>))::type;

template <typename Shape>
using DimsOf = std::remove_cvref_t<decltype(Shape::dims)>;

template <DType T, typename A, typename B>
using Joined = TileOf<T, decltype(dims::joined(DimsOf<A>{}, DimsOf<B>{}))>;

template <typename A, typename B>
inline constexpr bool same_dims = decltype(dims::same(DimsOf<A>{}, DimsOf<B>{}))::value;
template <typename Inner, typename Outer>
inline constexpr bool dims_within = decltype(dims::within(DimsOf<Inner>{}, DimsOf<Outer>{}))::value;
template <typename Shape, typename K>
inline constexpr bool has_dim = decltype(dims::contain(DimsOf<Shape>{}, hana::type_c<K>))::value;

}  // namespace tilewright

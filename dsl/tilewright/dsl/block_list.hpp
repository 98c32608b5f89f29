// A list of tiles: for each tile of rows the tiles of columns to visit, in the order given, each
// marked as full or cut. What a mask does that depends on data: BlockList<"blocks", B, HQ, M, N> is
// an argument of a kernel, for_blocks(N, blocks(b, hq, m), mask, body) a loop over one of its rows.
//
// Three i32 tensors at launch: NAME_begin and NAME_end [B, HQ, rows] say which entries of
// NAME_tiles [entries] are a row's, one row for each tile of M. An entry is the number of a tile,
// or ~number where the mask cuts it. So indptr[:-1], indptr[1:] and indices of a matrix of blocks
// in CSR form are a list of full tiles as they are, and rows of fixed capacity are one too. A
// stride of 0 shares rows among batches or heads.
#pragma once

#include <array>
#include <tuple>

#include "tilewright/dsl/tensor.hpp"

namespace tilewright {
namespace detail {

template <Name a, Name b>
inline constexpr auto joined_name = [] {
  char text[sizeof(a.text) + sizeof(b.text) - 1]{};
  std::size_t size = 0;
  for (const char c : a.view()) text[size++] = c;
  for (const char c : b.view()) text[size++] = c;
  return Name(text);
}();

/// The dimensions of a list but the last two, with that of its rows behind them, as a tensor.
template <Name list, Name part, auto... Lead>
using ListTensor = Tensor<Access::in, joined_name<list, part>, DType::i32, Lead...,
                          Dim<joined_name<list, "_rows">>{}>;

/// A row of a list, and what its tiles are tiles of.
template <typename Column, typename First, typename Last>
struct ListRow {
  using column = Column;
  std::string_view tensor;
  First first;
  Last last;
  ValueId rows;
  std::uint32_t trace;
  int elements = 0;

  /// Each listed tile has so many elements, where that is not what a tile of the rows has.
  ListRow tile(int size, const std::source_location place = std::source_location::current()) const {
    if (size < 1 || size > 65536)
      throw Error(errors::dsl["grid-tile-out-of-range"],
                  "list(b, h, m).tile(size): the tile must hold elements",
                  {std::string(tensor), std::to_string(size), "1 … 65536", short_place(place)});
    ListRow result = *this;
    result.elements = size;
    return result;
  }

  TileList recorded(const Statement& statement) const {
    TileList list;
    list.tensor = tensor;
    list.first = record(first, statement);
    list.last = record(last, statement);
    list.rows = checked(rows, trace, statement);
    list.tile = elements;
    return list;
  }
};

template <typename X>
inline constexpr bool is_list_row = false;
template <typename Column, typename First, typename Last>
inline constexpr bool is_list_row<ListRow<Column, First, Last>> = true;
template <typename List, typename D>
inline constexpr bool lists_tiles_of = std::is_same_v<typename List::column, D>;

template <typename Row, typename X>
inline constexpr bool is_block_of_rows = false;
template <typename Row>
inline constexpr bool is_block_of_rows<Row, Block<Row>> = true;
template <typename X>
constexpr bool is_number_before_rows() {
  if constexpr (is_refused<X>) {
    return true;
  } else if constexpr (Number<X>) {
    return std::is_integral_v<X>;
  } else if constexpr (term_kind<X> == TermKind::tile) {
    return is_scalar_index<ShapeOf<decltype(as_operand(std::declval<const X&>()))>>;
  } else {
    return false;
  }
}
template <typename... X>
inline constexpr bool are_numbers_before_rows = (is_number_before_rows<X>() && ...);
template <std::size_t wanted, std::size_t given>
inline constexpr bool one_index_but_for_tiles = wanted == given;

/// BlockList by its parts; Lead: the dimensions in front of rows and columns.
template <Name name, typename Row, typename Column, auto... Lead>
struct ListOf {
  using row_dim = Row;
  static std::array<Argument, 3> arguments() {
    Argument tiles{Argument::Kind::in,
                   std::string(tiles_name.view()),
                   DType::i32,
                   {std::string(joined_name<name, "_entries">.view())}};
    return {Begin::argument(), End::argument(), std::move(tiles)};
  }

  template <typename... X>
  static auto row(const Block<Row>& m, const X&... lead) {
    const Value<Tile<DType::i32>> number(m.number, m.trace);
    auto first = load(Begin{}(lead..., number));
    if constexpr (is_refused<decltype(first)>) {
      return Refused{};
    } else {
      auto last = load(End{}(lead..., number));
      return ListRow<Column, decltype(first), decltype(last)>{tiles_name.view(), first, last,
                                                              m.number, m.trace};
    }
  }

 private:
  using Begin = ListTensor<name, "_begin", Lead...>;
  using End = ListTensor<name, "_end", Lead...>;
  static constexpr auto tiles_name = joined_name<name, "_tiles">;
};

/// Takes the dimensions apart: those in front, the rows', the columns'.
template <Name name, typename Rest, auto... Lead>
struct ListParts {  // too few, which kernel(…) refuses
  using type = ListOf<name, void, void>;
};
template <Name name, typename Row, typename Column, auto... Lead>
struct ListParts<name, std::tuple<Row, Column>, Lead...> {
  using type = ListOf<name, Row, Column, Lead...>;
};
template <Name name, typename First, typename Second, typename Third, typename... Rest,
          auto... Lead>
struct ListParts<name, std::tuple<First, Second, Third, Rest...>, Lead...> {
  using type = typename ListParts<name, std::tuple<Second, Third, Rest...>, Lead..., First{}>::type;
};

template <typename X>
inline constexpr bool is_block_list = false;

/// Stands where a loop takes its list, or its mask.
template <typename X>
inline constexpr bool is_about_a_list = is_list_row<X> || is_block_list<X>;

}  // namespace detail

/// Dimensions: those by which rows differ, that of the rows (a tile each), that of the listed
/// tiles.
template <Name name, auto... Dims>
struct BlockList {
  static constexpr bool has_distinct_dimensions =
      detail::dimensions_differ<std::remove_const_t<decltype(Dims)>...>;
  using Parts =
      typename detail::ListParts<name, std::tuple<std::remove_const_t<decltype(Dims)>...>>::type;

  static std::array<Argument, 3> arguments() { return Parts::arguments(); }

  /// The row of the list that belongs to a block of rows: list(b, hq, m). Its tiles have as many
  /// elements as m's, or list(b, hq, m).tile(size). m must have a tile of fixed size: blocks(M,
  /// 64), and the schedule keeps to both.
  template <typename... X>
  auto operator()(const X&... x) const {
    constexpr std::size_t lead = sizeof...(Dims) - 2;
    static_assert(detail::one_index_but_for_tiles<lead + 1, sizeof...(X)>,
                  "list(b, h, m): one index per dimension of the list but the last");
    if constexpr (!detail::one_index_but_for_tiles<lead + 1, sizeof...(X)>)
      return Refused{};
    else
      return row(std::forward_as_tuple(x...), std::make_index_sequence<lead>());
  }

 private:
  template <typename Given, std::size_t... lead>
  static auto row(const Given& given, std::index_sequence<lead...>) {
    using Block = std::remove_cvref_t<std::tuple_element_t<sizeof...(lead), Given>>;
    if constexpr (is_refused<Block>) {
      return Refused{};
    } else if constexpr (!detail::is_block_of_rows<typename Parts::row_dim, Block>) {
      static_assert(detail::is_block_of_rows<typename Parts::row_dim, Block>,
                    "list(b, h, m): the last index must be a block of the list's rows");
      return Refused{};
    } else if constexpr (!detail::are_numbers_before_rows<
                             std::remove_cvref_t<std::tuple_element_t<lead, Given>>...>) {
      static_assert(detail::are_numbers_before_rows<
                        std::remove_cvref_t<std::tuple_element_t<lead, Given>>...>,
                    "list(b, h, m): an index before the rows must be an each or an i32 number");
      return Refused{};
    } else {
      return Parts::row(std::get<sizeof...(lead)>(given), std::get<lead>(given)...);
    }
  }
};

template <Name name, auto... Dims>
struct TermOf<BlockList<name, Dims...>> {
  static constexpr TermKind kind = TermKind::tensor;
};
template <typename Column, typename First, typename Last>
struct TermOf<detail::ListRow<Column, First, Last>> {
  static constexpr TermKind kind = TermKind::tensor;
};

namespace detail {
template <Name name, auto... Dims>
inline constexpr bool is_block_list<BlockList<name, Dims...>> = true;
}  // namespace detail

}  // namespace tilewright

// Negation normal form, then a disjunction of zones (mask_formula.hpp). Case distinctions (min,
// max, abs, where) become && and ||, because min(a, b) >= c is a >= c && b >= c. Zones that another
// zone contains are dropped; beyond a fixed number of them the mask falls back to its hull.
#include "passes/mask_formula.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "ir/print.hpp"
#include "passes/mask_affine.hpp"
#include "passes/mask_bounds.hpp"

namespace tilewright::passes {

namespace {

constexpr std::size_t most_zones = 128;
using Zones = std::vector<Zone>;

class FormulaReader {
 public:
  explicit FormulaReader(MaskReader& reader) : reader_(reader) {}

  /// A mask may use its parts many times over: each is read once.
  Zones boolean(ValueId value, bool negated) {
    const std::pair key(value, negated);
    if (const auto known = known_.find(key); known != known_.end()) return known->second;
    return known_[key] = zones_of(value, negated);
  }

  std::string note;

 private:
  Zones zones_of(ValueId value, bool negated) {
    const ir::Operation* from = reader_.definition(value);
    const Op op = from ? from->op : Op::yield;
    const auto operand = [&](std::size_t i, bool flip) {
      return boolean(from->operands[i], negated != flip);
    };
    const auto choose = [&](bool all, const Zones& a, const Zones& b) {
      return all != negated ? both(a, b) : either(a, b);
    };
    const bool logical =
        from && !from->operands.empty() && reader_.dtype(from->operands[0]) == DType::b1;
    switch (op) {
      case Op::constant: return (from->constant != 0) != negated ? everything() : Zones{};
      case Op::logical_not: return operand(0, true);
      case Op::logical_and: return choose(true, operand(0, false), operand(1, false));
      case Op::logical_or: return choose(false, operand(0, false), operand(1, false));
      case Op::bit_and:
        if (logical) return choose(true, operand(0, false), operand(1, false));
        break;
      case Op::bit_or:
        if (logical) return choose(false, operand(0, false), operand(1, false));
        break;
      case Op::bit_not:
        if (logical) return operand(0, true);
        break;
      case Op::eq:
      case Op::ne:
      case Op::bit_xor:
        if (logical) {
          const ValueId a = from->operands[0];
          const ValueId b = from->operands[1];
          const bool equal = (op == Op::eq) != negated;
          return either(both(boolean(a, false), boolean(b, !equal)),
                        both(boolean(a, true), boolean(b, equal)));
        }
        break;
      case Op::select:
        return either(both(boolean(from->operands[0], false), boolean(from->operands[1], negated)),
                      both(boolean(from->operands[0], true), boolean(from->operands[2], negated)));
      default: break;
    }
    if (from && is_comparison(op) && !logical) return comparison(*from, value, negated);
    return opaque(value, negated);
  }

  static Zones everything() { return {Zone{}}; }

  std::string text_of(ValueId value, const std::string& why) {
    const ir::Operation* from = reader_.definition(value);
    const std::string where = from ? to_string(from->where) : "";
    return reader_.describe(value) + " " + why + (where.empty() ? "" : " (" + where + ")");
  }
  Zones left_out(ValueId value, const std::string& why) {
    if (note.empty()) note = text_of(value, why);
    Zone zone;
    zone.hull = true;
    return {zone};
  }

  /// A boolean that no comparison of integers makes: a guard when it is uniform.
  Zones opaque(ValueId value, bool negated) {
    if (!reader_.is_uniform(value)) return left_out(value, "is not a bound on the indices");
    const Linear truth = reader_.uniform(value);
    return zone({Bound::Kind::guard, {.offset = negated ? truth * -1 : truth - 1}});
  }

  static Zones zone(Bound bound) {
    Zone one;
    if (bound.kind == Bound::Kind::guard && bound.limit.offset.is_constant()) {
      if (bound.limit.offset.constant() < 0) return {};
      return everything();
    }
    one.bounds.push_back(std::move(bound));
    return {one};
  }

  Zones comparison(const ir::Operation& op, ValueId value, bool negated) {
    const auto a = reader_.affine(op.operands[0]);
    const auto b = reader_.affine(op.operands[1]);
    if (!a || !b) return opaque(value, negated);
    const Affine difference = *b - *a;
    Affine one;
    one.constant = 1;
    const auto below = [&] { return not_negative(difference - one, value); };       // a < b
    const auto at_most = [&] { return not_negative(difference, value); };           // a <= b
    const auto above = [&] { return not_negative(difference * -1 - one, value); };  // a > b
    const auto at_least = [&] { return not_negative(difference * -1, value); };     // a >= b
    switch (op.op) {
      case Op::lt: return negated ? at_least() : below();
      case Op::le: return negated ? above() : at_most();
      case Op::gt: return negated ? at_most() : above();
      case Op::ge: return negated ? below() : at_least();
      default:
        const bool equal = (op.op == Op::eq) != negated;
        if (auto zones =
                congruence_zones(difference, equal ? Comparison::equal : Comparison::not_equal))
          return limited(std::move(*zones));
        if (equal) return both(at_most(), at_least());
        return either(below(), above());
    }
  }

  Zones not_negative(const Affine& x, ValueId atom) {
    if (!x.choices.empty()) return cases(x, atom);
    if (const auto bound = bound_of(x, reader_)) return zone(*bound);
    if (auto zones = congruence_zones(x, Comparison::at_least)) return std::move(*zones);
    if (!x.tables.empty()) return left_out(atom, "is not a bound with one step per row");
    Affine form = x;
    if (const std::int64_t common = std::gcd(x.k, x.q); common > 1 && x.quotients.empty()) {
      form.k /= common, form.q /= common;
      form.constant = floor_quotient(x.constant, common);
    }
    Zone zone;
    zone.rest.push_back({form, text_of(atom, "is not a bound with one step per row")});
    return {zone};
  }

  /// Takes the first choice apart.
  Zones cases(Affine x, ValueId atom) {
    const Choice choice = x.choices.back();
    x.choices.pop_back();
    const ir::Operation& from = *reader_.definition(choice.value);
    const bool picks = from.op == Op::select;
    const auto first = reader_.affine(from.operands[picks ? 1 : 0]);
    const auto second = from.op == Op::abs ? (first ? std::optional(*first * -1) : std::nullopt)
                                           : reader_.affine(from.operands[picks ? 2 : 1]);
    if (!first || !second) return left_out(atom, "is not a bound on the indices");
    const Zones if_first = not_negative(x + *first * choice.coefficient, atom);
    const Zones if_second = not_negative(x + *second * choice.coefficient, atom);
    if (picks)
      return either(both(boolean(from.operands[0], false), if_first),
                    both(boolean(from.operands[0], true), if_second));
    const bool largest = from.op != Op::minimum;
    return largest == (choice.coefficient > 0) ? either(if_first, if_second)
                                               : both(if_first, if_second);
  }

  Zones either(const Zones& a, const Zones& b) {
    Zones all = a;
    all.insert(all.end(), b.begin(), b.end());
    return limited(without_contained(std::move(all)));
  }

  Zones both(const Zones& a, const Zones& b) {
    Zones all;
    for (const Zone& x : a) {
      Zones row;
      for (const Zone& y : b) {
        Zone zone = x;
        zone.hull = x.hull || y.hull;
        const auto add = [](auto& all, const auto& some) {
          for (const auto& one : some)
            if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
        };
        add(zone.bounds, y.bounds);
        add(zone.congruences, y.congruences);
        add(zone.rest, y.rest);
        row.push_back(std::move(zone));
      }
      all = either(all, row);
    }
    return all;
  }

  Zones limited(Zones zones) {
    if (zones.size() <= most_zones) return zones;
    if (note.empty()) note = "the mask has more than " + std::to_string(most_zones) + " zones";
    Zone hull;
    hull.hull = true;
    return {hull};
  }

  MaskReader& reader_;
  std::map<std::pair<ValueId, bool>, Zones> known_;
};

}  // namespace

namespace {

/// b lies inside a when it keeps every bound of a.
bool contains(const Zone& a, const Zone& b) {
  if (a.hull && !b.hull) return false;
  const auto keeps = [](const auto& all, const auto& some) {
    return std::all_of(some.begin(), some.end(), [&](const auto& one) {
      return std::find(all.begin(), all.end(), one) != all.end();
    });
  };
  return keeps(b.bounds, a.bounds) && keeps(b.congruences, a.congruences) && keeps(b.rest, a.rest);
}

}  // namespace

std::vector<Zone> without_contained(std::vector<Zone> zones) {
  Zones all;
  for (Zone& zone : zones) {
    if (std::any_of(all.begin(), all.end(), [&](const Zone& a) { return contains(a, zone); }))
      continue;
    std::erase_if(all, [&](const Zone& other) { return contains(zone, other); });
    all.push_back(std::move(zone));
  }
  return all;
}

MaskRows mask_rows(const ir::Kernel& kernel, const ir::Operation& loop) {
  MaskRows rows;
  const ir::Region& mask = *loop.regions[0];
  if (mask.operations.empty()) return rows;
  for (const ir::AxisId axis : kernel.type(mask.operations.back()->operands[0]).axes) {
    if (axis == loop.axis) continue;
    // What is known of rows is known by the name of their dimension.
    const ir::Axis& own = kernel.axes[static_cast<std::size_t>(axis)];
    const auto bound = kernel.bound.find(own.dim);
    const bool renamed =
        own.follows >= 0 || (own.kind == ir::Axis::Kind::whole && own.tile > 0 &&
                             (bound == kernel.bound.end() || bound->second != own.tile));
    if (rows.axis < 0 && !renamed)
      rows.axis = axis;
    else
      rows.several = true;
  }
  return rows;
}

namespace {

/// limit(q), where it is a sum of what the row has.
std::optional<Affine> of_row(const RowFunction& limit, const std::vector<RowTile>& row_tiles) {
  Affine form;
  if (limit.kind == RowFunction::Kind::shifted) {
    form.q = 1;
  } else if (limit.kind == RowFunction::Kind::table && limit.scale.is(1) && limit.divisor.is(1)) {
    form = row_tiles[static_cast<std::size_t>(limit.tile)].form * (limit.minus ? -1 : 1);
    form.constant = limit.shift;
  } else {
    return std::nullopt;
  }
  form.constant = form.constant + limit.offset;
  return form;
}

/// Where tables bound k on both sides, rows between whose bounds no key lies (of a sequence without
/// keys) are left out of the tables' extremes: their ends may lie anywhere.
void count_rows_that_see(Zone& zone, std::vector<RowTile>& row_tiles) {
  std::vector<std::pair<Affine, Affine>> where;
  for (const Bound& low : zone.bounds)
    for (const Bound& high : zone.bounds) {
      if (low.kind != Bound::Kind::k_lower || high.kind != Bound::Kind::k_upper) continue;
      const auto from = of_row(low.limit, row_tiles), to = of_row(high.limit, row_tiles);
      if (!from || !to) continue;
      const Affine room = *to - *from;
      if (!room.tables.empty()) where.emplace_back(*from, *to);
    }
  if (where.empty()) return;
  for (Bound& bound : zone.bounds) {
    if (bound.limit.kind != RowFunction::Kind::table || bound.kind == Bound::Kind::row) continue;
    const RowTile tile{row_tiles[static_cast<std::size_t>(bound.limit.tile)].form, where};
    const auto found = std::find(row_tiles.begin(), row_tiles.end(), tile);
    bound.limit.tile = static_cast<int>(found - row_tiles.begin());
    bound.limit.seen = true;
    if (found == row_tiles.end()) row_tiles.push_back(tile);
  }
}

}  // namespace

Formula mask_formula(const ir::Kernel& kernel, const std::vector<ir::Operation*>& definitions,
                     const ir::Operation& loop, ir::AxisId rows, bool negated,
                     std::vector<RowTile>* row_tiles) {
  MaskReader reader(kernel, definitions, loop, rows, row_tiles);
  FormulaReader formula(reader);
  Formula result;
  result.zones = formula.boolean(loop.regions[0]->operations.back()->operands[0], negated);
  if (row_tiles != nullptr)
    for (Zone& zone : result.zones) count_rows_that_see(zone, *row_tiles);
  result.note = formula.note;
  result.positive = reader.positive;
  result.uniform = reader.opaque;
  return result;
}

}  // namespace tilewright::passes

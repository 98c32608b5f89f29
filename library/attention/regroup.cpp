// See regroup.hpp.
#include "attention/regroup.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <tilewright/error.hpp>

#include "attention/errors.hpp"
#include "build.hpp"
#include "launch_checks.hpp"
#include "loops/flash_regrouped.hpp"
#include "scores/evaluate.hpp"
#include "scores/node.hpp"

namespace tilewright::library {
namespace {

using Leaf = ScoreNode::Leaf;

/// Of a launch: rows and keys before they were regrouped, the residues of its first row and key.
constexpr const char* number_names[] = {"rows", "keys", "first_row", "first_key"};

bool is(const ScoreTree& tree, Op op) { return tree->leaf == Leaf::none && tree->op == op; }

/// How often row and key are in a sum; nothing where they stand in anything else, or where the rest
/// is not the same for the whole launch.
struct Slopes {
  std::int64_t row = 0, key = 0;
};
std::optional<Slopes> slopes(const ScoreTree& tree) {
  switch (tree->leaf) {
    case Leaf::row: return Slopes{1, 0};
    case Leaf::key: return Slopes{0, 1};
    case Leaf::seqlen_q:
    case Leaf::seqlen_kv: return Slopes{};
    case Leaf::none: break;
    default: return std::nullopt;
  }
  if (tree->op == Op::constant) return Slopes{};
  if (tree->op != Op::add && tree->op != Op::sub && tree->op != Op::neg) return std::nullopt;
  const auto a = slopes(tree->operands[0]);
  if (!a) return std::nullopt;
  if (tree->op == Op::neg) return Slopes{-a->row, -a->key};
  const auto b = slopes(tree->operands[1]);
  if (!b) return std::nullopt;
  const std::int64_t sign = tree->op == Op::add ? 1 : -1;
  return Slopes{a->row + sign * b->row, a->key + sign * b->key};
}

/// The parts of a conjunction, in order.
void conjuncts(const ScoreTree& tree, std::vector<ScoreTree>& parts) {
  if (!is(tree, Op::logical_and)) return parts.push_back(tree);
  conjuncts(tree->operands[0], parts);
  conjuncts(tree->operands[1], parts);
}

/// "distance % stride == remainder", or the other way round, as a regrouping without its parts.
std::optional<Regrouping> residue_of(const ScoreTree& tree) {
  if (!is(tree, Op::eq)) return std::nullopt;
  const bool turned = is(tree->operands[0], Op::constant);
  const ScoreTree &modulo = tree->operands[turned], &remainder = tree->operands[!turned];
  if (!is(modulo, Op::mod) || !is(remainder, Op::constant)) return std::nullopt;
  const ScoreTree &distance = modulo->operands[0], &by = modulo->operands[1];
  if (!is(by, Op::constant) || by->constant < 2) return std::nullopt;
  if (remainder->constant < 0 || remainder->constant >= by->constant) return std::nullopt;
  const auto slope = slopes(distance);
  if (!slope || std::abs(slope->key) != 1 || (slope->row != 0 && slope->row != -slope->key))
    return std::nullopt;
  const auto stride = static_cast<std::int64_t>(by->constant);
  return Regrouping{.stride = stride,
                    .distance = distance,
                    .remainder = static_cast<std::int64_t>(remainder->constant),
                    .falls = slope->key < 0,
                    .row_stride = slope->row == 0 ? 1 : stride};
}

/// Rows and keys of one residue in the place of all.
ScoreTree of_residue(const ScoreTree& tree, const Regrouping& how) {
  if (!tree) return tree;
  const Index step(how.stride), residue(leaf_node(Leaf::residue));
  const auto number = [](int which) { return Index::scalar(number_names[which], 0); };
  const ScoreTree row = how.row_stride == 1
                            ? leaf_node(Leaf::row)
                            : (Index(leaf_node(Leaf::row)) * step + (residue + number(2))).tree();
  const ScoreTree key = (Index(leaf_node(Leaf::key)) * step + (residue + number(3))).tree();
  const ScoreTree rows = number(0).tree(), keys = number(1).tree();
  return with_leaves(tree, [&](Leaf leaf) -> ScoreTree {
    switch (leaf) {
      case Leaf::row: return row;
      case Leaf::key: return key;
      case Leaf::seqlen_q: return rows;
      case Leaf::seqlen_kv: return keys;
      default: return nullptr;
    }
  });
}

/// A tensor [batch, heads, length, …] as [batch, heads, count, rows, …]: row `first + r + stride *
/// i` is (r, i).
TensorView regrouped(const TensorView& tensor, std::int64_t stride, std::int64_t first,
                     std::int64_t count, std::int64_t rows) {
  TensorView view = tensor;
  const std::int64_t step = tensor.strides[2];
  view.data += static_cast<std::uint64_t>(first * step * size_of(tensor.dtype));
  view.extents[2] = rows;
  view.extents.insert(view.extents.begin() + 2, count);
  view.strides[2] = step * stride;
  view.strides.insert(view.strides.begin() + 2, step);
  return view;
}

std::int64_t modulo(std::int64_t number, std::int64_t by) { return (number % by + by) % by; }

}  // namespace

bool is_of_range(const std::string& name) {
  return std::find(std::begin(number_names), std::end(number_names), name) !=
         std::end(number_names);
}

std::optional<Regrouping> regrouping_of(const AttentionParts& parts) {
  if (!parts.mask.tree() || parts.rope) return std::nullopt;
  if (parts.follows_list()) return std::nullopt;  // a list counts as it is
  std::vector<ScoreTree> all;
  conjuncts(parts.mask.tree(), all);
  std::optional<Regrouping> found;
  Mask rest;
  for (const ScoreTree& one : all) {
    auto residue = found ? std::nullopt : residue_of(one);
    if (residue)
      found = std::move(residue);
    else
      rest = rest && Mask(one);
  }
  if (!found) return std::nullopt;
  for (const ScoreTree& one : arguments_of(parts.trees()))
    if (is_of_range(one->name))
      throw Error(errors::attention["regroup-name-taken"],
                  "a regrouped attention has numbers of its own, and '" + one->name + "' is one",
                  {one->name, one->name, "another name", ""});
  found->parts = parts;
  found->parts.mask = Mask(of_residue(rest.tree(), *found));
  found->parts.score_mod = ScoreMod(of_residue(parts.score_mod.tree(), *found));
  found->parts.is_regrouped = true;
  return found;
}

Regrouping required_regrouping(const AttentionParts& parts) {
  for (const auto& [present, what] : {std::pair{parts.block_q != 0, "blocks"},
                                      {parts.graph_q != 0, "graph"},
                                      {parts.rope.has_value(), "rope"}})
    if (present)
      throw Error(errors::attention["regroup-excludes"],
                  std::string("there is no kernel for regrouped rows and keys with ") + what,
                  {"regrouped", std::string("with ") + what, "one of the two", ""});
  if (auto found = regrouping_of(parts)) return *std::move(found);
  throw Error(errors::attention["regroup-without-residue"],
              "the mask names no residue by which rows and keys could be regrouped",
              {"mask", parts.mask.tree() ? parts.mask.text() : "every key",
               "(q - k + c) % t == d or (k + c) % t == d, alone or joined to others by &&, with "
               "numbers t > 1 and 0 <= d < t",
               ""});
}

std::vector<ResidueRange> residue_ranges(const Regrouping& how, std::int64_t seqlen_q,
                                         std::int64_t seqlen_kv) {
  const ScoreSetting setting{.seqlen_q = seqlen_q, .seqlen_kv = seqlen_kv, .heads = 0};
  // Row 0 sees the keys whose distance is that of key 0, less or more by the key itself.
  const auto at_start = static_cast<std::int64_t>(evaluate(how.distance, setting, {}));
  const std::int64_t apart = how.falls ? at_start - how.remainder : how.remainder - at_start;
  const auto count = [&](std::int64_t length, std::int64_t residue) {
    return std::max<std::int64_t>((length - residue + how.stride - 1) / how.stride, 0);
  };
  std::vector<ResidueRange> ranges;
  if (how.row_stride == 1) {
    const std::int64_t key = modulo(apart, how.stride);
    return {{0, key, 1, seqlen_q, count(seqlen_kv, key)}};
  }
  for (std::int64_t r = 0; r < how.stride && (r == 0 || r < seqlen_q); ++r) {
    const std::int64_t key = modulo(r + apart, how.stride);
    const std::int64_t rows = count(seqlen_q, r), keys = count(seqlen_kv, key);
    if (!ranges.empty()) {
      ResidueRange& last = ranges.back();
      if (last.rows == rows && last.keys == keys && last.first_key + last.count == key) {
        ++last.count;
        continue;
      }
    }
    ranges.push_back({r, key, 1, rows, keys});
  }
  return ranges;
}

Extents ResidueRange::extents(AttentionExtents all, std::int64_t head_dim,
                              std::int64_t value_dim) const {
  all.seqlen_q = rows;
  all.seqlen_kv = keys;
  Extents result = kernel_extents(all, head_dim, value_dim);
  result[std::string(R.name)] = count;
  return result;
}

std::map<std::string, double> ResidueRange::numbers(std::int64_t seqlen_q,
                                                    std::int64_t seqlen_kv) const {
  const std::int64_t values[] = {seqlen_q, seqlen_kv, first_row, first_key};
  std::map<std::string, double> result;
  for (std::size_t i = 0; i < std::size(values); ++i)
    result[number_names[i]] = static_cast<double>(values[i]);
  return result;
}

std::optional<BlockCounts> count_regrouped(const Program& program, const Regrouping& how,
                                           const AttentionExtents& extents, std::int64_t head_dim,
                                           std::int64_t value_dim,
                                           const std::map<std::string, HostTable>& tables) {
  BlockCounts sum;
  for (const ResidueRange& range : residue_ranges(how, extents.seqlen_q, extents.seqlen_kv)) {
    const auto one =
        count_blocks(program, how.parts.mask, range.extents(extents, head_dim, value_dim),
                     range.numbers(extents.seqlen_q, extents.seqlen_kv), tables);
    if (!one) return std::nullopt;
    sum.skipped += one->skipped, sum.full += one->full, sum.cut += one->cut;
  }
  return sum;
}

struct WholeChecks::State {
  explicit State(const ir::Kernel& kernel)
      : signature(signature_of(kernel)), checks(signature, kernel) {}
  static Signature signature_of(const ir::Kernel& kernel) {
    Signature made;
    made.title = "kernel '" + kernel.name + "'";
    made.add(kernel, 0, made.title);
    return made;
  }
  Signature signature;
  LaunchChecks checks;  // refers to the signature
};

WholeChecks::WholeChecks(const AttentionParts& parts, const AttentionRequest& request)
    : state_(std::make_shared<const State>(build(
          *attention_kernel(parts, request.dtype),
          {{std::string(D.name), request.head_dim}, {std::string(E.name), request.value_dim}}))) {}

void WholeChecks::run(const std::vector<Binding>& all) const {
  state_->checks.run(LaunchArguments(state_->signature, all));
}

std::vector<std::vector<Binding>> regrouped_launches(const Regrouping& how,
                                                     const std::vector<Binding>& all) {
  const auto length = [&](const char* name) {
    for (const Binding& one : all)
      if (one.name == name) return one.tensor.extents[2];
    return std::int64_t{0};
  };
  const std::int64_t seqlen_q = length("q"), seqlen_kv = length("k");
  std::vector<ScoreTree> own = arguments_of(how.parts.trees());
  std::vector<std::vector<Binding>> launches;
  for (const ResidueRange& range : residue_ranges(how, seqlen_q, seqlen_kv)) {
    std::vector<Binding> launch;
    for (const Binding& one : all) {
      const bool of_rows = one.name == "q" || one.name == "out" || one.name == "lse";
      if (of_rows)
        launch.emplace_back(one.name, regrouped(one.tensor, how.row_stride, range.first_row,
                                                range.count, range.rows));
      else if (one.name == "k" || one.name == "v")
        launch.emplace_back(
            one.name, regrouped(one.tensor, how.stride, range.first_key, range.count, range.keys));
      else
        launch.push_back(one);
    }
    const auto numbers = range.numbers(seqlen_q, seqlen_kv);
    for (const ScoreTree& one : own)  // those that the parts still ask for
      if (const auto found = numbers.find(one->name); found != numbers.end())
        launch.emplace_back(found->first, found->second);
    launches.push_back(std::move(launch));
  }
  return launches;
}

}  // namespace tilewright::library

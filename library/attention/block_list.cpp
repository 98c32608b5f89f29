// See tilewright/library/blocks.hpp: lists that a device makes from a mask. The kernel is
// loops/block_list.hpp.
#include "loops/block_list.hpp"

#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>
#include <tilewright/library/blocks.hpp>

#include "attention/block_checks.hpp"
#include "attention/blocks_errors.hpp"
#include "attention/recorded.hpp"
#include "attention/score_arguments.hpp"
#include "attention/state.hpp"

namespace tilewright {
namespace {

/// A mask at tiles of indices.
struct RecordedMask {
  ScoreTree mask;

  void arguments() const { library::declare_arguments(std::array{mask}, false); }

  template <typename Batch, typename Head, typename Row, typename Key, typename Rows, typename Keys>
  auto visible(const Batch& b, const Head& h, const Row& q, const Key& k, const Rows& seqlen_q,
               const Keys& seqlen_kv,
               const std::source_location place = std::source_location::current()) const {
    using Pairs = Tile<b1, Dim<"block_q">, Dim<"block_kv">>;
    const detail::Statement statement("a mask", place);
    const auto value = [&](const auto& x) {
      return detail::record(detail::as_operand(x), statement);
    };
    library::RecordingPlace at{value(b), value(h)};
    at.pairs = {value(q),
                value(k),
                value(seqlen_q),
                value(seqlen_kv),
                library::BlockQ.name,
                library::BlockKV.name};
    return Value<Pairs>(library::TreeRecorder(statement, at).record(mask),
                        statement.trace.serial());
  }
};

/// A mask that asks for nothing has no tree; this one shows as much.
Mask every_key() {
  return Mask([](const Index&, const Index& k) { return k >= 0; });
}

}  // namespace

namespace library {

std::shared_ptr<const KernelSource> block_list_kernel(const Mask& mask) {
  auto made = block_list_of(RecordedMask{(mask.tree() ? mask : every_key()).tree()});
  return std::make_shared<decltype(made)>(std::move(made));
}

}  // namespace library

struct BlockListPlan::State {
  Plan plan;
  std::vector<ScoreTree> arguments;
  BlockListRequest request;
};

BlockListPlan compile_block_list(const Device& device, const Mask& mask,
                                 const BlockListRequest& request) {
  library::check_block_size("block_q", request.block_q);
  library::check_block_size("block_kv", request.block_kv);
  const auto kernel = library::block_list_kernel(mask);
  const CompileRequest made{
      .extents = {{library::BlockQ, request.block_q}, {library::BlockKV, request.block_kv}},
      .schedule = {}};
  return BlockListPlan(std::make_shared<const BlockListPlan::State>(BlockListPlan::State{
      compile(device, *kernel, made), library::arguments_of(std::array{mask.tree()}), request}));
}

const Device& BlockListPlan::device() const { return state_->plan.device(); }
std::string BlockListPlan::cuda_source() const { return state_->plan.cuda_source(); }

BlockMaskShape BlockListPlan::shape(const AttentionExtents& extents) const {
  library::check(extents);
  const BlockListRequest& request = state_->request;
  const BlockMaskShape made{.batch = extents.batch,
                            .heads = extents.heads,
                            .rows = library::tiles_in(extents.seqlen_q, request.block_q),
                            .columns = library::tiles_in(extents.seqlen_kv, request.block_kv),
                            .block_q = request.block_q,
                            .block_kv = request.block_kv};
  library::check(made);
  return made;
}

void BlockListPlan::launch(const Stream& stream, const BlockListTensors& list,
                           const AttentionExtents& extents, const BlockListArguments& given) const {
  BlockMaskShape wanted = shape(extents);
  if (list.begin.extents.size() == 3) {  // one list for all sequences, or all heads
    if (list.begin.extents[0] == 1) wanted.batch = 1;
    if (list.begin.extents[1] == 1) wanted.heads = 1;
  }
  library::check(list, wanted, true);
  std::vector<Binding> arguments;
  library::bind(list, arguments);
  arguments.emplace_back("seqlen_q", extents.seqlen_q);
  arguments.emplace_back("seqlen_kv", extents.seqlen_kv);
  library::bind_arguments(state_->arguments, given.numbers, given.tables, arguments);
  for (const ScoreTree& one : state_->arguments) {
    if (one->op != Op::load) continue;
    for (const auto& [name, table] : given.tables)
      for (std::size_t i = 0; name == one->name && i < one->extents.size(); ++i) {
        const std::int64_t length = one->extents[i] == TableExtent::seqlen_q    ? extents.seqlen_q
                                    : one->extents[i] == TableExtent::seqlen_kv ? extents.seqlen_kv
                                                                                : -1;
        if (length < 0 || i >= table.extents.size() || table.extents[i] == length) continue;
        throw Error(errors::blocks["block-list-disagrees"],
                    "table '" + name + "' has another length than the launch",
                    {name, std::to_string(table.extents[i]), std::to_string(length), ""});
      }
  }
  state_->plan.launch(stream, arguments);
}

}  // namespace tilewright

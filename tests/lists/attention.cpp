// Attention over block lists, by the public headers: lists of the host and of the device, with a
// mask and scores, shared and per head, against the formula; refusals; a captured graph.
#include "calls/captured_graph.hpp"
#include "patterns/bigbird.hpp"
#include "patterns/random_blocks.hpp"

using namespace calls;

namespace {

/// Integers in device memory.
class Integers {
 public:
  explicit Integers(const std::vector<std::int32_t>& numbers)
      : buffer_(emulator(), numbers.size() * 4) {
    buffer_.upload(numbers.data(), buffer_.bytes());
  }
  TensorView view(std::vector<std::int64_t> extents) const {
    return TensorView::contiguous(buffer_.address(), i32, std::move(extents));
  }

 private:
  Buffer buffer_;
};

oracle::Problem sized(DType dtype, long seqlen_q, long seqlen_kv, long heads = 2, long batch = 2) {
  return problem(dtype, {.batch = batch,
                         .heads = heads,
                         .kv_heads = heads / 2,
                         .seqlen_q = seqlen_q,
                         .seqlen_kv = seqlen_kv,
                         .head_dim = 32,
                         .value_dim = 48});
}

void check_launch(const AttentionPlan& plan, const oracle::Problem& p, DType dtype,
                  const BlockListTensors& blocks,
                  std::vector<std::pair<std::string, TensorView>> tables = {}) {
  Tensors tensors(p, dtype);
  tensors.views.blocks = blocks;
  tensors.views.tables = std::move(tables);
  plan.launch(Stream::default_stream(emulator()), tensors.views);
  check_results(p, dtype, tensors.out.numbers(), tensors.lse.numbers());
  CHECK(faults() == "[]");
}

}  // namespace

TEST_CASE("random blocks of every type and several sizes, shared and per head") {
  for (const DType dtype : {bf16, f16, f32})
    for (const auto& [block_q, block_kv, rows, keys] :
         {std::array{64, 64, 150, 200}, {32, 128, 65, 300}, {128, 16, 130, 50}}) {
      CAPTURE(static_cast<int>(dtype));
      CAPTURE(block_q);
      const auto plan = Attention{}
                            .blocks(block_q, block_kv)
                            .compile(emulator(), {.dtype = dtype, .head_dim = 32, .value_dim = 48});
      CHECK(plan.program().tile_q() == block_q);
      CHECK(plan.program().tile_kv() == block_kv);
      for (const bool shared : {true, false}) {
        auto p = sized(dtype, rows, keys);
        const BlockMask mask = library::random_blocks({.batch = shared ? 1 : 2,
                                                       .heads = shared ? 1 : 2,
                                                       .rows = (rows + block_q - 1) / block_q,
                                                       .columns = (keys + block_kv - 1) / block_kv,
                                                       .block_q = block_q,
                                                       .block_kv = block_kv},
                                                      0.4, 5);
        const int by_q = block_q, by_kv = block_kv;
        p.visible = [&mask, by_q, by_kv](long b, long h, long q, long k) {
          return mask.visits(b, h, q / by_q, k / by_kv);
        };
        const BlockListMemory list(emulator(), mask);
        check_launch(plan, p, dtype, list.tensors(2, 2));
      }
    }
}

TEST_CASE("all blocks are what attention without a list gives, bit for bit") {
  const auto p = sized(bf16, 200, 333);
  const AttentionRequest request{
      .head_dim = 32, .value_dim = 48, .schedule = "tile q 64\ntile kv 64"};
  const auto dense = Attention{}.compile(emulator(), request);
  const auto blocks = Attention{}.blocks(64, 64).compile(emulator(), request);
  const std::vector<std::uint8_t> every(4 * 6, 1);
  const BlockListMemory list(emulator(), BlockMask::from_dense({.rows = 4, .columns = 6}, every));
  const Tensors one(p, bf16), other(p, bf16);
  dense.launch(Stream::default_stream(emulator()), one.views);
  AttentionTensors listed = other.views;
  listed.blocks = list.tensors(2, 2);
  blocks.launch(Stream::default_stream(emulator()), listed);
  CHECK(one.out.numbers() == other.out.numbers());
  CHECK(one.lse.numbers() == other.lse.numbers());
}

TEST_CASE("BigBird with a ragged last block, alone and causal, with softcap") {
  const library::BigBird pattern{.seqlen = 300, .heads = 2, .block = 32, .random_blocks = 2};
  const BlockMask mask = library::bigbird(pattern, library::bigbird_random_blocks(pattern, 1));
  const BlockListMemory list(emulator(), mask);
  auto p = sized(bf16, 300, 300);
  p.visible = [&](long, long h, long q, long k) { return mask.visits(0, h, q / 32, k / 32); };
  check_launch(Attention{}.blocks(32, 32).compile(emulator(), {.head_dim = 32, .value_dim = 48}), p,
               bf16, list.tensors(2, 2));
  p.visible = [&](long, long h, long q, long k) {
    return k <= q && mask.visits(0, h, q / 32, k / 32);
  };
  p.score = [](double s, long, long, long, long) { return 5 * std::tanh(s / 5); };
  check_launch(Attention{}
                   .mask(causal())
                   .score(softcap(5))
                   .blocks(32, 32)
                   .compile(emulator(), {.head_dim = 32, .value_dim = 48}),
               p, bf16, list.tensors(2, 2));
}

TEST_CASE("the device makes the list of a mask that reads tables; the graph of both is captured") {
  const long rows = 140, keys = 210;
  const IndexTable own("row_document", {TableExtent::batch, TableExtent::seqlen_q}),
      of("key_document", {TableExtent::batch, TableExtent::seqlen_kv});
  const Mask mask([&](const Index& b, const Index& h, const Index& q, const Index& k) {
    return own(b, q) == of(b, k) || (h == 1 && k < Index::scalar("sink", 0));
  });
  auto p = sized(f16, rows, keys);
  std::vector<std::int32_t> row_document, key_document;
  for (long b = 0; b < 2; ++b) {
    for (long q = 0; q < rows; ++q) row_document.push_back(static_cast<int>((q + 9 * b) / 50));
    for (long k = 0; k < keys; ++k) key_document.push_back(static_cast<int>((k + 5 * b) / 75 + b));
  }
  p.visible = [&](long b, long h, long q, long k) {
    return row_document[static_cast<std::size_t>(b * rows + q)] ==
               key_document[static_cast<std::size_t>(b * keys + k)] ||
           (h == 1 && k < 3);
  };
  const Integers row_table(row_document), key_table(key_document);
  const std::vector<std::pair<std::string, TensorView>> tables = {
      {"row_document", row_table.view({2, rows})}, {"key_document", key_table.view({2, keys})}};
  const auto make = compile_block_list(emulator(), mask, {.block_q = 32, .block_kv = 64});
  const auto plan = Attention{}.mask(mask).blocks(32, 64).compile(
      emulator(), {.dtype = f16, .head_dim = 32, .value_dim = 48});
  const AttentionExtents extents{2, 2, 1, rows, keys};
  const BlockListMemory list(emulator(), make.shape(extents));

  Tensors tensors(p, f16);
  AttentionTensors given = tensors.views;
  given.blocks = list.tensors(2, 2);
  given.tables = tables;
  given.numbers = {{"sink", 3}};
  const Stream stream(emulator());
  run_captured(stream, [&] {
    make.launch(stream, list.tensors(2, 2), extents, {.numbers = given.numbers, .tables = tables});
    plan.launch(stream, given);
  });
  check_results(p, f16, tensors.out.numbers(), tensors.lse.numbers());
  CHECK(faults() == "[]");

  // The list itself, tile by tile.
  const BlockMaskShape shape = make.shape(extents);
  const auto lists = static_cast<std::size_t>(4 * shape.rows);
  std::vector<std::int32_t> all(list.buffer().bytes() / 4);
  list.buffer().download(all.data(), list.buffer().bytes());
  for (std::size_t row = 0; row < lists; ++row) {
    std::vector<std::int32_t> wanted;
    const long b = static_cast<long>(row) / shape.rows / 2,
               h = static_cast<long>(row) / shape.rows % 2, r = static_cast<long>(row) % shape.rows;
    for (long c = 0; c < shape.columns; ++c) {
      long shown = 0, pairs = 0;
      for (long q = 32 * r; q < std::min(rows, 32 * r + 32); ++q)
        for (long k = 64 * c; k < std::min(keys, 64 * c + 64); ++k, ++pairs)
          shown += p.visible(b, h, q, k);
      if (shown > 0) wanted.push_back(static_cast<std::int32_t>(shown == pairs ? c : ~c));
    }
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(2 * lists);
    CHECK(std::vector<std::int32_t>(begin + all[row], begin + all[lists + row]) == wanted);
  }
}

TEST_CASE("a mask without tables, one list for all sequences and heads") {
  auto p = sized(bf16, 100, 170);
  p.visible = [](long, long, long q, long k) { return k <= q + 70 && q + 70 - k < 40; };
  const Mask mask = sliding_window(40);
  const auto make = compile_block_list(emulator(), mask);
  const BlockListMemory list(emulator(), make.shape({1, 1, 1, 100, 170}));
  make.launch(Stream::default_stream(emulator()), list.tensors(1, 1), {2, 2, 1, 100, 170});
  check_launch(
      Attention{}.mask(mask).blocks(64, 64).compile(emulator(), {.head_dim = 32, .value_dim = 48}),
      p, bf16, list.tensors(2, 2));
  // Every key: no tile is cut, and none is left out.
  const auto everything = compile_block_list(emulator(), Mask(), {.block_q = 16, .block_kv = 16});
  const BlockListMemory full(emulator(), everything.shape({1, 1, 1, 20, 40}));
  everything.launch(Stream::default_stream(emulator()), full.tensors(1, 1), {1, 1, 1, 20, 40});
  std::vector<std::int32_t> all(full.buffer().bytes() / 4);
  full.buffer().download(all.data(), full.buffer().bytes());
  CHECK(all == std::vector<std::int32_t>{0, 3, 3, 6, 0, 1, 2, 0, 1, 2});
}

TEST_CASE("a list that does not fit the launch is refused by name") {
  const auto p = sized(bf16, 100, 170);
  const auto plan =
      Attention{}.blocks(64, 32).compile(emulator(), {.head_dim = 32, .value_dim = 48});
  const BlockMaskShape shape{.heads = 2, .rows = 2, .columns = 6, .block_q = 64, .block_kv = 32};
  const BlockListMemory list(emulator(), shape);
  const Tensors tensors(p, bf16);
  const auto refuses = [&](ErrorKind kind, const char* id, const char* name, auto change) {
    AttentionTensors wrong = tensors.views;
    wrong.blocks = list.tensors(2, 2);
    change(wrong.blocks);
    const Error error =
        refused(kind, name, [&] { plan.launch(Stream::default_stream(emulator()), wrong); });
    CHECK(std::string(error.id()) == id);
  };
  using L = BlockListTensors;
  const auto shapes = ErrorKind::shape_mismatch;
  const char* disagrees = "block-list-disagrees";
  refuses(ErrorKind::invalid_argument, "block-list-missing", "blocks.begin", [](L& l) { l = {}; });
  refuses(ErrorKind::invalid_argument, "block-list-missing", "blocks.end",
          [](L& l) { l.end = {}; });
  refuses(ErrorKind::invalid_argument, "block-list-missing", "blocks.tiles",
          [](L& l) { l.tiles = l.begin; });
  refuses(shapes, disagrees, "block_q", [](L& l) { l.block_q = 128; });
  refuses(shapes, disagrees, "block_kv", [](L& l) { l.block_kv = 64; });
  refuses(shapes, disagrees, "columns", [](L& l) { l.columns = 7; });
  refuses(shapes, disagrees, "blocks.begin", [](L& l) { l.begin.extents[2] = 3; });
  refuses(shapes, disagrees, "blocks.end", [](L& l) { l.end.extents[1] = 1; });
  refuses(shapes, disagrees, "blocks.end", [](L& l) { l.end.extents[0] = 3; });
  refused(shapes, "heads", [&] { (void)list.tensors(2, 3); });
  refused(ErrorKind::invalid_argument, "blocks_tiles", [&] {
    AttentionTensors wrong = tensors.views;
    wrong.blocks = list.tensors(2, 2);
    wrong.blocks.tiles.dtype = f32;
    plan.launch(Stream::default_stream(emulator()), wrong);
  });

  const auto dense = Attention{}.compile(emulator(), {.head_dim = 32, .value_dim = 48});
  AttentionTensors needless = tensors.views;
  needless.blocks = list.tensors(2, 2);
  refused(ErrorKind::invalid_argument, "blocks",
          [&] { dense.launch(Stream::default_stream(emulator()), needless); });
  refused(ErrorKind::invalid_argument, "block_q", [] { (void)Attention{}.blocks(24, 64); });
  refused(ErrorKind::invalid_argument, "block_kv", [] { (void)Attention{}.blocks(64, 0); });
  refused(ErrorKind::invalid_argument, "tile q", [] {
    (void)Attention{}.blocks(64, 64).program("sm_80", {.head_dim = 32, .schedule = "tile q 128"});
  });
}

TEST_CASE("a maker of lists refuses what it is wrongly given") {
  refused(ErrorKind::invalid_argument, "block_kv",
          [] { (void)compile_block_list(emulator(), causal(), {.block_kv = 20}); });
  const IndexTable table("document", {TableExtent::seqlen_kv});
  const auto make = compile_block_list(
      emulator(), Mask([&](const Index& q, const Index& k) { return table(k) == q; }));
  const AttentionExtents extents{1, 1, 1, 100, 100};
  const BlockListMemory list(emulator(), make.shape(extents));
  const Integers documents(std::vector<std::int32_t>(120, 1));
  const Stream stream = Stream::default_stream(emulator());
  const auto launches = [&](BlockListTensors to, std::int64_t length) {
    return [&make, &stream, &documents, extents, to, length] {
      make.launch(stream, to, extents, {.tables = {{"document", documents.view({length})}}});
    };
  };
  CHECK_NOTHROW(launches(list.tensors(1, 1), 100)());
  emulator().synchronize();
  refused(ErrorKind::shape_mismatch, "document", launches(list.tensors(1, 1), 120));
  refused(ErrorKind::invalid_argument, "document",
          [&] { make.launch(stream, list.tensors(1, 1), extents); });
  BlockListTensors small = list.tensors(1, 1);
  small.tiles.extents[0] = 3;
  refused(ErrorKind::shape_mismatch, "blocks.tiles", launches(small, 100));
  refused(ErrorKind::unsupported, "columns", [&] {
    (void)make.shape({1, 1, 1, 1 << 24, 1 << 24});
  });
}

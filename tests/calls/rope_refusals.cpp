// The tables of rotary positions, and what is refused.
#include "rope_case.hpp"

using namespace calls;
using namespace calls::rope;

TEST_CASE("frequencies and tables") {
  const auto frequencies = rope_inv_freq(8);
  REQUIRE(frequencies.size() == 4);
  check_near(frequencies, {1, 0.1, 0.01, 0.001}, 1e-15);
  check_near(rope_inv_freq(4, 100), {1, 0.1}, 1e-15);
  // The slowest pair turns `scale` times as slowly, the fastest as fast.
  const auto slow = rope_inv_freq(8, rope_ntk_base(8, 4));
  CHECK(slow[0] == 1);
  CHECK(slow[3] == doctest::Approx(0.001 / 4));
  const RopeTables tables = rope_tables(frequencies, 3, {.position_scale = 0.5});
  CHECK(tables.positions == 3);
  CHECK(tables.pairs == 4);
  REQUIRE(tables.cosine.size() == 12);
  CHECK(tables.cosine[2 * 4 + 1] == static_cast<float>(std::cos(0.4)));
  CHECK(tables.sine[2 * 4 + 1] == static_cast<float>(std::sin(0.4)));
  CHECK(rope_tables(frequencies, 0).cosine.empty());
}

TEST_CASE("what rotary positions refuse") {
  const auto program = [](Rope rope, std::int64_t head_dim) {
    return [=] { (void)Attention{}.rope(rope).program("sm_80", {.head_dim = head_dim}); };
  };
  const auto dim = [&](std::int64_t value, std::int64_t head_dim) {
    const Error error =
        refused(ErrorKind::invalid_argument, "rope.dim", program({.dim = value}, head_dim));
    CHECK(std::string(error.id()) == "rope-dim-unusable");
    return error.value();
  };
  CHECK(dim(0, 7) == "7");
  CHECK(dim(66, 64) == "66");
  CHECK(dim(-2, 64) == "-2");
  CHECK(dim(5, 64) == "5");

  const Case c = sized(bf16, {.seqlen_q = 9, .seqlen_kv = 12, .head_dim = 16, .value_dim = 16});
  const AttentionPlan plan = compiled(Attention{}, c, bf16);
  const Error short_table =
      refused(ErrorKind::shape_mismatch, "rope_cos", [&] { run(plan, c, bf16, 11); });
  CHECK(std::string(short_table.id()) == "rope-positions-too-few");
  CHECK(short_table.allowed() == "at least 12");
  const Tensors tensors(c.problem, bf16);
  const auto launch = [&](std::vector<std::pair<std::string, TensorView>> tables) {
    AttentionTensors given = tensors.views;
    given.tables = std::move(tables);
    plan.launch(Stream::default_stream(emulator()), given);
  };
  const Tables tables(c, 12);
  refused(ErrorKind::invalid_argument, "rope_cos", [&] { launch({}); });
  refused(ErrorKind::invalid_argument, "rope_sin", [&] { launch({tables.views[0]}); });
  auto narrow = tables.views;
  narrow[0].second.extents[1] = 7;
  refused(ErrorKind::shape_mismatch, "rope_cos", [&] { launch(narrow); });
  auto more = tables.views;
  more.emplace_back("positions_q", tables.views[0].second);
  refused(ErrorKind::invalid_argument, "positions_q", [&] { launch(more); });

  const Error listed = refused(ErrorKind::unsupported, "rope", [] {
    (void)Attention{}.rope().blocks(64, 64).program("sm_80", {.head_dim = 64});
  });
  CHECK(std::string(listed.id()) == "rope-over-list");

  const auto number = [](const char* argument, const auto& action) {
    const Error error = refused(ErrorKind::invalid_argument, argument, action);
    CHECK(std::string(error.id()) == "rope-number-unusable");
  };
  number("dim", [] { rope_inv_freq(3); });
  number("dim", [] { rope_inv_freq(0); });
  number("base", [] { rope_inv_freq(4, 0); });
  number("dim", [] { rope_ntk_base(2, 4); });
  number("scale", [] { rope_ntk_base(8, NAN); });
  number("positions", [] { rope_tables(rope_inv_freq(4), -1); });
  number("inv_freq", [] { rope_tables({}, 4); });
  number("position_scale", [] { rope_tables(rope_inv_freq(4), 4, {.position_scale = 0}); });
  number("temperature", [] { rope_tables(rope_inv_freq(4), 4, {.temperature = -1}); });
}

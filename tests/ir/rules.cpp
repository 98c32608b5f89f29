// The verifier: good kernels pass, and each way of breaking one is refused with its own words.
#include <doctest/doctest.h>

#include "ir/print.hpp"
#include "softmax_kernel.hpp"
#include "tilewright/error.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

using Break = std::function<void(ir::Kernel&)>;

/// The verifier's sentence for a broken kernel.
std::string sentence(const Break& break_it, const MaskMaker& mask = bottom_right) {
  ir::Kernel kernel = softmax_kernel({}, mask);
  break_it(kernel);
  try {
    verify(kernel, "some_pass");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_program);
    CHECK(std::string(error.id()) == "kernel-inconsistent");
    return error.what();
  }
  return "accepted";
}

ir::Operation& find(ir::Region& region, Op op) {
  for (auto& operation : region.operations)
    if (operation->op == op) return *operation;
  FAIL("no such operation");
  return *region.operations[0];
}
ir::Operation& loop(ir::Kernel& kernel) { return find(kernel.body, Op::for_blocks); }
ir::Region& body(ir::Kernel& kernel) { return *loop(kernel).regions[1]; }

#define REFUSES(text, ...)                                       \
  do {                                                           \
    const std::string given = sentence(__VA_ARGS__);             \
    CAPTURE(given);                                              \
    CHECK(given.find("after some_pass: ") != std::string::npos); \
    CHECK(given.find(text) != std::string::npos);                \
  } while (false)

}  // namespace

TEST_CASE("good kernels pass, and a copy is independent") {
  CHECK(sentence([](ir::Kernel&) {}) == "accepted");
  CHECK(sentence([](ir::Kernel&) {}, nullptr) == "accepted");
  ir::Kernel kernel = softmax_kernel({}, bottom_right);
  const ir::Kernel copy = kernel.clone();
  CHECK(print(copy) == print(kernel));
  body(kernel).operations.clear();
  CHECK(print(copy) != print(kernel));
  verify(copy, "clone");
}

TEST_CASE("definitions and regions") {
  REFUSES("is used before it is defined", [](ir::Kernel& k) {
    auto& ops = body(k).operations;
    std::swap(ops[0], ops[1]);
  });
  REFUSES("is used outside the region that defines it", [](ir::Kernel& k) {
    find(k.body, Op::log2).operands[0] = body(k).operations[0]->results[0];
  });
  REFUSES("is defined twice", [](ir::Kernel& k) {
    std::vector<ir::Operation*> constants;
    for (auto& operation : k.body.operations)
      if (operation->op == Op::constant) constants.push_back(operation.get());
    constants[1]->results = constants[0]->results;
  });
  REFUSES("does not end in a yield", [](ir::Kernel& k) { body(k).operations.pop_back(); });
  REFUSES("a yield that does not end", [](ir::Kernel& k) {
    auto& ops = body(k).operations;
    std::swap(ops[ops.size() - 1], ops[ops.size() - 2]);
  });
  REFUSES("its body yields 2 values of 3",
          [](ir::Kernel& k) { body(k).operations.back()->operands.pop_back(); });
  REFUSES("carries 3 values in", [](ir::Kernel& k) { loop(k).results.pop_back(); });
  REFUSES("changes its type on the way", [](ir::Kernel& k) {
    std::swap(body(k).operations.back()->operands[0], body(k).operations.back()->operands[2]);
  });
  REFUSES("is not the axis's block number", [](ir::Kernel& k) {
    k.axes[static_cast<std::size_t>(loop(k).axis)].block = k.axes[0].block;
  });
  REFUSES("does not run over a loop axis", [](ir::Kernel& k) { loop(k).axis = 0; });
  REFUSES("does not yield one b1 tile", [](ir::Kernel& k) {
    auto& mask = *loop(k).regions[0];
    mask.operations.back()->operands[0] = mask.operations[0]->results[0];
  });
  REFUSES("does not exist", [](ir::Kernel& k) { find(body(k), Op::mul).operands[1] = 10000; });
}

TEST_CASE("types and arities") {
  REFUSES("takes 2 operands", [](ir::Kernel& k) { find(body(k), Op::mul).operands.pop_back(); });
  REFUSES("operands of f32 and bf16", [](ir::Kernel& k) {
    find(body(k), Op::mul).operands[1] = find(k.body, Op::load).results[0];
  });
  REFUSES("its operands give f32[q:16, kv:16]", [](ir::Kernel& k) {
    k.values[static_cast<std::size_t>(find(body(k), Op::mul).results[0])].type.axes.pop_back();
  });
  REFUSES("must have the axis", [](ir::Kernel& k) { find(body(k), Op::dot).axis = 0; });
  REFUSES("has no axis 'd'", [](ir::Kernel& k) { find(body(k), Op::reduce_max).axis = 2; });
  REFUSES("the condition is not b1", [](ir::Kernel& k) {
    auto& select = find(k.body, Op::select);
    select.operands[0] = select.operands[1];
  });
  REFUSES("the stored tile is",
          [](ir::Kernel& k) { find(k.body, Op::store).operands[0] = loop(k).results[0]; });
  REFUSES("'q' is an input", [](ir::Kernel& k) { find(k.body, Op::store).name = "q"; });
  REFUSES("'out' is an output", [](ir::Kernel& k) { find(k.body, Op::load).name = "out"; });
  REFUSES("there is no tensor 'none'", [](ir::Kernel& k) { find(k.body, Op::load).name = "none"; });
  REFUSES("'q' has 3 axes, not 2",
          [](ir::Kernel& k) { find(k.body, Op::load).indices.pop_back(); });
  REFUSES("there is no scalar argument",
          [](ir::Kernel& k) { find(k.body, Op::scalar_argument).name = "q"; });
  REFUSES("has type bf16[q:16, q:16]", [](ir::Kernel& k) {
    auto& type = k.values[static_cast<std::size_t>(find(k.body, Op::load).results[0])].type;
    type.axes[1] = type.axes[0];
  });
}

TEST_CASE("what only cut tiles compute, only their conditions read") {
  REFUSES("has a value in cut tiles alone and is read elsewhere",
          [](ir::Kernel& k) { find(body(k), Op::mul).sunk = true; });
  REFUSES("is sunk and may not be", [](ir::Kernel& k) { find(k.body, Op::load).sunk = true; });
  REFUSES("is sunk and may not be", [](ir::Kernel& k) { find(body(k), Op::dot).sunk = true; });
}

TEST_CASE("copies are waited for") {
  // A buffer, a copy into it, a wait, and a read of it.
  const auto staged = [](bool with_wait, bool wait_first) {
    KernelBuilder b("staged");
    b.tensor(Argument::Kind::in, "x", DType::f16, {"n"});
    const ir::AxisId n = b.blocks("n", 8);
    const ir::Type tile{.dtype = DType::f16, .axes = {n}};
    ir::Type buffer = tile;
    buffer.kind = ir::Type::Kind::buffer;
    const ValueId x_s = b.add(Op::shared_alloc, {}, buffer).results[0];
    auto& copy = b.add(Op::copy_async, {x_s}, {.kind = ir::Type::Kind::token});
    copy.name = "x";
    copy.indices = {b.over(n)};
    const ValueId token = copy.results[0];
    if (with_wait && wait_first) b.add(Op::wait, {token});
    b.add(Op::operand_load, {x_s}, tile);
    if (with_wait && !wait_first) b.add(Op::wait, {token});
    try {
      verify(b.kernel, "some_pass");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(staged(true, true) == "accepted");
  CHECK(staged(true, false).find("before any wait for its copies") != std::string::npos);
  CHECK(staged(false, false).find("before any wait for its copies") != std::string::npos);
}

TEST_CASE("names the emitter needs") {
  ir::Kernel kernel = softmax_kernel({}, bottom_right);
  verify_names(kernel, "name_values");
  kernel.values[static_cast<std::size_t>(find(body(kernel), Op::mul).results[0])].name.clear();
  try {
    verify_names(kernel, "name_values");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("used twice and has no name") != std::string::npos);
  }
}

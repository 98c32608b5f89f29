// Memsets and copies as steps of a plan: in their place among the kernels, refused where one range
// of bytes would not do.
#include "plan_kernels.hpp"

using namespace plans;

TEST_CASE("a memset zeroes what the kernels after it read, and nothing before it") {
  const Device& device = emulator();
  auto read_b = kernel("read_b", [](Temp<"b", f32, R, C> B, Out<"z", f32, R, C> Z) {
    auto r = each(R);
    auto c = blocks(C);
    store(Z(r, c), load(B(r, c)) + 7.f);
  });
  auto early = kernel("early", [](Temp<"b", f32, R, C> B, Out<"y", f32, R, C> Y) {
    auto r = each(R);
    auto c = blocks(C);
    store(Y(r, c), load(B(r, c)));
  });
  Plan plan{compile(device, twice), compile(device, plus_one), compile(device, early),
            zero(device, Temp<"b", f32, R, C>{}), compile(device, read_b)};
  CHECK(plan.kernels() == 4);
  plan.reserve({{R, 5}, {C, 77}});
  const Floats x(5, 77, 2), y(5, 77, 0), z(5, 77, 0);
  plan.launch(Stream::default_stream(device), {{"x", x.view()}, {"y", y.view()}, {"z", z.view()}});
  const auto before = y.values(), after = z.values();
  for (std::size_t i = 0; i < after.size(); ++i) {
    CHECK(before[i] == 2 * x.at(i) + 1);
    CHECK(after[i] == 7);
  }
  CHECK(std::string(device.emulator()->faults()) == "[]");
}

TEST_CASE("an output is zeroed, if it is given and has no gaps") {
  const Device& device = emulator();
  const Plan plan = zero(device, Out<"y", f32, R, C>{});
  CHECK(plan.kernels() == 0);
  const Floats y(6, 10, 3);
  const Stream stream = Stream::default_stream(device);
  TensorView view = y.view();
  view.extents = {5, 10};
  plan.launch(stream, {{"y", view}});
  auto values = y.values();
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == (i < 50 ? 0 : y.at(i)));
  view.extents = {10, 5}, view.strides = {1, 10};  // columns first: still one range
  plan.launch(stream, {{"y", view}});
  view.extents = {6, 9}, view.strides = {10, 1};
  const Error error = refused(errors::plan["transfer-not-contiguous"], "y", [&] {
    plan.launch(stream, {{"y", view}});
  });
  CHECK(says(error, "has gaps"));
  view.extents = {0, 9};
  plan.launch(stream, {{"y", view}});
  const Plan optional{compile(device, kernel("other",
                                             [](In<"x", f32, R, C> X, Out<"z", f32, R, C> Z) {
                                               auto r = each(R);
                                               auto c = blocks(C);
                                               store(Z(r, c), load(X(r, c)));
                                             })),
                      plan};
  optional.launch(stream, {{"x", y.view()}});  // neither output is wanted
}

TEST_CASE("a copy takes a tensor into a Temp and out of it, rows as they lie") {
  const Device& device = emulator();
  // 77 floats are no multiple of 16 bytes: a copied Temp has no padding.
  Plan plan{copy(device, In<"x", f32, R, C>{}, Temp<"a", f32, R, C>{}), compile(device, plus_one),
            copy(device, Temp<"b", f32, R, C>{}, Out<"y", f32, R, C>{})};
  plan.reserve({{R, 5}, {C, 77}});
  const Floats x(5, 77, 2), y(5, 77, 0);
  const Stream stream = Stream::default_stream(device);
  plan.launch(stream, {{"x", x.view()}, {"y", y.view()}});
  const auto values = y.values();
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == x.at(i) + 1);

  const Plan plain = copy(device, In<"x", f32, R, C>{}, Out<"y", f32, R, C>{});
  TensorView turned = y.view();
  turned.strides = {1, 5};
  const Error other = refused(errors::plan["transfer-not-contiguous"], "y", [&] {
    plain.launch(stream, {{"x", x.view()}, {"y", turned}});
  });
  CHECK(says(other, "in another order than 'x'"));
  TensorView gaps = x.view();
  gaps.strides = {0, 1};
  refused(errors::plan["transfer-not-contiguous"], "x", [&] {
    plain.launch(stream, {{"x", gaps}, {"y", y.view()}});
  });
  refused(errors::plan["copy-type-disagrees"], "y",
          [&] { copy(device, In<"x", f32, R, C>{}, Out<"y", f16, R, C>{}); });
  refused(errors::plan["copy-dimensions-disagree"], "y",
          [&] { copy(device, In<"x", f32, R, C>{}, Out<"y", f32, C, R>{}); });
  refused(errors::plan["transfer-takes-tensors"], "x",
          [&] { copy(device, In<"x", f32, R, C>{}, Out<"x", f32, R, C>{}); });
}

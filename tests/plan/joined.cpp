// Plan{a, b, c}: what names mean across parts, and what is refused when they disagree.
#include "plan_kernels.hpp"

using namespace plans;

namespace {

template <typename X, typename Y>
auto copying(const char* name) {
  return kernel(name, [](X x, Y y) {
    auto r = each(R);
    auto c = blocks(C);
    store(y(r, c), load(x(r, c)));
  });
}

}  // namespace

TEST_CASE("an output of one part is an input of the next, and must then be given") {
  const Device& device = emulator();
  const Plan plan{compile(device, copying<In<"x", f32, R, C>, Out<"y", f32, R, C>>("first")),
                  compile(device, copying<In<"y", f32, R, C>, Out<"z", f32, R, C>>("second"))};
  CHECK(plan.kernels() == 2);
  CHECK(plan.program(1).traced.name == "second");
  const Floats x(3, 50, 4), y(3, 50, 0), z(3, 50, 0);
  const Stream stream = Stream::default_stream(device);
  plan.launch(stream, {{"z", z.view()}, {"x", x.view()}, {"y", y.view()}});
  CHECK(z.values() == x.values());
  const Error error = refused(errors::plan["launch-argument-missing"], "y", [&] {
    plan.launch(stream, {{"x", x.view()}, {"z", z.view()}});
  });
  CHECK(says(error, "the plan of kernel 'first', kernel 'second' needs argument 'y'"));
  refused(errors::plan["plan-kernel-unknown"], "kernel", [&] { (void)plan.program(2); });
}

TEST_CASE("plans of plans, and one part twice") {
  const Device& device = emulator();
  const Plan half{compile(device, twice), compile(device, plus_one)};
  const Plan rest{compile(device, squared), compile(device, minus_three)};
  Plan whole{half, rest};
  CHECK(whole.kernels() == 4);
  CHECK(whole.workspace_bytes({{R, 3}, {C, 9}}) == chain().workspace_bytes({{R, 3}, {C, 9}}));
  Plan again{whole, whole};
  again.reserve({{R, 3}, {C, 9}});
  const Floats x(3, 9, 4), y(3, 9, 0);
  again.launch(Stream::default_stream(device), {{"x", x.view()}, {"y", y.view()}});
  const auto values = y.values();
  for (std::size_t i = 0; i < values.size(); ++i)
    CHECK(values[i] == static_cast<float>(expected(x.at(i))));
}

TEST_CASE("one dimension has one extent in all parts") {
  const Device& device = emulator();
  Plan plan{compile(device, copying<In<"x", f32, R, C>, Out<"y", f32, R, C>>("first")),
            compile(device, copying<In<"u", f32, R, C>, Out<"v", f32, R, C>>("second"))};
  const Floats x(3, 50, 4), y(3, 50, 0), u(4, 50, 0), v(4, 50, 0);
  const Error error = refused(errors::plan["extent-disagrees"], "u", [&] {
    plan.launch(Stream::default_stream(device),
                {{"x", x.view()}, {"y", y.view()}, {"u", u.view()}, {"v", v.view()}});
  });
  CHECK(says(error, "dimension 'row' has extent 4 in 'u'"));

  auto whole = kernel("whole", [](In<"x", f32, R, C> X, Out<"y", f32, R, C> Y) {
    auto r = blocks(R);
    store(Y(r, C), load(X(r, C)));
  });
  const Plan narrow = compile(device, whole, {.extents = {{C, 24}}}),
             wide = compile(device, whole, {.extents = {{C, 32}}});
  const Error bound = refused(errors::plan["extent-compiled-otherwise"], "column", [&] {
    (void)Plan{narrow, wide};
  });
  CHECK(bound.value() == "32");
  CHECK(says(bound, "24, as before it"));
}

TEST_CASE("one name is one tensor") {
  const Device& device = emulator();
  const Plan first = compile(device, copying<In<"x", f32, R, C>, Out<"y", f32, R, C>>("first"));
  const auto with = [&](const Plan& second) { return [&] { (void)Plan{first, second}; }; };
  const Plan type = compile(device, copying<In<"y", f16, R, C>, Out<"z", f16, R, C>>("half"));
  CHECK(refused(errors::plan["plan-argument-type-disagrees"], "y", with(type)).value() == "f16");
  const Plan order = compile(device, kernel("turned", [](In<"y", f32, C, R> Y, Out<"z", f32, C> Z) {
                               auto c = each(C);
                               store(Z(c), load(Y(c, 0)));
                             }));
  CHECK(refused(errors::plan["plan-argument-shape-disagrees"], "y", with(order)).value() ==
        "[column, row]");
  const Plan temporary = compile(device, copying<In<"u", f32, R, C>, Temp<"y", f32, R, C>>("temp"));
  CHECK(refused(errors::plan["plan-argument-type-disagrees"], "y", with(temporary)).value() ==
        "a Temp");
  const Plan scalar = compile(
      device, kernel("number", [](In<"u", f32, R> U, Out<"v", f32, R> V, Scalar<"y", f32> y) {
        auto r = blocks(R);
        store(V(r), load(U(r)) * y);
      }));
  CHECK(refused(errors::plan["plan-argument-type-disagrees"], "y", with(scalar)).value() ==
        "a scalar");
}

TEST_CASE("parts for different devices, a stream of another, and no part at all") {
  const Device other = Device::open("emulator:sm_90a");
  const auto source = copying<In<"x", f32, R, C>, Out<"y", f32, R, C>>("first");
  const Plan here = compile(emulator(), source), there = compile(other, source);
  const Error error = refused(errors::plan["plan-of-two-devices"], "parts", [&] {
    (void)Plan{here, there};
  });
  CHECK(error.value() == "emulator:sm_90a");
  const Floats x(3, 50, 4), y(3, 50, 0);
  refused(errors::runtime["stream-of-another-device"], "stream", [&] {
    here.launch(Stream::default_stream(other), {{"x", x.view()}, {"y", y.view()}});
  });
  refused(errors::plan["plan-of-nothing"], "parts",
          [&] { (void)Plan(std::initializer_list<Plan>{}); });
}

TEST_CASE("nothing runs when a later step is wrong") {
  // The second kernel would divide by 0: the first must not have written.
  const Device& device = emulator();
  auto divided = kernel("divided", [](In<"x", f32, R, C> X, In<"w", f32, R> W,
                                      Out<"z", f32, R, C> Z, Scalar<"group", i32> group) {
    auto r = each(R);
    auto c = blocks(C);
    store(Z(r, c), load(X(r, c)) * load(W(r / group)));
  });
  const Plan plan{compile(device, copying<In<"x", f32, R, C>, Out<"y", f32, R, C>>("first")),
                  compile(device, divided)};
  const Floats x(3, 50, 4), y(3, 50, 100), z(3, 50, 0), w(1, 3, 1);
  const TensorView weights = TensorView::contiguous(w.view().data, f32, {3});
  const auto go = [&](double group) {
    plan.launch(
        Stream::default_stream(device),
        {{"x", x.view()}, {"y", y.view()}, {"z", z.view()}, {"w", weights}, {"group", group}});
  };
  const Error error = refused(errors::ir["division-by-zero"], "div", [&] { go(0); });
  CHECK(error.where().find("joined.cpp") != std::string::npos);
  CHECK(y.values()[0] == y.at(0));
  go(2);
  CHECK(y.values() == x.values());
}

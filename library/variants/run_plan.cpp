// See run_plan.hpp.
#include "variants/run_plan.hpp"

#include <fmt/format.h>

#include <cstring>
#include <tilewright/error.hpp>

#include "attention/kernel.hpp"
#include "emit/bundle.hpp"
#include "ir/print.hpp"
#include "measure/timing.hpp"
#include "plan_state.hpp"
#include "runtime/cubin_info.hpp"
#include "variants/errors.hpp"

namespace tilewright::library {
namespace {

/// A table of the launch in device memory, as the kernel's argument wants it.
Buffer uploaded(const Device& device, const HostTable& table, DType dtype) {
  std::vector<std::byte> bytes(table.numbers.size() * 4);
  for (std::size_t i = 0; i < table.numbers.size(); ++i) {
    const auto whole = static_cast<std::int32_t>(dtype == i32 ? table.numbers[i] : 0);
    const auto real = static_cast<float>(table.numbers[i]);
    std::memcpy(bytes.data() + 4 * i, dtype == i32 ? static_cast<const void*>(&whole) : &real, 4);
  }
  Buffer buffer(device, bytes.size());
  if (!bytes.empty()) buffer.upload(bytes.data(), bytes.size());
  return buffer;
}

using Launches = std::vector<std::vector<Binding>>;

/// Of a fault: the kernel by its name, the line by the form of it that ran.
std::string source_of(const Plan& plan, const Launches& launches, const std::string& kernel,
                      int line) {
  for (std::size_t i = 0; i < plan.kernels() && !launches.empty(); ++i)
    if (plan.program(i).aligned.text.symbol == kernel)
      return plan.source_of(line, plan.runs_aligned(launches[0], i), i);
  return "";
}

std::vector<RunFault> faults_of(const Plan& plan, const Launches& launches) {
  std::vector<RunFault> faults;
  const auto* emulator = plan.device().emulator();
  if (emulator == nullptr) return faults;
  for (const auto& one : nlohmann::json::parse(emulator->faults())) {
    RunFault fault{.kind = one.at("kind"),
                   .kernel = one.at("kernel"),
                   .block = one.at("block"),
                   .thread = one.at("thread"),
                   .ptx_line = one.at("ptx_line"),
                   .source = source_of(plan, launches, one.at("kernel"), one.at("cuda_line")),
                   .message = one.at("message")};
    faults.push_back(std::move(fault));
  }
  return faults;
}

nlohmann::ordered_json counters_of(const Device& device) {
  if (device.emulator() == nullptr) return nlohmann::ordered_json::object();
  return nlohmann::ordered_json::parse(device.emulator()->counters());
}

/// The machine code, one instruction a line: number, encoding, pipe. No disassembler ships with
/// NVRTC.
std::string listing(const std::string& cubin, const std::string& kernel) {
  const auto info = runtime::inspect_cubin(cubin, kernel);
  std::string text = fmt::format("// {}: {} registers, {} bytes spilled\n", info.kernel,
                                 info.registers, info.spill_bytes());
  for (const auto& loop : info.loops())
    text += fmt::format("// loop of {} instructions a trip: {} to {}\n", loop.instructions(),
                        loop.begin, loop.end - 1);
  for (std::size_t i = 0; i < info.code.size(); ++i)
    text += fmt::format("{:5}  {:016x} {:016x}  {}\n", i, info.code[i].high, info.code[i].low,
                        name(classify(info.code[i])));
  return text;
}

}  // namespace

TensorView tensor_view(const Buffer& buffer, const AttentionShape& shape, std::int64_t heads,
                       std::int64_t length, std::int64_t dim) {
  const std::int64_t row = shape.layout == Layout::bhsd ? dim : heads * dim;
  const std::int64_t head = shape.layout == Layout::bhsd ? length * dim : dim;
  return {buffer.address(),
          shape.dtype,
          {shape.batch, heads, length, dim},
          {heads * length * dim, head, row, 1}};
}

CompileRequest compile_request(const Request& request,
                               std::map<std::string, std::int64_t> extents) {
  CompileRequest made{.extents = std::move(extents), .schedule = {}};
  if (!request.schedule.text.empty()) made.schedule = ir::read_schedule(request.schedule.text);
  // The tolerance of a check follows from the shape, so the schedule can't say otherwise.
  const DotPrecision precision = request.shape.dot_precision;
  std::string& products = made.schedule.dot_precision;
  if (!products.empty() && products != name(precision))
    throw Error(errors::variants["schedule-precision-disagrees"],
                "the schedule makes products in another precision",
                {"--dot-precision", std::string(name(precision)), products, "--schedule"});
  if (precision == DotPrecision::tf32) products = name(precision);
  const auto number = [](const std::optional<std::int64_t>& given) {
    return static_cast<int>(given.value_or(0));
  };
  if (request.schedule.tile_q) made.schedule.tile["q"] = number(request.schedule.tile_q);
  if (request.schedule.tile_kv) made.schedule.tile["kv"] = number(request.schedule.tile_kv);
  if (request.schedule.stages) made.schedule.stages = number(request.schedule.stages);
  if (request.schedule.warps) made.schedule.warps = number(request.schedule.warps);
  return made;
}

RunResult run_plan(Plan plan, const Request& request, const Inputs& inputs,
                   const MoreArguments& more) {
  const AttentionShape& shape = request.shape;
  const Device& device = plan.device();
  RunResult result;
  result.device = device.spec();
  result.arch = device.architecture();
  result.out.resize(static_cast<std::size_t>(shape.out_elements()) *
                    static_cast<std::size_t>(size_of(shape.dtype)));
  result.lse.resize(static_cast<std::size_t>(shape.lse_elements()));
  const auto upload = [&](std::span<const std::byte> bytes) {
    Buffer buffer(device, bytes.size());
    if (!bytes.empty()) buffer.upload(bytes.data(), bytes.size());
    return buffer;
  };
  const Buffer q = upload(inputs.q), k = upload(inputs.k), v = upload(inputs.v);
  const Buffer out(device, result.out.size()), lse(device, result.lse.size() * sizeof(float));
  std::vector<Binding> bindings = {
      {"q", tensor_view(q, shape, shape.heads, shape.seqlen_q, shape.head_dim)},
      {"k", tensor_view(k, shape, shape.kv_heads, shape.seqlen_kv, shape.head_dim)},
      {"v", tensor_view(v, shape, shape.kv_heads, shape.seqlen_kv, shape.value_dim)},
      {"out", tensor_view(out, shape, shape.heads, shape.seqlen_q, shape.value_dim)},
      {"lse", TensorView::contiguous(lse.address(), DType::f32,
                                     {shape.batch, shape.heads, shape.seqlen_q})},
      {"softmax_scale", shape.softmax_scale}};
  std::vector<Buffer> kept;
  for (const ScoreTree& one : more.arguments) {
    if (one->op == Op::scalar_argument) {
      bindings.emplace_back(one->name, one->constant);
      continue;
    }
    const HostTable& table = more.tables.at(one->name);
    kept.push_back(uploaded(device, table, one->dtype));
    bindings.emplace_back(one->name,
                          TensorView::contiguous(kept.back().address(), one->dtype, table.extents));
  }
  if (!more.launches) plan.reserve(kernel_extents(shape));  // a kernel alone has no workspace

  if (device.emulator() != nullptr) device.emulator()->reset();
  const Stream stream = Stream::default_stream(device);
  if (more.before) {
    more.before(stream, bindings);
    device.synchronize();
    if (result.faults = faults_of(plan, {}); !result.faults.empty()) return result;
    if (device.emulator() != nullptr) device.emulator()->reset();
  }
  const auto launches = more.launches ? more.launches(bindings) : Launches{bindings};
  const auto launch = [&] {
    PlanState::launch_each(plan, stream, launches, {});
    if (more.after) more.after(stream, bindings);
  };
  launch();
  bool complete = true;
  try {
    device.synchronize();
  } catch (const Error&) {
    complete = false;
    if (faults_of(plan, launches).empty()) throw;
  }
  if (complete && !result.out.empty()) out.download(result.out.data(), result.out.size());
  if (complete && !result.lse.empty())
    lse.download(result.lse.data(), result.lse.size() * sizeof(float));
  result.faults = faults_of(plan, launches);
  result.counters = counters_of(device);
  if (device.is_emulator() || request.timed == 0) return result;
  const int calls = calls_of_a_millisecond(stream, launch);
  for (int i = 0; i < request.timed; ++i)
    result.milliseconds.push_back(milliseconds_of(stream, calls, launch));
  return result;
}

std::string dump_programs(const std::vector<Program>& programs, const std::string& name,
                          const std::string& arch, Stage stage) {
  std::vector<emit::Bundled> kernels;
  for (const Program& one : programs) kernels.push_back({&one.traced, &one.aligned.text});
  const auto image = [&](runtime::ImageKind kind) {
    return runtime::compile_image(
               programs.size() == 1 ? programs[0].aligned.text.text : emit::bundle(kernels), name,
               arch, kind,
               programs.size() == 1 ? compile_options(programs[0].aligned.text) : compile_options())
        .bytes;
  };
  const auto each = [&](const auto& text_of) {
    std::string text;
    for (const Program& one : programs) {
      if (programs.size() > 1)
        text += (text.empty() ? "# kernel " : "\n# kernel ") + one.traced.name + "\n";
      text += text_of(one);
    }
    return text;
  };
  switch (stage) {
    case Stage::dsl: return each([](const Program& one) { return ir::print(one.traced); });
    case Stage::ir:
      return each([](const Program& one) { return ir::print(one.aligned.scheduled); });
    case Stage::schedule:
      return each([](const Program& one) { return ir::print(one.aligned.schedule); });
    case Stage::cuda: return emit::bundle(kernels);
    case Stage::ptx: return image(runtime::ImageKind::ptx);
    case Stage::cubin: return image(runtime::ImageKind::cubin);
    case Stage::sass: {
      const std::string cubin = image(runtime::ImageKind::cubin);
      std::string text;
      for (const Program& one : programs) text += listing(cubin, one.aligned.text.symbol);
      return text;
    }
  }
  return {};
}

}  // namespace tilewright::library

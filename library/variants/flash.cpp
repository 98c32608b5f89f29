// The variant `flash`: exact attention in one pass over the keys, causal or not, any ratio of query
// to kv heads. The one file that joins the table of variants with the compiler: a Request becomes a
// kernel, a schedule and a plan; the plan's launch becomes a RunResult.
// See variant.hpp for what each answer means; the kernel itself is loops/flash_forward.hpp.
#include <fmt/format.h>

#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>

#include "emit/standalone.hpp"
#include "ir/print.hpp"
#include "loops/flash_forward.hpp"
#include "passes/analyze_masks.hpp"
#include "runtime/cubin_info.hpp"
#include "variants/table.hpp"

namespace tilewright::library {
namespace {

template <DType T>
std::unique_ptr<KernelSource> kernel_of(const AttentionShape& shape) {
  const auto keep = [](auto made) { return std::make_unique<decltype(made)>(std::move(made)); };
  if (!shape.causal) return keep(flash_forward<T>(everything));
  if (shape.causal_alignment == CausalAlignment::top_left)
    return keep(flash_forward<T>(causal_top_left));
  return keep(flash_forward<T>(causal_bottom_right));
}

std::unique_ptr<KernelSource> kernel_of(const AttentionShape& shape) {
  if (shape.dtype == DType::bf16) return kernel_of<DType::bf16>(shape);
  if (shape.dtype == DType::f16) return kernel_of<DType::f16>(shape);
  throw Error(ErrorKind::unsupported, "flash has no kernel for this element type",
              {"--dtype", std::string(name(shape.dtype)), "bf16, f16", ""});
}

CompileRequest compile_request(const Request& request) {
  CompileRequest made{.extents = {{D, request.shape.head_dim}, {E, request.shape.value_dim}},
                      .schedule = {}};
  if (!request.schedule.text.empty()) made.schedule = ir::read_schedule(request.schedule.text);
  const auto number = [](const std::optional<std::int64_t>& given) {
    return static_cast<int>(given.value_or(0));
  };
  if (request.schedule.tile_q) made.schedule.tile[M] = number(request.schedule.tile_q);
  if (request.schedule.tile_kv) made.schedule.tile[N] = number(request.schedule.tile_kv);
  if (request.schedule.stages) made.schedule.stages = number(request.schedule.stages);
  if (request.schedule.warps) made.schedule.warps = number(request.schedule.warps);
  return made;
}

/// A contiguous tensor of the shape's layout, seen as [batch, head, length, dim].
TensorView view(const Buffer& buffer, const AttentionShape& shape, std::int64_t heads,
                std::int64_t length, std::int64_t dim) {
  const std::int64_t row = shape.layout == Layout::bhsd ? dim : heads * dim;
  const std::int64_t head = shape.layout == Layout::bhsd ? length * dim : dim;
  return {buffer.address(),
          shape.dtype,
          {shape.batch, heads, length, dim},
          {heads * length * dim, head, row, 1}};
}

const ir::Operation* find_loop(const ir::Kernel& kernel) {
  for (const auto& operation : kernel.body.operations)
    if (operation->op == Op::for_blocks) return operation.get();
  return nullptr;
}

BlockCounts count(const Program& program, const AttentionShape& shape) {
  const ir::Kernel& kernel = program.aligned.scheduled;
  const std::map<std::string, std::int64_t> extents = {
      {"extent(batch)", shape.batch},      {"extent(q_head)", shape.heads},
      {"extent(kv_head)", shape.kv_heads}, {"extent(q)", shape.seqlen_q},
      {"extent(kv)", shape.seqlen_kv},     {"extent(d)", shape.head_dim},
      {"extent(e)", shape.value_dim}};
  const auto counts = passes::count_blocks(
      kernel, *find_loop(kernel), [&](const std::string& symbol) { return extents.at(symbol); });
  return {counts.skipped, counts.full, counts.cut};
}

std::vector<RunFault> faults_of(const Plan& plan, bool aligned) {
  std::vector<RunFault> faults;
  const auto* emulator = plan.device().emulator();
  if (emulator == nullptr) return faults;
  for (const auto& one : nlohmann::json::parse(emulator->faults())) {
    RunFault fault{.kind = one.at("kind"),
                   .kernel = one.at("kernel"),
                   .block = one.at("block"),
                   .thread = one.at("thread"),
                   .ptx_line = one.at("ptx_line"),
                   .source = plan.source_of(one.at("cuda_line"), aligned),
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
std::string listing(const std::string& cubin) {
  const auto info = runtime::inspect_cubin(cubin);
  std::string text = fmt::format("// {}: {} registers, {} bytes spilled\n", info.kernel,
                                 info.registers, info.spill_bytes());
  for (const auto& loop : info.loops())
    text += fmt::format("// loop of {} instructions a trip: {} to {}\n", loop.instructions(), loop.begin,
                        loop.end - 1);
  for (std::size_t i = 0; i < info.code.size(); ++i)
    text += fmt::format("{:5}  {:016x} {:016x}  {}\n", i, info.code[i].high, info.code[i].low,
                        name(classify(info.code[i])));
  return text;
}

class Flash : public Variant {
 public:
  RunResult run(const Request& request, const std::string& where,
                const Inputs& inputs) const override {
    const AttentionShape& shape = request.shape;
    const Device device = Device::open(where);
    const Plan plan = compile(device, *kernel_of(shape), compile_request(request));

    RunResult result;
    result.device = device.spec();
    result.arch = device.architecture();
    result.out.resize(static_cast<std::size_t>(shape.out_elements()) * 2);
    result.lse.resize(static_cast<std::size_t>(shape.lse_elements()));
    const auto upload = [&](std::span<const std::byte> bytes) {
      Buffer buffer(device, bytes.size());
      if (!bytes.empty()) buffer.upload(bytes.data(), bytes.size());
      return buffer;
    };
    const Buffer q = upload(inputs.q), k = upload(inputs.k), v = upload(inputs.v);
    const Buffer out(device, result.out.size()), lse(device, result.lse.size() * sizeof(float));
    const std::vector<Binding> arguments = {
        {"q", view(q, shape, shape.heads, shape.seqlen_q, shape.head_dim)},
        {"k", view(k, shape, shape.kv_heads, shape.seqlen_kv, shape.head_dim)},
        {"v", view(v, shape, shape.kv_heads, shape.seqlen_kv, shape.value_dim)},
        {"out", view(out, shape, shape.heads, shape.seqlen_q, shape.value_dim)},
        {"lse", TensorView::contiguous(lse.address(), DType::f32,
                                       {shape.batch, shape.heads, shape.seqlen_q})},
        {"softmax_scale", shape.softmax_scale}};

    if (device.emulator() != nullptr) device.emulator()->reset();
    plan.launch(Stream::default_stream(device), arguments);
    const bool aligned = plan.runs_aligned(arguments);
    try {
      device.synchronize();
    } catch (const Error&) {
      result.faults = faults_of(plan, aligned);
      if (result.faults.empty()) throw;
      return finish(std::move(result), plan, shape);
    }
    if (!result.out.empty()) out.download(result.out.data(), result.out.size());
    if (!result.lse.empty()) lse.download(result.lse.data(), result.lse.size() * sizeof(float));
    result.faults = faults_of(plan, aligned);
    return finish(std::move(result), plan, shape);
  }

  std::string dump(const Request& request, const std::string& arch, Stage stage) const override {
    const Program program = make_program(*kernel_of(request.shape), arch, compile_request(request));
    const auto image = [&](runtime::ImageKind kind) {
      return runtime::compile_image(program.cuda_source(), program.aligned.text.symbol, arch, kind,
                                    compile_options())
          .bytes;
    };
    switch (stage) {
      case Stage::dsl: return ir::print(program.traced);
      case Stage::ir: return ir::print(program.aligned.scheduled);
      case Stage::schedule: return ir::print(program.aligned.schedule);
      case Stage::cuda:
        return program.cuda_source() + emit::emit_standalone(program.traced, program.aligned.text);
      case Stage::ptx: return image(runtime::ImageKind::ptx);
      case Stage::cubin: return image(runtime::ImageKind::cubin);
      case Stage::sass: return listing(image(runtime::ImageKind::cubin));
    }
    return {};
  }

 private:
  static RunResult finish(RunResult result, const Plan& plan, const AttentionShape& shape) {
    const auto& tile = plan.program().aligned.schedule.tile;
    result.tile_q = tile.at(M);
    result.tile_kv = tile.at(N);
    result.blocks = count(plan.program(), shape);
    result.counters = counters_of(plan.device());
    return result;
  }
};

}  // namespace

std::unique_ptr<Variant> make_flash() { return std::make_unique<Flash>(); }

}  // namespace tilewright::library

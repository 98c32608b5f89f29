// `tilewright run VARIANT`: read the request, launch once, check, report, write the result.
//
// The order is the promise: whatever is wrong with the request is refused before the device is
// touched, and the result file is written last, whole, and only if the run did not fault.
#include "command/context.hpp"
#include "command/run_report.hpp"
#include "command/shape_options.hpp"
#include "command/tensors.hpp"
#include "formats/file.hpp"
#include "variants/table.hpp"

namespace tilewright::command {

int run(const Context& context, const Arguments& arguments) {
  const library::VariantEntry entry =
      library::find_variant(context.variants, arguments.text("VARIANT"));

  std::optional<InputFile> file;
  if (arguments.given("--input")) file.emplace(arguments.text("--input"), layout_of(arguments));
  const library::Request request = request_of(arguments, entry, context.variants,
                                              file ? std::optional(file->shape()) : std::nullopt);
  const std::uint64_t seed = request.seed;
  const std::string output = arguments.text("--output");
  if (arguments.given("--output")) formats::require_writable_target(output);

  const HostTensors tensors = file ? file->read() : random_tensors(request.shape, seed);
  const auto variant = entry.make();
  const library::RunResult result =
      variant->run(request, arguments.text("--device"), tensors.inputs());

  RunReport report{std::string(entry.name),   request.shape, seed,
                   arguments.text("--input"), &result,       std::nullopt};
  if (arguments.flag("--check")) {
    using library::Precision;
    const library::Formula formula = variant->formula(request);
    const auto reference = [&](Precision precision) {
      return library::dense_attention(request.shape, tensors.inputs(), formula, precision);
    };
    const Precision plain =
        variant->rounds_scores(request) ? Precision::rounded_scores : Precision::same_type;
    report.check =
        library::compare(request.shape, result, reference(Precision::exact), reference(plain));
  }
  if (arguments.given("--output") && result.faults.empty()) {
    write_result(output, request.shape, result, entry.name);
  }
  if (arguments.flag("--json")) {
    context.out << to_json(report).dump(2) << "\n";
  } else {
    context.out << to_text(report);
    if (arguments.given("--output") && result.faults.empty()) {
      context.out << "wrote " << output << "\n";
    }
  }
  return report.ok() ? success : failed;
}

}  // namespace tilewright::command

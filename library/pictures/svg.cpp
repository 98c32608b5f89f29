// See svg.hpp. A layer is one path in units of places, so that a rectangle takes some 15 bytes.
#include "pictures/svg.hpp"

#include <fmt/format.h>

namespace tilewright::pictures {
namespace {

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (static_cast<unsigned char>(c) < ' ')  // not allowed in XML, escaped or not
      result += ' ';
    else
      result += c;
  }
  return result;
}

std::string hex(Color color) {
  return fmt::format("#{:02x}{:02x}{:02x}", color.red, color.green, color.blue);
}

/// Two digits at most after the point: fmt's {:g} of a pixel.
std::string px(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string layers_text(const Scene& scene) {
  const bool crisp = scene.scale_x >= 1 && scene.scale_y >= 1;
  std::string text = fmt::format("<g transform=\"translate({} {}) scale({:.8g} {:.8g})\"{}>\n",
                                 px(scene.left), px(scene.top), scene.scale_x, scene.scale_y,
                                 crisp ? " shape-rendering=\"crispEdges\"" : "");
  for (const Layer& layer : scene.layers) {
    if (layer.rects.empty()) continue;
    text += fmt::format("<path fill=\"{}\" d=\"", hex(layer.color));
    for (const PlaceRect& r : layer.rects)
      fmt::format_to(std::back_inserter(text), "M{} {}h{}v{}h-{}z", r.x, r.y, r.width, r.height,
                     r.width);
    text += "\"/>\n";
  }
  return text + "</g>\n";
}

std::string lines_text(const Scene& scene) {
  const double right = scene.left + static_cast<double>(scene.places_x) * scene.scale_x;
  const double bottom = scene.top + static_cast<double>(scene.places_y) * scene.scale_y;
  std::string text;
  for (const Lines& lines : scene.lines) {
    if (lines.down.empty() && lines.across.empty()) continue;
    text += fmt::format("<path fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" d=\"",
                        hex(lines.color), px(lines.width));
    for (const double x : lines.down)
      text += fmt::format("M{} {}V{}", px(x), px(scene.top), px(bottom));
    for (const double y : lines.across)
      text += fmt::format("M{} {}H{}", px(scene.left), px(y), px(right));
    text += "\"/>\n";
  }
  return text;
}

const char* anchor_text(Anchor anchor) {
  switch (anchor) {
    case Anchor::middle: return " text-anchor=\"middle\"";
    case Anchor::end: return " text-anchor=\"end\"";
    case Anchor::start: break;
  }
  return "";
}

std::string label_text(const Label& label) {
  const std::string at = label.upward ? fmt::format("transform=\"translate({} {}) rotate(-90)\"",
                                                    px(label.x), px(label.y))
                                      : fmt::format("x=\"{}\" y=\"{}\"", px(label.x), px(label.y));
  return fmt::format("<text {} font-size=\"{}\" fill=\"{}\"{}{}>{}</text>\n", at, px(label.size),
                     hex(label.color), anchor_text(label.anchor),
                     label.bold ? " font-weight=\"600\"" : "", escaped(label.text));
}

}  // namespace

std::string to_svg(const Scene& scene) {
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" role=\"img\" font-family=\"Inter, 'Helvetica Neue', Helvetica, "
      "Arial, 'DejaVu Sans', sans-serif\">\n"
      "<title>{2}</title>\n<desc>{3}</desc>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
      px(scene.width), px(scene.height), escaped(scene.title), escaped(scene.description));
  text += layers_text(scene) + lines_text(scene);
  for (const Swatch& swatch : scene.swatches)
    text += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" stroke=\"#a0aab6\"/>\n",
        px(swatch.x), px(swatch.y), px(swatch.side), px(swatch.side), hex(swatch.color));
  for (const Label& label : scene.labels) text += label_text(label);
  return text + "</svg>\n";
}

}  // namespace tilewright::pictures

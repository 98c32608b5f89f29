// A scene as one self-contained SVG file: no script, no font of its own, nothing to load.
#pragma once

#include "pictures/scene.hpp"

namespace tilewright::pictures {

std::string to_svg(const Scene& scene);

}  // namespace tilewright::pictures

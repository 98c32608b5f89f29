// See png.hpp: from pixels to bytes.
#include "pictures/png.hpp"

#include <png.h>

#include <tilewright/error.hpp>

#include "pictures/errors.hpp"

namespace tilewright::pictures {

std::string to_png(const Raster& raster) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(raster.width);
  image.height = static_cast<png_uint_32>(raster.height);
  image.format = PNG_FORMAT_RGB;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = bytes.size();
  const bool done =
      png_image_write_to_memory(&image, bytes.data(), &size, 0, raster.rgb.data(), 0, nullptr) != 0;
  const std::string reason = image.message;
  png_image_free(&image);
  if (!done)
    throw Error(errors::pictures["png-refused"], "libpng makes no file of the picture: " + reason,
                {"--png", std::to_string(raster.width) + " x " + std::to_string(raster.height),
                 "a picture with pixels", ""});
  bytes.resize(size);
  return bytes;
}

}  // namespace tilewright::pictures

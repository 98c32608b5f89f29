// Errors of the pictures of masks.
#pragma once

#include <tilewright/error.hpp>

namespace tilewright::errors {

inline constexpr ErrorEntry pictures_entries[] = {
    {"mask-too-large", ErrorKind::invalid_argument,
     "The pairs of a mask, which are looked at one by one, are too many for seconds.",
     "Use smaller --batch, --heads, --seqlen-q or --seqlen-kv."},
    {"mask-not-drawn", ErrorKind::unsupported,
     "The variant does not say which tiles of the mask it visits.",
     "Use a variant that the message lists."},
    {"png-refused", ErrorKind::io, "libpng makes no file of a picture.",
     "Write an SVG file instead, with --svg."},
};
inline constexpr ErrorTable pictures{pictures_entries};

}  // namespace tilewright::errors

// Errors of files: tensors in safetensors, texts, outputs.
#pragma once

#include <tilewright/error.hpp>

namespace tilewright::errors {

inline constexpr ErrorEntry formats_entries[] = {
    {"file-not-readable", ErrorKind::invalid_file,
     "A file that is to be read is not there, is no regular file or cannot be opened.",
     "Check the path and the right to read it."},
    {"file-too-long", ErrorKind::invalid_file, "A text file is longer than anything it could hold.",
     "Check that the path names the file that is meant."},
    {"file-not-written", ErrorKind::io, "An output could not be written.",
     "Give a path in a folder that exists and can be written, with space left on it."},
    {"safetensors-header-invalid", ErrorKind::invalid_file,
     "The header of a safetensors file is not what the format says.",
     "Write the file again with a safetensors library; it may be cut off."},
    {"safetensors-tensor-invalid", ErrorKind::invalid_file,
     "A tensor in the header of a safetensors file has a bad type, shape or range of bytes.",
     "Write the file again with a safetensors library."},
    {"safetensors-data-disagrees", ErrorKind::invalid_file,
     "The tensors of a safetensors file overlap, leave a hole, or do not fill it.",
     "Write the file again with a safetensors library."},
    {"tensor-bytes-disagree", ErrorKind::invalid_argument,
     "A tensor to be written has more or fewer bytes than its shape says.",
     "Give as many bytes as the message allows."},
    {"tensor-name-taken", ErrorKind::invalid_argument,
     "Two tensors to be written have one name, or one is called __metadata__.",
     "Give each tensor a name of its own."},
    {"text-not-utf8", ErrorKind::invalid_argument,
     "A name or metadata text to be written is not UTF-8.", "Give it in UTF-8."},
    {"input-tensor-missing", ErrorKind::invalid_file,
     "The input file lacks one of the tensors q, k and v.",
     "Write all three into the file under these names."},
    {"input-type-unsupported", ErrorKind::unsupported,
     "A tensor of the input file has an element type that is not built.",
     "Convert it to BF16, F16 or F32."},
    {"input-rank-disagrees", ErrorKind::shape_mismatch,
     "A tensor of the input file does not have 4 dimensions.",
     "Reshape it to the four dimensions of --layout."},
    {"input-tensors-disagree", ErrorKind::shape_mismatch,
     "q, k and v of the input file disagree in an extent or in their element type.",
     "Write tensors that agree, or choose the --layout they are in."},
};
inline constexpr ErrorTable formats{formats_entries};

}  // namespace tilewright::errors

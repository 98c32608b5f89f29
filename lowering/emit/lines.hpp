// Lines of C++ put together from the inside out: a loop's body is written before its header is
// placed around it, because what it needs (a sum, a guard) is known only then. Used by
// reference.cpp; the kernel's own text, written from the outside in with its source lines, has
// Writer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tilewright::emit {

using Lines = std::vector<std::string>;

/// `body` indented below `header {`, or on the header's own line where it is one short statement.
void append_nested(Lines& to, const std::string& header, const Lines& body);
/// `{`, `body` indented, `}`; `comment` follows the opening brace.
void append_scope(Lines& to, const std::string& header, const std::string& comment,
                  const Lines& body);
/// `declaration`, then `more`, on one line where `more` is one short line.
void append_declared(Lines& to, const std::string& declaration, const Lines& more);
void append(Lines& to, const Lines& more);
/// The lines of `text`, which ends in a newline.
Lines split(std::string_view text);
/// `text  // comment`, without the comment where it would not fit.
std::string with_comment(const std::string& text, const std::string& comment);
/// All lines with `\n`; those over 120 columns are broken at a space.
std::string join(const Lines& lines);

}  // namespace tilewright::emit

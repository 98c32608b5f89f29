// Comment blanking keeps code and line count, and the hash tells sequences of fields apart.
#include "runtime/digest.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using tilewright::runtime::Digest;
using tilewright::runtime::without_comments;

TEST_CASE("comments go, lines and literals stay") {
  struct {
    const char* text;
    const char* blanked;
  } cases[] = {
      {"int a;  // user.cpp:19\nint b;\n", "int a;\nint b;\n"},
      {"int a; /* one */ int b;", "int a;   int b;"},
      {"a/* x\n y\n*/b", "a\n\nb"},
      {"\"// not a comment\" // one", "\"// not a comment\""},
      {"asm(\"bar.sync 0; /* kept */\");", "asm(\"bar.sync 0; /* kept */\");"},
      {"'\"' // gone\n'\\'' /*gone*/;", "'\"'\n'\\''  ;"},
      {"\"\\\"// kept\"; // gone", "\"\\\"// kept\";"},
      {"// goes on \\\nhere\nint a;", "\n\nint a;"},
      {"a / b // c", "a / b"},
      {"a /* never closed\n", "a\n"},
      {"keep trailing  \nint a;", "keep trailing  \nint a;"},
      {"R\"(// raw)\" // kept", "R\"(// raw)\" // kept"},
      {"", ""},
  };
  for (const auto& [text, blanked] : cases) {
    CAPTURE(text);
    CHECK(without_comments(text) == blanked);
    CHECK(std::count(blanked, blanked + std::string(blanked).size(), '\n') ==
          std::count(text, text + std::string(text).size(), '\n'));
  }
}

TEST_CASE("a text that only moved in the user's file has the same key") {
  const auto key = [](const char* text) { return Digest().add(without_comments(text)).hex(); };
  CHECK(key("x = 1;  // a.cpp:19") == key("x = 1;  // renamed.cpp:200"));
  CHECK(key("x = 1;\n// a.cpp:19") != key("x = 1;"));
  CHECK(key("x = 1;") != key("x = 2;"));
}

TEST_CASE("the digest separates fields and is stable between runs and machines") {
  CHECK(Digest().add("ab").add("c").hex() != Digest().add("a").add("bc").hex());
  CHECK(Digest().add("").hex() != Digest().hex());
  CHECK(Digest().add("tilewright").hex().size() == 32);
  CHECK(Digest().add("tilewright").hex() == Digest().add("tilewright").hex());
}

// stub
#include "cases.hpp"
namespace tilewright::corpus {
void add_handwritten(Cases&) {}
}

// One lesson, compiled as the test's own: its main renamed away, its kernel handed out. Built once
// per lesson; LESSON_FILE, LESSON_MAIN, LESSON_KERNEL and LESSON_GETTER come from CMakeLists.txt.
#define main LESSON_MAIN
#include LESSON_FILE
#undef main

const tilewright::KernelSource& LESSON_GETTER() { return LESSON_KERNEL; }

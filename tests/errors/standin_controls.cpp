// What makes a stand-in driver look like the emulator: its own entry points, doing nothing.
extern "C" {
void tilewright_emulator_configure() {}
void tilewright_emulator_counters() {}
void tilewright_emulator_faults() {}
void tilewright_emulator_reset() {}
}

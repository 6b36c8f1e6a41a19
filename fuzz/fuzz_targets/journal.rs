#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| jumpdeck::fuzzing::journal(data));

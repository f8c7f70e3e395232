#![no_main]

#[path = "../checks/fixer.rs"]
mod fixer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fixer::fixer(data));

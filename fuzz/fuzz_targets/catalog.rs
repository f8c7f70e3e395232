#![no_main]

#[path = "../checks/catalog.rs"]
mod catalog;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    catalog::catalog(data);
    catalog::managed(&String::from_utf8_lossy(data));
});

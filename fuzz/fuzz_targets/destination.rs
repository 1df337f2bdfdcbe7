#![no_main]
//! Whatever is typed where an address is expected is an error or a value, never a panic; what is
//! accepted reads itself back.

use libfuzzer_sys::fuzz_target;
use otp_core::destination::{Destination, PhoneNumber, Region};

fuzz_target!(|data: (&str, [u8; 2])| {
    let (typed, region) = data;
    let region = std::str::from_utf8(&region).ok().and_then(|code| Region::parse(code).ok());
    if let Ok(number) = PhoneNumber::parse_lenient(typed, region) {
        assert!(number.e164().len() <= 16);
        assert_eq!(PhoneNumber::parse(number.e164()).as_ref(), Ok(&number));
    }
    if let Ok(destination) = Destination::parse(typed, region) {
        assert!(Destination::parse(destination.expose(), None).is_ok());
        assert!(!destination.to_string().contains(destination.expose()));
    }
});

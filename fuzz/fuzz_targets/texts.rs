#![no_main]
//! Every other text that comes from outside: codes, ids, stored hashes, key rings, proxies.

use libfuzzer_sys::fuzz_target;
use otp_core::challenge::{ChallengeId, Code, CodeFormat, TypedShape};
use otp_core::hash::StoredHash;
use otp_core::key::{KeyRing, Sealed};
use otp_core::request::{Purpose, SubjectId, Tenant, TrustedProxies};

fuzz_target!(|text: &str| {
    let six = CodeFormat::SIX_DIGITS;
    let fits = TypedShape::of(text).is_some_and(|shape| shape.fits(six));
    assert_eq!(fits, Code::normalise(six, text).is_ok());
    if let Ok(id) = text.parse::<ChallengeId>() {
        assert_eq!(id.to_string(), text);
    }
    let _ = StoredHash::parse(text);
    let _ = KeyRing::parse(text);
    let _ = Sealed::from_bytes(text.as_bytes());
    let _ = (Tenant::new(text), Purpose::new(text), SubjectId::new(text));
    if let Ok(proxies) = text.parse::<TrustedProxies>() {
        let _ = proxies.client(std::net::Ipv4Addr::LOCALHOST.into(), [text]);
    }
});

//! A range of numbers that a toll-fraud guard watches, and how somebody brings it up on purpose.

use otp_kit::policy::{GuardMode, TollFraud};
use otp_kit::prelude::*;

use crate::support::{Builder, Service, from_anywhere};

/// Gives a number of the range.
pub(crate) fn number(line: u32) -> PhoneNumber {
    PhoneNumber::parse(&format!("+1415555{line:04}")).unwrap()
}

pub(crate) fn start(line: u32, client: u32) -> Issue {
    Issue::to(number(line))
        .for_purpose("login")
        .from(from_anywhere(client))
}

pub(crate) fn guarded(builder: Builder) -> Builder {
    builder.toll_fraud(TollFraud::new(GuardMode::Enforce))
}

/// Brings the guard up against the range.
pub(crate) async fn raise_the_guard(service: &Service) {
    for line in 0..60 {
        let asked = service.verifier.issue(start(line * 101, 100 + line)).await;
        assert!(asked.is_ok(), "{asked:?}");
    }
}

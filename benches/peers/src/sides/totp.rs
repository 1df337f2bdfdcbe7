//! An authenticator's code, checked within a step of now.

use std::hint::black_box;
use std::time::SystemTime;

use otp_kit::clock::{Clock as _, SystemClock, Timestamp};
use otp_kit::factor::{OtpSecret, Totp};
use totp_rs::Builder;

use super::unknown;
use crate::side::{Outcome, play as side};

const SECRET: &[u8; 20] = b"12345678901234567890";

pub(super) fn play(who: &str) -> Outcome {
    match who {
        "ours-right" => ours(true),
        "ours-wrong" => ours(false),
        "totp-rs-right" => theirs(true),
        "totp-rs-wrong" => theirs(false),
        _ => unknown(who),
    }
}

fn ours(right: bool) -> Outcome {
    let totp = Totp::new(&OtpSecret::new(SECRET.to_vec())?);
    // A code of that moment, checked at that moment: no step ends while it is measured.
    let now = SystemClock.now();
    let code = if right {
        totp.code(now).expose().to_owned()
    } else {
        wrong(&totp, now)
    };
    if totp.verify(&code, now, None).is_ok() != right {
        return Err("a code was judged wrongly".into());
    }
    side(|count| {
        for _ in 0..count {
            black_box(totp.verify(black_box(&code), black_box(now), None)).ok();
        }
        Ok(())
    })
}

fn theirs(right: bool) -> Outcome {
    let totp = Builder::new()
        .with_secret(SECRET.to_vec())
        .with_skew(1)
        .build_noncompliant();
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs();
    let stamp = Timestamp::from_millis(i64::try_from(now)? * 1_000);
    let same = Totp::new(&OtpSecret::new(SECRET.to_vec())?);
    let code = if right {
        totp.generate(now).to_string()
    } else {
        wrong(&same, stamp)
    };
    if totp.check(&code, now).is_some() != right {
        return Err("a code was judged wrongly".into());
    }
    side(|count| {
        for _ in 0..count {
            black_box(totp.check(black_box(&code), black_box(now)));
        }
        Ok(())
    })
}

/// Finds a code that no step of the window has.
fn wrong(totp: &Totp, now: Timestamp) -> String {
    let mut codes = (0..).map(|number| format!("{number:06}"));
    codes
        .find(|code| totp.verify(code, now, None).is_err())
        .unwrap_or_default()
}

//! A phone number as somebody types it, parsed and checked against the numbering plan.

use std::hint::black_box;

use otp_kit::destination::PhoneNumber;
use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::unknown;
use crate::side::{Outcome, play as side};

/// Of eight regions, all of them valid.
const EIGHT: &str = include_str!("../../numbers/eight.txt");
/// One of each region, all of them valid to every side.
const EVERYWHERE: &str = include_str!("../../numbers/everywhere.txt");

/// `who` is a side and which numbers it reads: `ours/eight`.
pub(super) fn play(who: &str) -> Outcome {
    let (side, list) = who.split_once('/').unwrap_or((who, ""));
    let numbers = if list == "everywhere" {
        EVERYWHERE
    } else {
        EIGHT
    };
    match side {
        "ours" => each(numbers, |number| Ok(PhoneNumber::parse(number).map(drop)?)),
        "rlibphonenumber-lite" => each(numbers, |number| {
            let parsed = PHONE_NUMBER_UTIL.parse(number, None)?;
            valid(PHONE_NUMBER_UTIL.is_valid_number(&parsed))
        }),
        "phonenumber" => each(numbers, |number| {
            let parsed = phonenumber::parse(None, number)?;
            valid(phonenumber::is_valid(&parsed))
        }),
        _ => unknown(who),
    }
}

fn each(numbers: &str, parse: impl Fn(&str) -> Outcome) -> Outcome {
    let numbers: Vec<&str> = numbers.lines().collect();
    let mut next = numbers.iter().cycle();
    side(|count| {
        for number in next.by_ref().take(usize::try_from(count)?) {
            parse(black_box(number))?;
        }
        Ok(())
    })
}

fn valid(is_valid: bool) -> Outcome {
    if is_valid {
        Ok(())
    } else {
        Err("a valid number was refused".into())
    }
}

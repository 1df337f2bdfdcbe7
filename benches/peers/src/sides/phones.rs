//! A phone number as somebody types it, parsed and checked against the numbering plan.

use std::hint::black_box;

use otp_kit::destination::PhoneNumber;
use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::unknown;
use crate::side::{Outcome, play as side};

/// From eight plans, all of them valid.
const NUMBERS: &str = include_str!("../../numbers.txt");

pub(super) fn play(who: &str) -> Outcome {
    match who {
        "ours" => each(|number| Ok(PhoneNumber::parse(number).map(drop)?)),
        "rlibphonenumber-lite" => each(|number| {
            let parsed = PHONE_NUMBER_UTIL.parse(number, None)?;
            valid(PHONE_NUMBER_UTIL.is_valid_number(&parsed))
        }),
        "phonenumber" => each(|number| {
            let parsed = phonenumber::parse(None, number)?;
            valid(phonenumber::is_valid(&parsed))
        }),
        _ => unknown(who),
    }
}

fn each(parse: impl Fn(&str) -> Outcome) -> Outcome {
    let numbers: Vec<&str> = NUMBERS.lines().collect();
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

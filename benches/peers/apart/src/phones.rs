//! `rlibphonenumber` as it comes, with patterns compiled and kept.

use std::hint::black_box;

use rlibphonenumber::PHONE_NUMBER_UTIL;

use crate::side::{Outcome, play as side};

const EIGHT: &str = include_str!("../../numbers/eight.txt");
const EVERYWHERE: &str = include_str!("../../numbers/everywhere.txt");

pub(crate) fn play(list: &str) -> Outcome {
    let numbers = if list == "everywhere" {
        EVERYWHERE
    } else {
        EIGHT
    };
    let numbers: Vec<&str> = numbers.lines().collect();
    let mut next = numbers.iter().cycle();
    side(|count| {
        for number in next.by_ref().take(usize::try_from(count)?) {
            let parsed = PHONE_NUMBER_UTIL.parse(black_box(number), None)?;
            if !PHONE_NUMBER_UTIL.is_valid_number(&parsed) {
                return Err("a valid number was refused".into());
            }
        }
        Ok(())
    })
}

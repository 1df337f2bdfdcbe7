//! Group C of the attack catalogue: what may be typed where a code is expected.

use super::*;
use crate::challenge::{Alphabet, InvalidCodeFormat};
use crate::random::OsRandom;

fn six() -> CodeFormat {
    CodeFormat::SIX_DIGITS
}

fn refused(typed: &str) -> bool {
    Code::normalise(six(), typed).is_err()
}

#[test]
fn c01_separators_are_refused_unless_opted_into_and_then_only_ascii_ones() {
    let strip = six().with_separators(Separators::Strip);
    for typed in [" 123456 ", "123 456", "123-456", "1-2-3 4 5 6"] {
        assert!(refused(typed), "{typed:?}");
        let code = Code::normalise(strip, typed).expect("opted in");
        assert_eq!(code.expose(), "123456");
    }
    for typed in [
        "123\u{a0}456",
        "123\u{2013}456",
        "123_456",
        "123.456",
        "123\t456",
    ] {
        assert!(Code::normalise(strip, typed).is_err(), "{typed:?}");
    }
}

#[test]
fn c02_digits_of_other_scripts_and_invisible_characters_are_malformed() {
    for typed in [
        "\u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff15}\u{ff16}",
        "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}",
        "\u{1d7ce}\u{1d7cf}\u{1d7d0}\u{1d7d1}\u{1d7d2}\u{1d7d3}",
        "12345\u{ff16}",
        "1\u{200b}23456",
    ] {
        assert!(refused(typed), "{typed:?}");
    }
}

#[test]
fn c03_a_leading_zero_is_part_of_the_code() {
    assert!(refused("12345"));
    let code = Code::normalise(six(), "012345").expect("six digits");
    assert_eq!(code.expose(), "012345");
}

#[test]
fn c04_numbers_that_only_evaluate_to_a_code_are_malformed() {
    for typed in [
        "1e5", "0x1E240", "123456.0", "+123456", "-0", "1_0000", "12345e",
    ] {
        assert!(refused(typed), "{typed:?}");
    }
}

#[test]
fn c05_c06_blank_control_and_trailing_bytes_are_malformed() {
    for typed in [
        "",
        " ",
        "null",
        "123456\0",
        "123456\n",
        "\u{feff}123456",
        "[\"123456\"]",
    ] {
        assert!(refused(typed), "{typed:?}");
    }
}

#[test]
fn c07_wrong_lengths_and_megabytes_are_refused() {
    assert!(refused("12345"));
    assert!(refused("1234567"));
    assert!(refused(&"1".repeat(10 << 20)));
    let strip = six().with_separators(Separators::Strip);
    assert!(Code::normalise(strip, &format!("{}123456", " ".repeat(1 << 20))).is_err());
}

#[test]
fn c08_the_unambiguous_alphabet_reads_what_people_mean() {
    let format = CodeFormat::unambiguous(8).expect("long enough");
    let code = Code::normalise(format, "o1lIabZz").expect("folds");
    assert_eq!(code.expose(), "0111ABZZ");
    assert!(Code::normalise(format, "ABCDEFGU").is_err());
}

#[test]
fn formats_below_twenty_bits_cannot_be_written() {
    assert_eq!(CodeFormat::digits(5), Err(InvalidCodeFormat::TooShort));
    assert_eq!(CodeFormat::unambiguous(3), Err(InvalidCodeFormat::TooShort));
    assert_eq!(CodeFormat::digits(16), Err(InvalidCodeFormat::TooLong));
    assert!(CodeFormat::unambiguous(4).is_ok());
}

#[test]
fn generated_codes_have_the_format_and_no_favourite_digit() {
    let mut counts = [[0_u32; 10]; 6];
    let draws = 20_000_u32;
    for _ in 0..draws {
        let code = Code::generate(six(), &OsRandom).expect("the OS has randomness");
        assert_eq!(code.expose().len(), 6);
        for (position, byte) in code.expose().bytes().enumerate() {
            assert!(byte.is_ascii_digit());
            counts[position][usize::from(byte - b'0')] += 1;
        }
    }
    let expected = f64::from(draws) / 10.0;
    for position in counts {
        let chi: f64 = position
            .iter()
            .map(|&n| (f64::from(n) - expected).powi(2) / expected)
            .sum();
        // 9 degrees of freedom: 50 is beyond p = 1e-7.
        assert!(chi < 50.0, "chi-square {chi}");
    }
}

#[test]
fn a_failing_random_source_gives_no_code() {
    #[derive(Debug)]
    struct Broken;
    impl SecureRandom for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError::new())
        }
    }
    assert!(Code::generate(six(), &Broken).is_err());
}

#[test]
fn a_source_that_only_gives_bytes_of_no_character_is_an_error_and_not_a_loop() {
    #[derive(Debug)]
    struct Stuck;
    impl SecureRandom for Stuck {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
            bytes.fill(0xff);
            Ok(())
        }
    }
    assert!(Code::generate(six(), &Stuck).is_err());
}

#[test]
fn debug_of_a_code_does_not_show_it() {
    let code = Code::normalise(six(), "271828").expect("six digits");
    assert!(!format!("{code:?}").contains("271828"));
    assert_eq!(Alphabet::Unambiguous.characters().len(), 32);
}

//! What a text must look like before the numbering plans get to see it.
//!
//! The plan library panics on some texts and takes long over long ones, so only short ones made of
//! digits and one leading `+` pass.

use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::InvalidPhoneNumberKind::{self, Empty, Malformed, TooLong, TooShort};

/// A `+` and 15 digits in full-width forms, three bytes each, just fit.
const MAX_BYTES: usize = 48;
/// Eight marks around it, three bytes each: more than any program pastes.
const MAX_WRAPPED: usize = MAX_BYTES + 24;
/// Three digits are an emergency or a service number everywhere.
const MIN_DIALLED: usize = 4;

/// Checks that `input` is `+` and 7 to 15 ASCII digits, the first not 0.
pub(super) fn strict(input: &str) -> Result<(), InvalidPhoneNumberKind> {
    if input.is_empty() {
        return Err(Empty);
    }
    if input.len() > MAX_BYTES {
        return Err(TooLong);
    }
    let digits = input.strip_prefix('+').ok_or(Malformed)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.starts_with('0') {
        return Err(Malformed);
    }
    match digits.len() {
        0 => Err(Malformed),
        1..7 => Err(TooShort),
        7..=15 => Ok(()),
        _ => Err(TooLong),
    }
}

/// Reduces `input` to ASCII digits with at most one `+` before them.
pub(super) fn lenient(input: &str) -> Result<String, InvalidPhoneNumberKind> {
    if input.len() > MAX_WRAPPED {
        return Err(TooLong);
    }
    let input = unwrapped(input);
    if input.len() > MAX_BYTES {
        return Err(TooLong);
    }
    let mut dialled = String::with_capacity(input.len());
    for character in input.chars() {
        match character {
            '0'..='9' => dialled.push(character),
            '+' | '\u{FF0B}' if dialled.is_empty() => dialled.push('+'),
            ' ' | '-' | '(' | ')' | '.' => {}
            _ => dialled.push(decimal_digit(character).ok_or(Malformed)?),
        }
    }
    match dialled.trim_start_matches('+').len() {
        0 if input.bytes().all(|byte| byte == b' ') => Err(Empty),
        0 => Err(Malformed),
        1..MIN_DIALLED => Err(TooShort),
        _ => Ok(dialled),
    }
}

/// Drops what address books put around a number so that it reads from left to right anywhere:
/// directional marks and signs without width. Inside a number they stay, and make it none.
fn unwrapped(input: &str) -> &str {
    let is_mark = |character| {
        matches!(
            character,
            '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
                | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
        )
    };
    input.trim_matches(is_mark)
}

/// The ASCII form of a decimal digit of another script.
fn decimal_digit(character: char) -> Option<char> {
    if character.is_ascii() || !character.is_numeric() {
        return None;
    }
    let mut buffer = [0; 4];
    let normal = PHONE_NUMBER_UTIL.normalize_digits_only(character.encode_utf8(&mut buffer));
    let mut digits = normal.chars();
    match (digits.next(), digits.next()) {
        (Some(digit), None) if digit.is_ascii_digit() => Some(digit),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimal_digits_of_other_scripts_become_ascii() {
        for (script, ascii) in [
            ("٠١٢٣٤٥٦٧٨٩", "0123456789"),
            ("０１２３９", "01239"),
            ("०१२३९", "01239"),
        ] {
            assert_eq!(lenient(script).as_deref(), Ok(ascii));
        }
    }

    #[test]
    fn numerals_that_are_no_decimal_digits_are_refused() {
        for numeral in ["½", "²", "Ⅷ", "一", "①", "௰"] {
            let input = format!("+1415555012{numeral}");
            assert_eq!(lenient(&input), Err(Malformed), "{numeral}");
        }
    }

    #[test]
    fn a_plus_counts_only_before_the_first_digit() {
        assert_eq!(lenient("(+1) 415-555").as_deref(), Ok("+1415555"));
        for input in ["++1415555", "1+415555", "+1415555+", "+\u{FF0B}1415555"] {
            assert_eq!(lenient(input), Err(Malformed), "{input}");
        }
    }

    #[test]
    fn fifteen_full_width_digits_fit_and_one_byte_more_does_not() {
        let full = format!("\u{FF0B}{}", "\u{FF11}".repeat(15));
        assert_eq!(lenient(&full), Ok(format!("+{}", "1".repeat(15))));
        assert_eq!(lenient(&format!("{full} ")), Err(TooLong));
    }

    #[test]
    fn the_marks_of_an_address_book_are_dropped_around_a_number_and_refused_inside_it() {
        for mark in [
            '\u{61C}', '\u{200B}', '\u{200E}', '\u{202A}', '\u{202C}', '\u{202E}',
        ]
        .into_iter()
        .chain(['\u{2060}', '\u{2066}', '\u{2069}', '\u{FEFF}'])
        {
            assert_eq!(
                lenient(&format!("{mark}+1 415{mark}")).as_deref(),
                Ok("+1415")
            );
            assert_eq!(
                lenient(&format!("+1 4{mark}15")),
                Err(Malformed),
                "{mark:?}"
            );
            assert_eq!(lenient(&mark.to_string()), Err(Empty));
        }
        let wrapped = |count| format!("{}+1415", "\u{202A}".repeat(count));
        assert_eq!(lenient(&wrapped(8)).as_deref(), Ok("+1415"));
        assert_eq!(lenient(&wrapped(1 << 20)), Err(TooLong));
    }

    proptest! {
        #[test]
        fn nothing_but_marks_at_the_ends_makes_a_difference(
            before in "[\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2066}-\u{2069}\u{FEFF}]{0,4}",
            input in "[+0-9 ().x\r\n\t\u{A0}\u{2028}\u{202A}\u{660}-\u{669}\u{FF10}-\u{FF19}-]{0,16}",
            after in "[\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2066}-\u{2069}\u{FEFF}]{0,4}",
        ) {
            prop_assert_eq!(lenient(&format!("{before}{input}{after}")), lenient(&input));
            let ends = input.starts_with('\u{202A}') || input.ends_with('\u{202A}');
            let odd = ['x', '\r', '\n', '\t', '\u{A0}', '\u{2028}', '\u{202A}'];
            if input.contains(odd) && !ends {
                prop_assert!(lenient(&input).is_err(), "{:?}", input);
            }
        }
    }
}

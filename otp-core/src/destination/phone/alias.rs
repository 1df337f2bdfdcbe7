//! Spellings of one line that are not one text.

use std::borrow::Cow;

/// Rewrites Mexico's `+52 1` and ten digits to `+52` and ten digits.
///
/// The 1 marked calls to mobiles until August 2019 (IFT, plan técnico fundamental de numeración); no
/// Mexican number starts with it, so the rewrite meets no other line.
pub(super) fn without_retired_prefix(dialled: &str) -> Cow<'_, str> {
    match dialled.strip_prefix("+521") {
        Some(national) if national.len() == 10 => Cow::Owned(format!("+52{national}")),
        _ => Cow::Borrowed(dialled),
    }
}

/// Returns what `national` counts as, where that is not itself.
pub(super) fn fold(calling_code: u16, national: &str) -> Option<String> {
    match (calling_code, national.as_bytes()) {
        // The same ten digits serve inland; the 9 is put before them from abroad.
        (54, [b'9', _, _, _, _, _, _, _, _, _, _]) => national.get(1..).map(str::to_owned),
        // The eight-digit form of a mobile started with 6 to 9. What starts with 2 to 5 without the
        // ninth digit is somebody else's landline, and stays apart.
        (55, [_, _, b'9', b'6'..=b'9', _, _, _, _, _, _, _]) => {
            let (area, subscriber) = (national.get(..2)?, national.get(3..)?);
            Some(format!("{area}{subscriber}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_mexican_form_is_rewritten() {
        assert_eq!(without_retired_prefix("+5215512345678"), "+525512345678");
        for other in [
            "+525512345678",
            "+521551234567",
            "+52155123456789",
            "5215512345678",
        ] {
            assert_eq!(without_retired_prefix(other), other);
        }
    }

    #[test]
    fn folding_leaves_other_countries_and_lengths_alone() {
        for (code, national) in [
            (1, "91123456789"),
            (54, "9112345678"),
            (55, "1123456789"),
            (55, "11923456789"),
        ] {
            assert_eq!(fold(code, national), None, "{code} {national}");
        }
    }
}

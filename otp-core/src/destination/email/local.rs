//! The local part: what stands before the `@`.

use super::InvalidEmailAddressKind::{self, LocalPart, TooLong};

/// RFC 5321 section 4.5.3.1.1.
const MAX_LOCAL_BYTES: usize = 64;

/// Checks that `local` is a dot-atom (RFC 5322 section 3.2.3) that is safe to hand to mail software.
pub(super) fn check(local: &str) -> Result<(), InvalidEmailAddressKind> {
    if local.len() > MAX_LOCAL_BYTES {
        return Err(TooLong);
    }
    let is_dot_atom = local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext));
    // A leading `-` reads as an option where a transport is a command line.
    if is_dot_atom && !local.starts_with('-') && !has_percent_escape(local) {
        Ok(())
    } else {
        Err(LocalPart)
    }
}

fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// `%` alone is fine, but `%0d%0a` becomes a line break wherever something downstream decodes it.
fn has_percent_escape(local: &str) -> bool {
    local.as_bytes().windows(3).any(|window| {
        matches!(window, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_dot_atoms_pass() {
        for local in ["a", "mike.doe", "o'brien", "a+b", "_x", "50%off", "{a|b}~"] {
            assert_eq!(check(local), Ok(()), "{local}");
        }
    }

    #[test]
    fn misplaced_dots_and_other_characters_are_refused() {
        for local in [
            "", ".a", "a.", "a..b", ".", "a b", "a,b", "a\"b", "a\\b", "a(b)", "a@b", "a:b",
        ] {
            assert_eq!(check(local), Err(LocalPart), "{local}");
        }
    }
}

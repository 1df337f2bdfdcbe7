//! The domain: what stands after the `@`.

use super::InvalidEmailAddressKind::{self, Domain};

/// Returns `domain` as a lower-case ASCII host name of at least two labels.
///
/// Host name rules are STD3's, DNS lengths are checked, and `xn--` labels must decode to what encodes
/// back to them (UTS #46 with all checks on).
pub(super) fn to_ascii(domain: &str) -> Result<String, InvalidEmailAddressKind> {
    if domain.chars().any(is_invisible) {
        return Err(Domain);
    }
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| Domain)?;
    if !labels_correspond(domain, &ascii) {
        return Err(Domain);
    }
    let (_, last) = ascii.rsplit_once('.').ok_or(Domain)?;
    // A last label that starts with a digit is the end of an IPv4 address (RFC 3696 section 2), and
    // `localhost` is this machine (RFC 6761 section 6.3).
    if !last.starts_with(|first: char| first.is_ascii_alphabetic()) || last == "localhost" {
        return Err(Domain);
    }
    Ok(ascii)
}

/// Checks that every label outside ASCII stayed so.
///
/// The mapping of UTS #46 turns look-alikes such as the Kelvin sign or full-width letters into plain
/// ASCII; taken as they are, they would equal the account of the ASCII name.
fn labels_correspond(typed: &str, ascii: &str) -> bool {
    let mut mapped = ascii.split('.');
    let each_kept = typed.split('.').all(|label| {
        mapped
            .next()
            .is_some_and(|mapped| label.is_ascii() || mapped.starts_with("xn--"))
    });
    each_kept && mapped.next().is_none()
}

/// Characters that show nothing or turn the text around; UTS #46 silently drops many of them.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\0'..=' '
            | '\u{7F}'..='\u{A0}'
            | '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{2000}'..='\u{200F}'
            | '\u{2028}'..='\u{202F}'
            | '\u{205F}'..='\u{206F}'
            | '\u{3000}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_become_ascii() {
        assert_eq!(to_ascii("Example.ORG").as_deref(), Ok("example.org"));
        assert_eq!(
            to_ascii("BÜCHER.example").as_deref(),
            Ok("xn--bcher-kva.example")
        );
        assert_eq!(
            to_ascii("xn--bcher-kva.example").as_deref(),
            Ok("xn--bcher-kva.example")
        );
        assert_eq!(
            to_ascii("bu\u{308}cher.example"),
            to_ascii("bücher.example")
        );
    }

    #[test]
    fn names_that_are_no_public_host_are_refused() {
        for domain in [
            "",
            ".",
            "org",
            "localhost",
            "a.localhost",
            "example.org.",
            ".example.org",
            "a..org",
            "a_b.org",
            "127.0.0.1",
            "1.2",
            "[127.0.0.1]",
            "[IPv6:::1]",
            "-x.org",
            "x-.org",
            "a.-org",
            "exa mple.org",
            "example.org/x",
            "example.org:25",
            "example%2eorg",
        ] {
            assert_eq!(to_ascii(domain), Err(Domain), "{domain}");
        }
        assert_eq!(to_ascii(&format!("{}.org", "a".repeat(64))), Err(Domain));
    }

    #[test]
    fn labels_that_map_to_ascii_or_split_are_refused() {
        for domain in [
            "ｅxample.org",
            "\u{212A}elvin.org",
            "example。org",
            "ex\u{AD}ample.org",
            "bü\u{200B}cher.org",
        ] {
            assert_eq!(to_ascii(domain), Err(Domain), "{domain}");
        }
    }
}

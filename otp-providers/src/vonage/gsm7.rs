/// What GSM 03.38 has beyond ASCII, with its extension table.
const BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà€";

/// Names the coding of a text: `text` where GSM-7 has all of it, else `unicode`.
pub(super) fn coding(text: &str) -> &'static str {
    let plain = |character: char| match character {
        '`' => false,
        '\n' | '\r' | ' '..='~' => true,
        _ => BEYOND_ASCII.contains(character),
    };
    if text.chars().all(plain) {
        "text"
    } else {
        "unicode"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gsm_7_has_not_is_sent_as_unicode() {
        for text in [
            "",
            "123456 is your code.\n\n@example.com #123456",
            "[~{|}^\\] é€ Ω",
        ] {
            assert_eq!(coding(text), "text", "{text}");
        }
        for unicode in ["a`b", "ê", "код", "👋", "\t", "“1”"] {
            assert_eq!(coding(unicode), "unicode", "{unicode}");
        }
    }
}

use otp_core::delivery::Locale;

/// The languages that Twilio has words in; a request that names another is refused.
const LANGUAGES: [&str; 43] = [
    "af", "ar", "ca", "cs", "da", "de", "el", "en", "en-GB", "es", "et", "fi", "fr", "he", "hi",
    "hr", "hu", "id", "it", "ja", "kn", "ko", "lt", "mr", "ms", "nb", "nl", "pl", "pt", "pt-BR",
    "ro", "ru", "sk", "sv", "te", "th", "tl", "tr", "uk", "vi", "zh", "zh-CN", "zh-HK",
];

/// Gives Twilio's name of a language, or of the one that it is a variety of; `None` leaves the
/// choice to Twilio, which goes by the number's country.
pub(super) fn known(locale: &Locale) -> Option<&'static str> {
    let tag = locale.as_str();
    let primary = tag.split('-').next().unwrap_or(tag);
    let find = |wanted: &str| {
        LANGUAGES
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(wanted))
    };
    find(tag).or_else(|| find(primary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variety_is_the_language_and_an_unknown_language_is_left_out() {
        let read = |tag: &str| known(&Locale::new(tag).expect("a tag"));
        assert_eq!(read("pt-br"), Some("pt-BR"));
        assert_eq!(read("de-AT"), Some("de"));
        assert_eq!(read("tlh"), None);
    }
}

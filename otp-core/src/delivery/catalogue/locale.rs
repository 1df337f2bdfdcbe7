use std::borrow::Cow;

use thiserror::Error;

/// A language tag of BCP 47: `en`, `pt-BR`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Locale(Cow<'static, str>);

/// The text is not a language tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a language tag")]
pub struct InvalidLocale;

impl Locale {
    /// Reads a tag as the host or the client names it: up to 35 letters, digits and hyphens, or the
    /// underscores that Java and Android write for them. It is kept with hyphens and in the letter
    /// case of RFC 5646 section 2.1.1: `en_us` is `en-US`.
    ///
    /// # Errors
    /// [`InvalidLocale`] otherwise.
    pub fn new(tag: &str) -> Result<Self, InvalidLocale> {
        let fits = (2..=35).contains(&tag.len())
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || is_between(byte))
            && tag.starts_with(|c: char| c.is_ascii_alphabetic());
        if !fits {
            return Err(InvalidLocale);
        }
        let mut canonical = tag.replace('_', "-");
        canonical.make_ascii_lowercase();
        let mut written = String::with_capacity(canonical.len());
        let mut introduced = false;
        for (place, part) in canonical.split('-').enumerate() {
            if place > 0 {
                written.push('-');
            }
            match (place, part.len()) {
                (1.., 2) if !introduced => written.push_str(&part.to_ascii_uppercase()),
                (1.., 4) if !introduced => written.push_str(&titled(part)),
                (_, length) => {
                    // A single letter introduces what is kept in small letters.
                    introduced |= length == 1;
                    written.push_str(part);
                }
            }
        }
        Ok(Self(Cow::Owned(written)))
    }

    /// Wraps a tag that this library ships.
    pub(super) const fn shipped(tag: &'static str) -> Self {
        Self(Cow::Borrowed(tag))
    }

    /// Gives the tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Finds the nearest of the locales that there are: the tag itself, then the tag without its
    /// last part, and so on; `None` where nothing is near. Letter case does not count.
    ///
    /// Source: RFC 4647 section 3.4, lookup; the default is the caller's.
    ///
    /// # Examples
    /// ```
    /// use otp_core::delivery::Locale;
    ///
    /// let there = [Locale::new("en")?, Locale::new("pt")?];
    /// let asked = Locale::new("pt-BR")?;
    /// assert_eq!(asked.nearest(&there).map(Locale::as_str), Some("pt"));
    /// assert_eq!(Locale::new("fi")?.nearest(&there), None);
    /// # Ok::<(), otp_core::delivery::InvalidLocale>(())
    /// ```
    #[must_use]
    pub fn nearest<'a>(&self, there: &'a [Self]) -> Option<&'a Self> {
        self.ranges()
            .find_map(|range| there.iter().find(|one| one.0.eq_ignore_ascii_case(range)))
    }

    /// Lists the tag and its shorter forms. A single letter goes with what it introduces.
    pub(super) fn ranges(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |range| {
            let (shorter, _) = range.rsplit_once('-')?;
            match shorter.rsplit_once('-') {
                Some((shortest, single)) if single.len() == 1 => Some(shortest),
                _ => Some(shorter),
            }
        })
    }
}

/// Says whether it stands between the parts of a tag.
const fn is_between(byte: u8) -> bool {
    matches!(byte, b'-' | b'_')
}

/// Writes the first letter large, as scripts are written: `Hant`.
fn titled(part: &str) -> String {
    let (first, rest) = part.split_at_checked(1).unwrap_or_default();
    first.to_ascii_uppercase() + rest
}

impl Default for Locale {
    fn default() -> Self {
        Self(Cow::Borrowed("en"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tag_has_letters_digits_and_hyphens_only() {
        assert!(Locale::new("pt-BR").is_ok());
        for (typed, kept) in [
            ("en_US", "en-US"),
            ("en-us", "en-US"),
            ("EN", "en"),
            ("zh_hant_cn", "zh-Hant-CN"),
            ("sl-ROZAJ-biske-1994", "sl-rozaj-biske-1994"),
            ("de-419-x-AB-abcd", "de-419-x-ab-abcd"),
        ] {
            assert_eq!(
                Locale::new(typed).map(|one| one.0),
                Ok(kept.into()),
                "{typed}"
            );
        }
        for bad in [
            "",
            "e",
            "../etc",
            "1n",
            "en\n",
            "_en",
            "en US",
            "en.utf-8",
            "e\u{ff4e}",
            &"x".repeat(36),
        ] {
            assert_eq!(Locale::new(bad), Err(InvalidLocale), "{bad:?}");
        }
    }

    #[test]
    fn lookup_drops_parts_from_the_end_and_single_letters_with_them() {
        let ranges = |tag: &str| {
            let locale = Locale::new(tag).expect("a tag");
            locale.ranges().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            ranges("zh-Hant-CN-x-private1"),
            ["zh-Hant-CN-x-private1", "zh-Hant-CN", "zh-Hant", "zh"]
        );
        let there = [Locale::shipped("pt"), Locale::shipped("pt-BR")];
        let near = |tag: &str| {
            let asked = Locale::new(tag).expect("a tag");
            asked.nearest(&there).map(|l| l.as_str().to_owned())
        };
        assert_eq!(near("pt_br").as_deref(), Some("pt-BR"));
        assert_eq!(near("PT-br-x-a").as_deref(), Some("pt-BR"));
        assert_eq!(near("pt-PT").as_deref(), Some("pt"));
        assert_eq!(near("ptx"), None);
    }

    proptest! {
        #[test]
        fn only_letter_case_and_underscores_are_changed_and_reading_again_changes_nothing(
            tag in "[a-zA-Z0-9_-]{0,37}|[a-z]{2,3}([-_][a-zA-Z0-9]{1,8}){0,4}",
        ) {
            let plain = tag.replace('_', "-");
            let is_tag = (2..=35).contains(&tag.len()) && plain.as_bytes()[0].is_ascii_alphabetic();
            match Locale::new(&tag) {
                Err(InvalidLocale) => prop_assert!(!is_tag),
                Ok(locale) => {
                    prop_assert!(is_tag && locale.as_str().eq_ignore_ascii_case(&plain));
                    prop_assert_eq!(Locale::new(locale.as_str()), Ok(locale));
                }
            }
        }
    }
}

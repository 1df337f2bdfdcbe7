use std::borrow::Cow;

use thiserror::Error;

/// A language tag of BCP 47, as the host or the client names it: `en`, `pt-BR`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Locale(Cow<'static, str>);

/// The text is not a language tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a language tag")]
pub struct InvalidLocale;

impl Locale {
    /// Reads a tag: up to 35 letters, digits and hyphens.
    ///
    /// # Errors
    /// [`InvalidLocale`] otherwise.
    pub fn new(tag: &str) -> Result<Self, InvalidLocale> {
        let fits = (2..=35).contains(&tag.len())
            && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && tag.starts_with(|c: char| c.is_ascii_alphabetic());
        if fits {
            Ok(Self(Cow::Owned(tag.to_owned())))
        } else {
            Err(InvalidLocale)
        }
    }

    /// Wraps a tag that this library ships.
    pub(super) fn shipped(tag: &'static str) -> Self {
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

impl Default for Locale {
    fn default() -> Self {
        Self(Cow::Borrowed("en"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_letters_digits_and_hyphens_only() {
        assert!(Locale::new("pt-BR").is_ok());
        for bad in ["", "e", "../etc", "en_US", "1n", "en\n", &"x".repeat(36)] {
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
        assert_eq!(near("PT-br-x-a").as_deref(), Some("pt-BR"));
        assert_eq!(near("pt-PT").as_deref(), Some("pt"));
        assert_eq!(near("ptx"), None);
    }
}

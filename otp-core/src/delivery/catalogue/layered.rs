use super::{Catalogue, LinkSpeech, Locale, Rendered, ShippedCatalogue, Template};

/// A host's own words over others: each message is the host's where its catalogue has a locale
/// near the one that was asked for, else it is of what lies beneath. The pages of links likewise.
///
/// # Examples
/// ```
/// use otp_core::delivery::{Catalogue, Layered, Locale, Rendered, Template};
///
/// #[derive(Debug)]
/// struct Finnish;
///
/// impl Catalogue for Finnish {
///     fn render(&self, template: &Template<'_>) -> Rendered {
///         Rendered {
///             subject: None,
///             text: format!("Koodisi on {}.", template.code.expose()),
///             html: None,
///         }
///     }
///
///     fn locales(&self) -> Vec<Locale> {
///         Locale::new("fi").into_iter().collect()
///     }
/// }
///
/// let eleven = Layered::over_shipped(Finnish);
/// assert_eq!(eleven.locales().len(), 11);
/// ```
#[derive(Debug)]
pub struct Layered<C, B = ShippedCatalogue> {
    own: C,
    beneath: B,
}

impl<C: Catalogue> Layered<C> {
    /// Lays a catalogue over the shipped one.
    #[must_use]
    pub fn over_shipped(own: C) -> Self {
        Self::over(own, ShippedCatalogue::default())
    }
}

impl<C: Catalogue, B: Catalogue> Layered<C, B> {
    /// Lays a catalogue over another.
    #[must_use]
    pub const fn over(own: C, beneath: B) -> Self {
        Self { own, beneath }
    }
}

impl<C: Catalogue, B: Catalogue> Catalogue for Layered<C, B> {
    fn render(&self, template: &Template<'_>) -> Rendered {
        match template.locale.nearest(&self.own.locales()) {
            Some(_) => self.own.render(template),
            None => self.beneath.render(template),
        }
    }

    fn locales(&self) -> Vec<Locale> {
        let mut all = self.own.locales();
        for locale in self.beneath.locales() {
            if !all.contains(&locale) {
                all.push(locale);
            }
        }
        all
    }
    fn link_speech(&self, locale: &Locale) -> Option<LinkSpeech<'_>> {
        let own = self.own.link_speech(locale);
        own.or_else(|| self.beneath.link_speech(locale))
    }
}

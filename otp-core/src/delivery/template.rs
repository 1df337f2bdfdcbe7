mod told;

use std::fmt;

use thiserror::Error;

pub(crate) use told::{Told, ToldBoard};

use super::TemplateId;

/// The longest link that is taken.
const MAX_LINK: usize = 512;

/// Whether a vendor lets a template be sent. Only [`Approved`](Self::Approved) is sent.
///
/// Source: Meta's pages on the status of message templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TemplateState {
    /// It may be sent.
    Approved,
    /// The vendor has not decided yet, or decides again.
    Pending,
    /// The vendor refused it.
    Rejected,
    /// The vendor holds it back for a while: too many people complained, or a limit is met.
    Paused,
    /// The vendor or the owner took it away for good.
    Disabled,
}

impl TemplateState {
    /// Names the state for views and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Pending => "pending",
            Self::Rejected => "rejected",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Approved,
            Self::Pending,
            Self::Rejected,
            Self::Paused,
            Self::Disabled,
        ];
        all.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for TemplateState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The page that says what a template is approved for: the vendor's policy, or a paper of the
/// host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentLink(String);

/// The text is no `https` link of at most 512 visible characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a document link is an https address of at most 512 characters")]
pub struct InvalidDocumentLink;

impl DocumentLink {
    /// Takes a link.
    ///
    /// # Errors
    /// [`InvalidDocumentLink`] where it is not `https`, too long, or holds other than visible ASCII.
    pub fn new(link: &str) -> Result<Self, InvalidDocumentLink> {
        let rest = link.strip_prefix("https://").ok_or(InvalidDocumentLink)?;
        let fits = !rest.is_empty()
            && !rest.starts_with('/')
            && link.len() <= MAX_LINK
            && link.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(link.to_owned()))
            .ok_or(InvalidDocumentLink)
    }

    /// Gives the link.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The template that a channel's messages are sent by, and whether its vendor approves of it.
///
/// A channel with one takes messages while the template is approved, and none otherwise; see
/// [`Templates`](crate::verifier::Templates).
///
/// # Examples
/// ```
/// use otp_core::delivery::{DocumentLink, TemplateApproval, TemplateId, TemplateState};
///
/// let name = TemplateId::new("sign_in_code")?;
/// let approval = TemplateApproval::new(name, TemplateState::Approved)
///     .only_in("en_US")
///     .with_document(DocumentLink::new("https://wiki.example.com/whatsapp")?);
/// assert_eq!(approval.state(), TemplateState::Approved);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateApproval {
    template: TemplateId,
    languages: Vec<String>,
    built: TemplateState,
    told: Told,
    document: Option<DocumentLink>,
}

impl TemplateApproval {
    /// Declares the state of a template in all its languages, as long as nothing else was told of it.
    #[must_use]
    pub fn new(template: TemplateId, state: TemplateState) -> Self {
        Self {
            template,
            languages: Vec::new(),
            built: state,
            told: Told::default(),
            document: None,
        }
    }

    /// Counts this language (`en_US`), and any other that is named so, alone: what the vendor says
    /// of the rest closes nothing. Default: every language counts.
    #[must_use]
    pub fn only_in(mut self, language: &str) -> Self {
        self.languages.push(language.to_owned());
        self
    }

    /// Adds the link to the page about it.
    #[must_use]
    pub fn with_document(mut self, document: DocumentLink) -> Self {
        self.document = Some(document);
        self
    }

    /// Names the template.
    #[must_use]
    pub const fn template(&self) -> &TemplateId {
        &self.template
    }

    /// Gives the link to the page about it.
    #[must_use]
    pub const fn document(&self) -> Option<&DocumentLink> {
        self.document.as_ref()
    }

    /// Sums up: approved where every language that counts is, else the state of the first that is
    /// not. A language that the vendor never spoke of is as was declared.
    #[must_use]
    pub fn state(&self) -> TemplateState {
        let lapsed = |state: &TemplateState| *state != TemplateState::Approved;
        let Told { declared, reported } = &self.told;
        let declared = declared.unwrap_or(self.built);
        if self.languages.is_empty() {
            // Where the vendor approves of one language, what was declared of all is out of date.
            let heard = reported.values().copied();
            let silent = reported.is_empty().then_some(declared);
            let mut all = heard.chain(silent);
            return all.find(lapsed).unwrap_or(TemplateState::Approved);
        }
        let known = |language: &String| reported.get(language).copied();
        let mut all = self.languages.iter().map(known);
        let found = all.find_map(|state| Some(state.unwrap_or(declared)).filter(lapsed));
        found.unwrap_or(TemplateState::Approved)
    }

    /// Gives what was told of it.
    #[cfg(test)]
    pub(crate) fn told(&self) -> &Told {
        &self.told
    }

    /// Takes what was told of it, in place of what was told before.
    pub(crate) fn believe(&mut self, told: Told) {
        self.told = told;
    }

    /// Says whether a vendor's word about a template in a language is about this one, and counts.
    pub(crate) fn minds(&self, template: &str, language: &str) -> bool {
        let counts = self.languages.is_empty() || self.languages.iter().any(|one| one == language);
        template == self.template.as_str() && counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TemplateState::{Approved, Disabled, Paused, Pending};

    fn approval(state: TemplateState) -> TemplateApproval {
        TemplateApproval::new(TemplateId::new("code").expect("a name"), state)
    }

    impl TemplateApproval {
        fn take(&mut self, template: &str, language: &str, state: TemplateState) {
            if self.minds(template, language) {
                self.believe(self.told().clone().reporting(language, state));
            }
        }
    }

    #[test]
    fn one_language_that_lapses_closes_and_its_approval_opens_again() {
        let mut one = approval(Approved);
        for (language, state, sum) in [
            ("en_US", Approved, Approved),
            ("pt_BR", Paused, Paused),
            ("en_US", Approved, Paused),
            ("pt_BR", Approved, Approved),
            ("fr", Disabled, Disabled),
        ] {
            one.take("code", language, state);
            assert_eq!(one.state(), sum, "{language}");
        }
        one.believe(Told::declaring(Approved));
        assert_eq!(one.state(), Approved);
    }

    #[test]
    fn the_vendor_opens_what_was_declared_pending() {
        let mut one = approval(Pending);
        assert_eq!(one.state(), Pending);
        one.take("code", "en_US", Approved);
        assert_eq!(one.state(), Approved);
        let mut two = approval(Pending).only_in("en_US").only_in("fr");
        two.take("code", "en_US", Approved);
        assert_eq!(two.state(), Pending);
        two.take("code", "fr", Approved);
        assert_eq!(two.state(), Approved);
    }

    #[test]
    fn other_templates_and_languages_that_do_not_count_change_nothing() {
        let mut one = approval(Approved).only_in("en_US");
        one.take("newsletter", "en_US", Disabled);
        one.take("code", "fr", Disabled);
        assert_eq!(one.state(), Approved);
        one.take("code", "en_US", Disabled);
        assert_eq!(one.state(), Disabled);
    }

    #[test]
    fn a_document_is_an_https_link() {
        assert!(DocumentLink::new("https://a.example/x#y").is_ok());
        for bad in [
            "",
            "https://",
            "https:///x",
            "http://a.example",
            "javascript:alert(1)",
            "https://a.example/\n",
            &format!("https://{}", "a".repeat(512)),
        ] {
            assert_eq!(DocumentLink::new(bad), Err(InvalidDocumentLink), "{bad}");
        }
    }
}

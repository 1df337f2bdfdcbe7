use std::fmt;

use otp_core::clock::Timestamp;
use otp_core::delivery::{ReplayKey, Report, TemplateState};
use url::Url;

/// What a request that may be believed came to.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Events, in the order of the request, perhaps none. Answer 200 with no body.
    Events(Vec<Event>),
    /// A handshake: answer 200 with exactly this text, as `text/plain`.
    Echo(String),
    /// A handshake: fetch this address once, with GET and without following redirects, and answer
    /// 200. Its host was checked. It holds a token, and `Debug` does not show it.
    Confirm(Url),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Events(events) => f.debug_tuple("Events").field(events).finish(),
            Self::Echo(_) => f.write_str("Echo(..)"),
            Self::Confirm(_) => f.write_str("Confirm(..)"),
        }
    }
}

/// One thing that a vendor reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// What became of a message.
    Report(Report),
    /// Anything else.
    Notice(Notice),
}

impl Event {
    /// Gives what tells a replay, for `SeenStore::first_seen`.
    #[must_use]
    pub fn replay(&self) -> &ReplayKey {
        match self {
            Self::Report(report) => report.replay(),
            Self::Notice(notice) => &notice.replay,
        }
    }

    /// Gives the vendor's own word for what happened.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Report(report) => report.event(),
            Self::Notice(notice) => &notice.word,
        }
    }
}

/// Something a vendor reports that moves no message: an account, a template, an opened mail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// The provider's name.
    pub provider: &'static str,
    /// The vendor's own word for what happened.
    pub word: String,
    /// The time that the vendor named, or the time of reading where it named none.
    pub at: Timestamp,
    /// What it is about.
    pub topic: Topic,
    /// What tells a replay.
    pub replay: ReplayKey,
}

/// What a [`Notice`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topic {
    /// The account with the vendor: page someone.
    Account,
    /// A message template changed its state: one that is paused or disabled sends nothing.
    Template(TemplateUpdate),
    /// A person opened, clicked or answered. Machines do it too: it proves nothing.
    Engagement,
    /// Anything else, also words that are newer than this reader.
    Other,
}

/// A message template in its new state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateUpdate {
    /// The template's name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// The state it is in now; `None` where the vendor's word changes none, or is newer than this
    /// reader.
    pub state: Option<TemplateState>,
    /// Why, in the vendor's word, where it says so.
    pub reason: Option<String>,
}

/// The most bytes that are kept of a vendor's text.
const LONGEST_TEXT: usize = 128;

impl Notice {
    pub(super) fn new(
        provider: &'static str,
        word: &str,
        at: Timestamp,
        topic: Topic,
        id: &[&str],
    ) -> Self {
        Self {
            provider,
            word: short(word),
            at,
            topic,
            replay: ReplayKey::new(provider, id),
        }
    }

    pub(super) fn into_answer(self) -> Answer {
        Answer::Events(vec![Event::Notice(self)])
    }
}

/// Cuts a vendor's text and takes its control characters out.
pub(super) fn short(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(LONGEST_TEXT)
        .collect()
}

pub(super) fn report(report: Report) -> Answer {
    Answer::Events(vec![Event::Report(report)])
}

//! What the pages say, one a file.

pub(super) mod blocks;
pub(super) mod codes;
pub(super) mod failed;
pub(crate) mod findings;
pub(crate) mod judged;
pub(super) mod overview;
pub(super) mod people;
mod standing;
mod told;

use axum::http::Uri;
use serde::{Deserialize, Serialize};

use super::OperatorPage;
use super::deed::Within;

/// A page that one may go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    #[default]
    Overview,
    People,
    Blocks,
    Failed,
    Codes,
}

/// A link of the navigation.
#[derive(Serialize)]
pub(super) struct Link {
    place: Place,
    label: &'static str,
    /// The label's second half, which narrow screens leave out.
    more: &'static str,
    path: String,
}

impl Place {
    const ALL: [Self; 5] = [
        Self::Overview,
        Self::People,
        Self::Blocks,
        Self::Failed,
        Self::Codes,
    ];

    const fn rest(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::People => "/people",
            Self::Blocks => "/blocks",
            Self::Failed => "/failed",
            Self::Codes => "/codes",
        }
    }

    const fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Overview => ("Overview", ""),
            Self::People => ("People", ""),
            Self::Blocks => ("Blocklist", ""),
            Self::Failed => ("Failed", " messages"),
            Self::Codes => ("Live codes", ""),
        }
    }

    pub(super) fn path(self) -> String {
        format!("{}{}", OperatorPage::PATH, self.rest())
    }

    /// Finds the page of an address; what is none is the first page.
    pub(super) fn of(uri: &Uri) -> Self {
        let found = Self::ALL
            .into_iter()
            .find(|place| place.path() == uri.path());
        found.unwrap_or_default()
    }

    pub(super) fn nav() -> Vec<Link> {
        let link = |place: Self| {
            let (label, more) = place.label();
            Link {
                place,
                label,
                more,
                path: place.path(),
            }
        };
        Self::ALL.into_iter().map(link).collect()
    }
}

/// A span to choose, as a link.
#[derive(Serialize)]
struct Span {
    name: &'static str,
    chosen: bool,
}

fn spans(chosen: Within) -> Vec<Span> {
    let span = |within: Within| Span {
        name: within.name(),
        chosen: within == chosen,
    };
    Within::ALL.into_iter().map(span).collect()
}

/// What an address says of the span.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    within: Within,
}

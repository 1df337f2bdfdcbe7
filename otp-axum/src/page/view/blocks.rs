//! Who is kept out.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use otp_core::clock::Timestamp;
use otp_core::store::BlockEntry;
use serde::{Deserialize, Serialize};

use super::super::Page;
use super::super::access::Visitor;
use super::super::deed::{Life, Wanted};
use super::super::form::Sent;
use super::super::render::Shown;
use super::super::trouble::{Trouble, Wrong};
use super::super::when::When;
use super::Place;

/// The most entries that are searched, and shown.
const READ: usize = 100_000;
const SHOWN: usize = 200;
const REASON: &str = "looking at the blocklist";

/// What is looked for.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct Sought {
    q: String,
}

/// What a link puts into the form.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Linked {
    kind: String,
    value: String,
}

/// What stands in the form that keeps somebody out.
#[derive(Default, Serialize)]
pub(in super::super) struct Filled {
    kind: String,
    value: String,
    life: Life,
    reason: String,
    wrong: Option<Wrong>,
}

impl Filled {
    /// Takes what was typed.
    pub(in super::super) fn again(wanted: &Wanted) -> Self {
        Self {
            kind: wanted.kind.clone(),
            value: wanted.value.clone(),
            life: wanted.life,
            reason: wanted.reason.clone(),
            wrong: None,
        }
    }
}

#[derive(Serialize)]
struct View {
    place: Place,
    sought: String,
    all: usize,
    found: usize,
    entries: Vec<Entry>,
    filled: Filled,
}

/// An entry, masked.
#[derive(Serialize)]
pub(super) struct Entry {
    kind: &'static str,
    masked: String,
    note: String,
    author: String,
    added: When,
    expires: Option<When>,
    /// Sealed, for the form that takes it off.
    sealed: String,
}

impl Entry {
    pub(super) fn of(
        page: &Page,
        visitor: &Visitor,
        entry: &BlockEntry,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        Ok(Self {
            kind: entry.block.kind().name(),
            masked: entry.block.masked(),
            note: entry.note.clone(),
            author: entry.author.clone(),
            added: When::of(entry.added_at, now),
            expires: entry.expires_at.map(|at| When::of(at, now)),
            sealed: page.name_entry(visitor, &entry.block)?,
        })
    }
}

pub(in super::super) async fn show(
    State(page): State<Arc<Page>>,
    Extension(visitor): Extension<Visitor>,
    linked: Result<Query<Linked>, QueryRejection>,
) -> Shown {
    let Linked { kind, value } = linked.map(|Query(linked)| linked).unwrap_or_default();
    let filled = Filled {
        kind,
        value,
        ..Filled::default()
    };
    let view = page.listed(&visitor, String::new(), filled).await;
    page.shown(&visitor, "blocks.html", view)
}

/// The words come in a form and not in the address: they may be somebody's number, and addresses
/// are written down on the way.
pub(in super::super) async fn search(
    State(page): State<Arc<Page>>,
    Extension(visitor): Extension<Visitor>,
    Sent(sought): Sent<Sought>,
) -> Shown {
    let view = page.listed(&visitor, sought.q, Filled::default()).await;
    page.shown(&visitor, "blocks.html", view)
}

impl Page {
    async fn listed(
        &self,
        visitor: &Visitor,
        sought: String,
        filled: Filled,
    ) -> Result<View, Trouble> {
        let now = self.store_time().await?;
        let mut found = self.operator(visitor, REASON)?.blocks(READ).await?;
        let all = found.len();
        let words: Vec<String> = sought.split_whitespace().map(str::to_lowercase).collect();
        found.retain(|entry| words.iter().all(|word| fits(entry, word)));
        let entries = found.iter().take(SHOWN);
        let entries = entries.map(|entry| Entry::of(self, visitor, entry, now));
        Ok(View {
            place: Place::Blocks,
            entries: entries.collect::<Result<_, _>>()?,
            found: found.len(),
            all,
            sought,
            filled,
        })
    }

    /// Shows the form with what was typed and what is wrong with it; other trouble as it is.
    pub(in super::super) async fn fill_again(
        &self,
        visitor: &Visitor,
        typed: Filled,
        trouble: Trouble,
    ) -> Shown {
        let wrong = trouble.wrong();
        if wrong.is_none() {
            return self.trouble(Some(visitor), trouble);
        }
        let filled = Filled { wrong, ..typed };
        match self.listed(visitor, String::new(), filled).await {
            Ok(view) => {
                let shown = self.render("blocks.html", Some(visitor), &view);
                shown.with(trouble.status())
            }
            Err(worse) => self.trouble(Some(visitor), worse),
        }
    }
}

fn fits(entry: &BlockEntry, word: &str) -> bool {
    let parts = [
        entry.block.value(),
        entry.block.kind().name(),
        &entry.note,
        &entry.author,
    ];
    parts.iter().any(|part| part.to_lowercase().contains(word))
}

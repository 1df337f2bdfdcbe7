use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::Operator;
use super::records::{self, Reach};
use crate::event::{Event, EventKind, Outcome};
use crate::quota::ClientAddress;
use crate::request::SubjectKey;
use crate::verifier::Unavailable;

/// The most different sources that are told apart in one look.
const SOURCES: usize = 100_000;
/// The most accounts that are counted for one source.
const ACCOUNTS: usize = 10_000;

/// Somebody, or somewhere, whose requests were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// Who: an address (of IPv6 its /64), an account, or the beginning of numbers as masks show it.
    pub name: String,
    /// How many requests were refused.
    pub refused: u64,
    /// Of those, how many by a limit.
    pub by_limits: u64,
    /// Of those, how many by a lock, or because the authenticator is disabled.
    pub by_locks: u64,
    /// Of those, how many by the blocklist.
    pub by_blocks: u64,
    /// How many different accounts were aimed at. One address with many is a sprayer.
    pub accounts: usize,
    /// The account's key, of a source that is one: what [`Whom::Account`](super::Whom::Account)
    /// takes.
    pub account: Option<SubjectKey>,
}

/// Who is refused most, over a time.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Attackers {
    /// Client addresses.
    pub addresses: Vec<Source>,
    /// Accounts, and destinations without one by their pseudonym.
    pub subjects: Vec<Source>,
    /// Beginnings of phone numbers, and domains.
    pub prefixes: Vec<Source>,
    /// How many requests were refused in all.
    pub refused: u64,
    /// How many were made in all: codes asked for, resent and tried.
    pub requests: u64,
    /// Whether all records of the time were read. Where not, the newest were, a hundred thousand of
    /// them.
    pub complete: bool,
}

#[derive(Default)]
struct Tally {
    refused: u64,
    by_limits: u64,
    by_locks: u64,
    by_blocks: u64,
    accounts: BTreeSet<SubjectKey>,
}

type Tallies = HashMap<String, Tally>;

impl Operator {
    /// Answers "who is attacking?": the addresses, accounts and prefixes with the most refusals
    /// within a time, from the records that the outbox still has.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn attackers(&self, within: Duration, top: usize) -> Result<Attackers, Unavailable> {
        self.note_look(self.look("attackers")).await?;
        let from = self.store().ping().await?.saturating_sub(within);
        let mut watch = Watch::default();
        let see = |event: Event| {
            if event.tenant == self.tenant {
                watch.see(&event);
            }
        };
        let reach = records::since(self.store(), from, see).await?;
        Ok(watch.told(top, reach))
    }
}

/// Looks at one record after the other.
#[derive(Default)]
pub(super) struct Watch {
    addresses: Tallies,
    subjects: Tallies,
    prefixes: Tallies,
    refused: u64,
    requests: u64,
}

impl Watch {
    pub(super) fn see(&mut self, event: &Event) {
        if !is_request(event) {
            return;
        }
        self.requests = self.requests.saturating_add(1);
        if event.outcome != Outcome::Refused {
            return;
        }
        self.refused = self.refused.saturating_add(1);
        let address = event.address.map(|it| ClientAddress::from(it).bucket());
        add(&mut self.addresses, address, event);
        let subject = event.subject.as_ref().map(|it| it.user_id().to_owned());
        add(&mut self.subjects, subject, event);
        let prefix = event.destination.as_deref().and_then(prefix);
        add(&mut self.prefixes, prefix, event);
    }

    pub(super) fn told(self, top: usize, reach: Reach) -> Attackers {
        Attackers {
            addresses: most(self.addresses, top, |_| None),
            subjects: most(self.subjects, top, |tally| tally.accounts.first().cloned()),
            prefixes: most(self.prefixes, top, |_| None),
            refused: self.refused,
            requests: self.requests,
            complete: reach == Reach::Whole,
        }
    }
}

fn is_request(event: &Event) -> bool {
    matches!(
        event.kind,
        EventKind::ChallengeIssued | EventKind::ChallengeResent | EventKind::ValidationAttempt
    )
}

/// What a mask shows of where messages go: the beginning of a number, the domain of an address.
fn prefix(masked: &str) -> Option<String> {
    match masked.split_once('@') {
        Some((_, domain)) => Some(format!("@{domain}")),
        None => masked.split('\u{2022}').next().map(str::to_owned),
    }
    .filter(|shown| !shown.is_empty())
}

fn add(tallies: &mut Tallies, name: Option<String>, event: &Event) {
    let Some(name) = name else { return };
    if tallies.len() >= SOURCES && !tallies.contains_key(&name) {
        return;
    }
    let tally = tallies.entry(name).or_default();
    tally.refused = tally.refused.saturating_add(1);
    let reason = event.reason.as_deref().unwrap_or_default();
    let by = match reason {
        "locked" | "disabled" => Some(&mut tally.by_locks),
        "blocked" => Some(&mut tally.by_blocks),
        _ if reason.starts_with("quota") => Some(&mut tally.by_limits),
        _ => None,
    };
    if let Some(count) = by {
        *count = count.saturating_add(1);
    }
    if let Some(subject) = event
        .subject
        .as_ref()
        .filter(|_| tally.accounts.len() < ACCOUNTS)
    {
        tally.accounts.insert(subject.clone());
    }
}

fn most(tallies: Tallies, top: usize, account: fn(&Tally) -> Option<SubjectKey>) -> Vec<Source> {
    let mut sources: Vec<Source> = tallies
        .into_iter()
        .map(|(name, tally)| Source {
            name,
            refused: tally.refused,
            by_limits: tally.by_limits,
            by_locks: tally.by_locks,
            by_blocks: tally.by_blocks,
            accounts: tally.accounts.len(),
            account: account(&tally),
        })
        .collect();
    sources.sort_by(|one, two| {
        let more = two.refused.cmp(&one.refused);
        more.then_with(|| one.name.cmp(&two.name))
    });
    sources.truncate(top);
    sources
}

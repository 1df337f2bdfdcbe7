//! Who is refused, and why.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use otp_core::destination::{Destination, EmailAddress, PhoneNumber};
use otp_core::operator::{Attackers, Source, Whom};
use otp_core::request::SubjectId;
use serde::{Deserialize, Serialize};

use super::super::Page;
use super::super::access::Visitor;
use super::super::deed::Within;
use super::super::form::Sent;
use super::super::render::Shown;
use super::super::trouble::{Trouble, Wrong};
use super::told::{self, Answer};
use super::{Place, Span, spans};

/// Whom to show of those who were refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Only {
    #[default]
    All,
    Limited,
    Locked,
    Blocked,
}

/// What the address says.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Asked {
    within: Within,
    only: Only,
}

/// Somebody to look up: in the operator's words, or named by a page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(in super::super) struct Sought {
    who: String,
    whom: String,
}

#[derive(Serialize)]
struct View {
    place: Place,
    /// What was typed and is nobody, with what is wrong with it.
    who: String,
    wrong: Option<Wrong>,
    answer: Option<Answer>,
    spans: Vec<Span>,
    within: &'static str,
    only: Only,
    filters: Vec<Filter>,
    lists: Vec<List>,
    complete: bool,
}

#[derive(Serialize)]
struct Filter {
    name: Only,
    label: &'static str,
    chosen: bool,
}

/// One kind of source.
#[derive(Serialize)]
struct List {
    title: &'static str,
    /// Its rows tell how many accounts each aimed at.
    aims: bool,
    rows: Vec<Row>,
}

/// Somebody who was refused.
#[derive(Serialize)]
struct Row {
    name: String,
    refused: u64,
    limited: u64,
    locked: u64,
    blocked: u64,
    accounts: usize,
    /// The four before in words, for narrow screens.
    parts: Vec<String>,
    /// Sealed, where it can be looked up.
    whom: Option<String>,
    /// Where it can be blocked as it is: a beginning of numbers.
    prefix: Option<String>,
}

pub(in super::super) async fn show(
    State(page): State<Arc<Page>>,
    Extension(visitor): Extension<Visitor>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Shown {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let view = page.refused(&visitor, &asked).await;
    page.shown(&visitor, "people.html", view)
}

pub(in super::super) async fn look_up(
    State(page): State<Arc<Page>>,
    Extension(visitor): Extension<Visitor>,
    Sent(sought): Sent<Sought>,
) -> Shown {
    if sought.whom.is_empty() && whom(&sought.who).is_none() {
        return page.sought_nobody(&visitor, sought.who).await;
    }
    let view = async {
        let whom = match sought.whom.as_str() {
            "" => whom(&sought.who).ok_or(Trouble::Whom)?,
            sealed => page.read_whom(&visitor, sealed)?,
        };
        let answer = told::explain(&page, &visitor, &whom).await?;
        Ok(View {
            answer: Some(answer),
            ..View::empty(&Asked::default())
        })
    };
    let view = view.await;
    page.shown(&visitor, "people.html", view)
}

/// Reads whom an operator means: an address of a client, an e-mail address, a phone number, else an
/// account by the host's id.
fn whom(text: &str) -> Option<Whom> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Whom::Address(address));
    }
    if text.contains('@')
        && let Ok(email) = EmailAddress::parse(text)
    {
        return Some(Whom::Destination(Destination::from(email)));
    }
    match PhoneNumber::parse_lenient(text, None) {
        Ok(phone) => Some(Whom::Destination(Destination::from(phone))),
        // Whoever writes a plus means a number, and no account is called like one that is none.
        Err(_) if text.starts_with('+') => None,
        Err(_) => SubjectId::new(text).ok().map(Whom::Subject),
    }
}

impl View {
    fn empty(asked: &Asked) -> Self {
        let filter = |(name, label)| Filter {
            name,
            label,
            chosen: name == asked.only,
        };
        let filters = [
            (Only::All, "All"),
            (Only::Limited, "Rate limited"),
            (Only::Locked, "Locked"),
            (Only::Blocked, "Blocked"),
        ];
        Self {
            place: Place::People,
            who: String::new(),
            wrong: None,
            answer: None,
            spans: spans(asked.within),
            within: asked.within.name(),
            only: asked.only,
            filters: filters.into_iter().map(filter).collect(),
            lists: Vec::new(),
            complete: true,
        }
    }
}

impl Page {
    /// Shows the form with what was typed, and what is wrong with it.
    async fn sought_nobody(&self, visitor: &Visitor, who: String) -> Shown {
        let listed = self.refused(visitor, &Asked::default()).await;
        let view = View {
            who,
            wrong: Trouble::Whom.wrong(),
            ..listed.unwrap_or_else(|_| View::empty(&Asked::default()))
        };
        let shown = self.render("people.html", Some(visitor), &view);
        shown.with(Trouble::Whom.status())
    }

    async fn refused(&self, visitor: &Visitor, asked: &Asked) -> Result<View, Trouble> {
        let snapshot = self.snapshot(visitor, asked.within).await;
        let overview = snapshot.overview.as_ref().map_err(|trouble| *trouble)?;
        let Attackers {
            subjects,
            addresses,
            prefixes,
            complete,
            ..
        } = &overview.attackers;
        let list = |title, aims, sources: &[Source]| {
            let meant = sources.iter().filter(|source| asked.only.means(source));
            let rows = meant
                .map(|source| self.row(visitor, source, aims))
                .collect::<Result<_, _>>()?;
            Ok::<_, Trouble>(List { title, aims, rows })
        };
        Ok(View {
            lists: vec![
                list("Accounts and numbers", false, subjects)?,
                list("Client addresses", true, addresses)?,
                list("Beginnings of numbers, and domains", true, prefixes)?,
            ],
            complete: *complete,
            ..View::empty(asked)
        })
    }

    fn row(&self, visitor: &Visitor, source: &Source, aims: bool) -> Result<Row, Trouble> {
        let address = source
            .name
            .split('/')
            .next()
            .and_then(|name| name.parse().ok());
        let whom = match &source.account {
            Some(account) => Some(Whom::Account(account.clone())),
            None => address.map(Whom::Address),
        };
        let digits = source.name.strip_prefix('+');
        let is_prefix = digits.is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
        Ok(Row {
            refused: source.refused,
            limited: source.by_limits,
            locked: source.by_locks,
            blocked: source.by_blocks,
            accounts: source.accounts,
            parts: parts(source, aims),
            whom: whom
                .map(|whom| self.name_whom(visitor, &whom))
                .transpose()?,
            prefix: is_prefix.then(|| source.name.clone()),
            name: source.name.clone(),
        })
    }
}

/// Says what a source was refused by, and how many accounts it aimed at.
fn parts(source: &Source, aims: bool) -> Vec<String> {
    let by = [
        (source.by_limits, "by limits"),
        (source.by_locks, "by locks"),
        (source.by_blocks, "by blocks"),
    ];
    let by = by.into_iter().filter(|(count, _)| *count > 0);
    let by = by.map(|(count, what)| format!("{count} {what}"));
    let aims = aims.then(|| match source.accounts {
        1 => "1 account".to_owned(),
        many => format!("{many} accounts"),
    });
    by.chain(aims).collect()
}

impl Only {
    fn means(self, source: &Source) -> bool {
        match self {
            Self::All => true,
            Self::Limited => source.by_limits > 0,
            Self::Locked => source.by_locks > 0,
            Self::Blocked => source.by_blocks > 0,
        }
    }
}

//! The dry run, and the deed.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use otp_core::clock::Timestamp;
use otp_core::store::Seen;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Page;
use super::access::Visitor;
use super::cookie::{self, Name};
use super::deed::{Told, Wanted};
use super::form::Sent;
use super::origin::Scheme;
use super::reference::Use;
use super::render::Shown;
use super::trouble::{Trouble, Wrong};
use super::view::Place;
use super::view::blocks::Filled;

/// How long a dry run is a base for the deed.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// How long what was done waits to be said.
const NOTICE: Duration = Duration::from_secs(60);

/// Why a dry run is made before anybody has said why.
const UNSAID: &str = "dry run on the operator page";

/// The page that asks.
#[derive(Serialize)]
struct Confirm {
    question: String,
    told: Told,
    caution: String,
    reason: String,
    wrong: Option<Wrong>,
    button: &'static str,
    ticket: String,
    place: Place,
    back: String,
}

/// The form that does what was tried.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmed {
    ticket: String,
    #[serde(default)]
    reason: String,
}

pub(super) async fn check(
    State(page): State<Arc<Page>>,
    Extension(visitor): Extension<Visitor>,
    Sent(wanted): Sent<Wanted>,
) -> Shown {
    let typed = wanted.is_typed().then(|| Filled::again(&wanted));
    match (page.ask(&visitor, wanted).await, typed) {
        (Err(trouble), Some(typed)) => page.fill_again(&visitor, typed, trouble).await,
        (asked, _) => page.shown(&visitor, "confirm.html", asked),
    }
}

pub(super) async fn apply(
    State(page): State<Arc<Page>>,
    Extension(visitor): Extension<Visitor>,
    Sent(confirmed): Sent<Confirmed>,
) -> Response {
    // A browser that is clicked twice drops the first request: the deed goes on without it.
    let (ours, operator, form) = (Arc::clone(&page), visitor.clone(), confirmed.clone());
    let doing = tokio::spawn(async move { ours.carry_out(&operator, &form).await });
    match doing.await.unwrap_or(Err(Trouble::Ours)) {
        Err(Trouble::Reason) => {
            let asked = page.ask_again(&visitor, confirmed).await;
            let status = Trouble::Reason.status();
            let asked = asked.map(|view| page.render("confirm.html", Some(&visitor), &view));
            match asked {
                Ok(shown) => shown.with(status).into_response(),
                Err(trouble) => page.trouble(Some(&visitor), trouble).into_response(),
            }
        }
        Err(trouble) => page.trouble(Some(&visitor), trouble).into_response(),
        Ok((place, notice)) => {
            let mut response = Redirect::to(&place.path()).into_response();
            let session = visitor.session.as_ref();
            let scheme = session.map_or(Scheme::Https, |session| session.scheme);
            cookie::set(
                response.headers_mut(),
                Name::Notice,
                &notice,
                NOTICE,
                scheme,
            );
            response
        }
    }
}

impl Page {
    async fn ask(&self, visitor: &Visitor, wanted: Wanted) -> Result<Confirm, Trouble> {
        // A form does not say when it was tried.
        if wanted.tried_at().is_some() {
            return Err(Trouble::Malformed);
        }
        let operator = match wanted.reason.as_str() {
            "" => self.operator(visitor, UNSAID)?,
            reason => self.operator(visitor, reason)?,
        };
        let now = self.store_time().await?;
        let deed = self.deed(visitor, &wanted, now)?;
        let told = deed.run(&operator.preview()).await?;
        let reason = wanted.reason.clone();
        let place = deed.place();
        Ok(Confirm {
            question: deed.question(),
            caution: deed.caution(),
            button: deed.button(),
            ticket: self.seal(visitor, Use::Ticket, &wanted.tried(now))?,
            back: place.path(),
            told,
            reason,
            wrong: None,
            place,
        })
    }

    /// Asks once more where the reason was none, with what was typed; it is tried afresh.
    async fn ask_again(&self, visitor: &Visitor, confirmed: Confirmed) -> Result<Confirm, Trouble> {
        let wanted: Wanted = self.open(visitor, Use::Ticket, &confirmed.ticket)?;
        let asked = self.ask(visitor, wanted.untried()).await?;
        Ok(Confirm {
            reason: confirmed.reason,
            wrong: Trouble::Reason.wrong(),
            ..asked
        })
    }

    async fn carry_out(
        &self,
        visitor: &Visitor,
        confirmed: &Confirmed,
    ) -> Result<(Place, String), Trouble> {
        let operator = self.operator(visitor, &confirmed.reason)?;
        let wanted: Wanted = self.open(visitor, Use::Ticket, &confirmed.ticket)?;
        let tried = wanted.tried_at().ok_or(Trouble::Stale)?;
        if self.store_time().await?.since(tried) > FRESH {
            return Err(Trouble::Stale);
        }
        let deed = self.deed(visitor, &wanted, tried)?;
        let deal = self.done.of(&confirmed.ticket);
        deal.ours
            .get_or_try_init(|| self.spend(&confirmed.ticket))
            .await?;
        // What failed may be done again by the same form: nobody knows how far it came.
        let doing = deal.told.get_or_try_init(|| deed.run(&operator));
        let told = doing.await;
        // What is shown from now on must show it, or that nobody knows.
        self.gathered.forget().await;
        let notice = self.seal(visitor, Use::Notice, told?)?;
        Ok((deed.place(), notice))
    }

    /// Takes a confirmation for this instance, of all that there are.
    async fn spend(&self, ticket: &str) -> Result<(), Trouble> {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(ticket.as_bytes()));
        let key = format!("operator-page:{digest}");
        // Until then its dry run is out of date.
        match self
            .verifier
            .store()
            .first_seen(&key, FRESH.saturating_mul(2))
            .await?
        {
            Seen::First => Ok(()),
            Seen::Again => Err(Trouble::Spent),
        }
    }

    /// Reads the clock that codes and failures are dated by.
    pub(super) async fn store_time(&self) -> Result<Timestamp, Trouble> {
        Ok(self.verifier.store().ping().await?)
    }
}

//! Who acts, why, and whether in earnest.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use otp_core::event::{Act, OperatorName, Reason};
use otp_core::operator::{Count, Effect, Mode, Operator, Whom};
use otp_core::request::RequestContext;
use otp_core::verifier::Verifier;
use serde::Serialize;

use super::people::{People, clear_limits_of, everything_of};
use crate::openapi::Schema;
use crate::{ApiError, Client, Refusal};

const REASON: &str = "x-admin-reason";
/// What is on record where nobody says why.
const UNSAID: &str = "no reason given";

/// An operator at work: what a handler behind a [`Guard`](super::Guard) acts through.
///
/// `X-Admin-Reason` says why, else what the handler finds in its body; where nobody says, the
/// record has "no reason given". `?dry_run=true` makes it a preview; on what changes things any
/// other query is refused as `unknown_query`, because a misspelt one must not act in earnest.
///
/// # Examples
/// ```
/// use axum::Json;
/// use axum::extract::State;
/// use otp_axum::operators::{Desk, Done};
/// use otp_axum::ApiError;
/// use otp_core::verifier::Verifier;
///
/// async fn close_shop(State(verifier): State<Verifier>, desk: Desk) -> Result<Json<Done>, ApiError> {
///     desk.operator(&verifier, None)?.record("close_shop").await?;
///     Ok(Done::one(desk.mode(), "the shop".to_owned()))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Desk {
    name: OperatorName,
    reason: Option<Reason>,
    mode: Mode,
    context: RequestContext,
    people: Option<People>,
}

impl<S: Send + Sync> FromRequestParts<S> for Desk {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let name = parts.extensions.get::<OperatorName>().cloned();
        let name = name.ok_or(Refusal::UNAUTHORIZED)?;
        let reason = match parts.headers.get(REASON) {
            None => None,
            Some(text) => Some(reason(text.to_str().unwrap_or_default())?),
        };
        let query = parts.uri.query().unwrap_or_default();
        let mode = mode(&parts.method, query)?;
        let Client(context) = Client::of(parts);
        Ok(Self {
            name,
            reason,
            mode,
            context,
            people: parts.extensions.get().cloned(),
        })
    }
}

/// Gives the reason of a request, as far as its header says one; `None` for nobody's.
pub(super) fn stated_reason(headers: &HeaderMap) -> Option<Reason> {
    let said = headers.get(REASON).and_then(|text| text.to_str().ok());
    let said = said.and_then(|text| reason(text).ok());
    said.or_else(|| reason(UNSAID).ok())
}

fn reason(text: &str) -> Result<Reason, Refusal> {
    Reason::new(text).map_err(|_| Refusal::INVALID_REASON)
}

/// Reads `dry_run`. On what changes things anything else in the query is refused, but the version
/// that is put in place of: a misspelt one must not act in earnest.
fn mode(method: &Method, query: &str) -> Result<Mode, Refusal> {
    let mut said = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let mode = match pair {
            "dry_run=true" | "dry_run=1" => Mode::Preview,
            "dry_run=false" | "dry_run=0" => Mode::Apply,
            _ if method == Method::GET => continue,
            _ if method == Method::PUT && pair.starts_with("version=") => continue,
            _ => return Err(Refusal::UNKNOWN_QUERY),
        };
        // Of two that differ, either could be what was meant.
        if said.replace(mode).is_some() {
            return Err(Refusal::UNKNOWN_QUERY);
        }
    }
    Ok(said.unwrap_or(Mode::Apply))
}

impl Desk {
    /// Gives the library's calls. What the body says of the reason counts where no header does.
    ///
    /// # Errors
    /// [`Refusal::INVALID_REASON`].
    pub fn operator(&self, verifier: &Verifier, said: Option<&str>) -> Result<Operator, Refusal> {
        let act = self.act(said)?;
        let operator = verifier.operator(act).from(&self.context);
        Ok(match self.mode {
            Mode::Apply => operator,
            Mode::Preview => operator.preview(),
        })
    }

    /// Says who acts, and why.
    ///
    /// # Errors
    /// [`Refusal::INVALID_REASON`].
    pub fn act(&self, said: Option<&str>) -> Result<Act, Refusal> {
        let reason = match (&self.reason, said) {
            (Some(reason), _) => reason.clone(),
            (None, Some(said)) => reason(said)?,
            (None, None) => reason(UNSAID)?,
        };
        Ok(Act {
            operator: self.name.clone(),
            reason,
        })
    }

    /// Lists everything that codes, limits and locks of somebody are kept by.
    pub(super) async fn everything_of(&self, whom: Whom) -> Result<Vec<Whom>, ApiError> {
        everything_of(self.people.as_ref(), whom).await
    }

    pub(super) async fn clear_limits_of_host(&self, whom: &Whom) -> Result<Effect, ApiError> {
        clear_limits_of(self.people.as_ref(), whom, self.mode).await
    }

    /// Names the operator.
    #[must_use]
    pub fn name(&self) -> &OperatorName {
        &self.name
    }

    /// Says whether the call is one in earnest.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }
}

/// The answer of a call that changes something: what was done, or would be.
#[derive(Clone, Debug, Serialize)]
pub struct Done {
    status: &'static str,
    dry_run: bool,
    count: u64,
    /// There are more than were counted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
    sample: Vec<String>,
}

impl Done {
    /// Describes it.
    #[must_use]
    pub fn schema() -> Schema {
        Schema::object([
            ("status", Schema::word(["ok"])),
            ("dry_run", Schema::flag()),
            ("count", Schema::integer()),
            (
                "more?",
                Schema::flag().about("there are more than were counted"),
            ),
            ("sample", Schema::list(&Schema::text())),
        ])
    }

    /// Tells what a call of the library did.
    pub fn of(effect: Effect) -> Json<Self> {
        Json(Self {
            status: "ok",
            dry_run: effect.mode == Mode::Preview,
            count: effect.count.number(),
            more: matches!(effect.count, Count::AtLeast(_)),
            sample: effect.sample,
        })
    }

    /// Tells of one thing, that no call of the library counts.
    pub fn one(mode: Mode, what: String) -> Json<Self> {
        Self::all(mode, vec![what])
    }

    /// Tells of one such thing, and what it changes.
    pub(super) fn with(mode: Mode, what: String, changes: Vec<String>) -> Json<Self> {
        let Json(mut done) = Self::one(mode, what);
        done.sample.extend(changes);
        Json(done)
    }

    /// Tells of several such things.
    pub(super) fn all(mode: Mode, what: Vec<String>) -> Json<Self> {
        Json(Self {
            status: "ok",
            dry_run: mode == Mode::Preview,
            count: u64::try_from(what.len()).unwrap_or(u64::MAX),
            more: false,
            sample: what,
        })
    }
}

//! A store that is asked where no server runs.
//!
//! The same operators' routes as a server's answer the same calls, in this process and over no
//! network. The verifier beneath them sends nothing, and makes no tables.

mod accounts;
mod nobody;
mod open;
mod settings;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, HeaderValue};
use otp_axum::Edge;
use otp_axum::operators::{self, Guard, OperatorTokens};
use otp_kit::random::{OsRandom, SecureRandom as _};
use reqwest::{Request, Response};
use tokio::sync::OnceCell;
use tower::ServiceExt as _;

use crate::failure::Failure;
use accounts::Users;
use settings::Settings;

/// A service that decides in Redis has nothing of it in its database, which looks like peace.
const UNSAID: &str = "REDIS_URL is not set here, so the database alone is asked. Where the service has \
    a Redis, its live codes, limits, locks and blocks are there: set REDIS_URL as it has it, or to \
    nothing where it has none";

/// Opened by the first call: what asks nothing of it works where it is not there.
pub(crate) struct Store {
    settings: Settings,
    desk: OnceCell<Desk>,
}

/// The operators' routes, and what opens them.
struct Desk {
    routes: Router,
    bearer: HeaderValue,
}

impl Store {
    /// Takes a URL, and what the server would read of the environment beside it.
    pub(crate) fn at(url: &str) -> Result<Self, Failure> {
        Ok(Self {
            settings: Settings::read(url)?,
            desk: OnceCell::new(),
        })
    }

    /// Says what is missing for an export of the audit log, which is sealed by the server's keys.
    pub(crate) fn check_export(&self) -> Result<(), Failure> {
        let why = if self.settings.database.is_none() {
            "the audit log is in the database: name it by --server, and Redis by REDIS_URL"
        } else if self.settings.keys.is_none() {
            "an export is sealed by the server's keys: set OTP_KEYS, OTP_KEYS_FILE or SECRET_KEY"
        } else {
            return Ok(());
        };
        Err(Failure::Unfit(why.to_owned()))
    }

    /// Says whether the policy of the fleet is here. Beside a database it is in that.
    pub(crate) fn check_policy(&self) -> Result<(), Failure> {
        match self.settings.database {
            Some(_) => Ok(()),
            None => Err(Failure::Unfit(
                "the policy is in the database: name it by --server, and Redis by REDIS_URL"
                    .to_owned(),
            )),
        }
    }

    /// Answers a call as a server would.
    pub(crate) async fn answer(&self, request: Request) -> Result<Response, Failure> {
        let lost = || Failure::Unavailable("the call cannot be made".to_owned());
        let desk = self.desk.get_or_try_init(|| self.open()).await?;
        let request = http::Request::try_from(request).map_err(|_| lost())?;
        let mut request = request.map(Body::new);
        let bearer = desk.bearer.clone();
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let Ok(answer) = desk.routes.clone().oneshot(request).await;
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|_| lost())?;
        Ok(http::Response::from_parts(head, body).into())
    }

    async fn open(&self) -> Result<Desk, Failure> {
        let (tokens, bearer) = operator()?;
        let verifier = open::open(&self.settings).await?;
        if self.settings.redis_is_unsaid {
            eprintln!("otpctl: {UNSAID}");
        }
        let mut guard = Guard::new(tokens, verifier.clone());
        if let Some(place) = &self.settings.database
            && let Some(users) = Users::of(place).await?
        {
            guard = guard.knowing(Arc::new(users));
        }
        let routes = guard.around(operators::routes(verifier));
        let routes = Edge::new().around(routes);
        Ok(Desk { routes, bearer })
    }
}

/// Containers and cron jobs have none of the three.
const NOBODY: &str = "is not set, nor are USER and LOGNAME: say who acts, as in OTPCTL_OPERATOR=mike; \
    the record names them";

/// Names who acts, and draws a token that nobody else ever sees.
fn operator() -> Result<(OperatorTokens, HeaderValue), Failure> {
    let unfit = |why: &str| Failure::Unfit(format!("OTPCTL_OPERATOR: {why}"));
    let name = ["OTPCTL_OPERATOR", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()))
        .ok_or_else(|| unfit(NOBODY))?;
    let mut drawn = [0_u8; 32];
    let unlucky = |_| Failure::Unavailable("there is no randomness here".to_owned());
    OsRandom.fill(&mut drawn).map_err(unlucky)?;
    let token: String = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
    let tokens = OperatorTokens::new().with(&name, &token);
    let tokens = tokens.map_err(|error| unfit(&error.to_string()))?;
    let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
    Ok((tokens, bearer.map_err(|_| unfit("cannot be told"))?))
}

/// Shows nothing: a URL may hold a password.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

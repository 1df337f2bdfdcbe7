use std::collections::VecDeque;
use std::future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};

use super::{HttpRequest, HttpResponse, HttpTransport, TransportError, TransportErrorKind};

/// A transport that answers from a script and keeps what it was asked. A clone shares both.
///
/// Without an answer left it fails as [`TransportErrorKind::Other`].
///
/// # Examples
/// ```
/// use otp_providers::http::ScriptedTransport;
///
/// let vendor = ScriptedTransport::new().then(201, r#"{"sid":"SM..."}"#).then_not_connected();
/// assert!(vendor.requests().is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ScriptedTransport(Arc<Mutex<Script>>);

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<Answer>,
    requests: Vec<HttpRequest>,
}

#[derive(Debug)]
enum Answer {
    Reply(HttpResponse),
    Failure(TransportError),
    Hang,
}

impl ScriptedTransport {
    /// Makes one with an empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a reply without headers; a status that HTTP does not know becomes 500.
    #[must_use]
    pub fn then(self, status: u16, body: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.then_reply(HttpResponse::new(status, HeaderMap::new(), body.to_owned()))
    }

    /// Adds a reply.
    #[must_use]
    pub fn then_reply(self, reply: HttpResponse) -> Self {
        self.push(Answer::Reply(reply))
    }

    /// Adds a refused connection.
    #[must_use]
    pub fn then_not_connected(self) -> Self {
        self.push(Answer::Failure(TransportError::new(
            TransportErrorKind::NotConnected,
            "connection refused",
        )))
    }

    /// Adds a reply that did not come in time.
    #[must_use]
    pub fn then_timeout(self) -> Self {
        self.push(Answer::Failure(TransportError::new(
            TransportErrorKind::Timeout,
            "deadline passed",
        )))
    }

    /// Adds a call that never ends.
    #[must_use]
    pub fn then_hang(self) -> Self {
        self.push(Answer::Hang)
    }

    /// Gives the requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.lock().requests.clone()
    }

    fn push(self, answer: Answer) -> Self {
        self.lock().answers.push_back(answer);
        self
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl HttpTransport for ScriptedTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let answer = {
            let mut script = self.lock();
            script.requests.push(request);
            script.answers.pop_front()
        };
        match answer {
            Some(Answer::Reply(reply)) => Ok(reply),
            Some(Answer::Failure(error)) => Err(error),
            Some(Answer::Hang) => future::pending().await,
            None => Err(TransportError::new(
                TransportErrorKind::Other,
                "the script has no answer left",
            )),
        }
    }
}

//! The one connection of a store, which comes back by itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use otp_core::store::{StoreError, StoreErrorKind};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, RedisError, Value, cmd};
use tokio::time::timeout;

use super::failure::{failed, is_forbidden, is_unknown_script};
use super::script::Source;
use crate::wire::corrupt;
use crate::wire::reply::{Part, Reply};
use crate::wire::request::Request;

/// How often a lost connection is tried anew before its callers hear of it.
const RETRIES: usize = 2;
/// The longest pause between two tries; the default grows to seconds, for every caller.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Link {
    manager: ConnectionManager,
    deadline: Duration,
    calls: AtomicU64,
}

impl Link {
    pub(super) async fn open(url: &str, deadline: Duration) -> Result<Self, StoreError> {
        let client = Client::open(url).map_err(|_| StoreErrorKind::Invalid)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(RETRIES)
            .set_max_delay(LONGEST_PAUSE)
            .set_connection_timeout(Some(deadline))
            .set_response_timeout(Some(deadline));
        let opening = ConnectionManager::new_with_config(client, config);
        let manager = timeout(deadline, opening)
            .await
            .map_err(|_| StoreErrorKind::Unavailable)?
            .map_err(|error| failed(&error))?;
        Ok(Self {
            manager,
            deadline,
            calls: AtomicU64::new(0),
        })
    }

    /// Carries a script out and answers what it answered.
    ///
    /// It runs in a task of its own: a caller who leaves takes nothing from the connection.
    pub(super) async fn ask(
        &self,
        source: &'static Source,
        request: Request,
    ) -> Result<Reply, StoreError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed).to_string();
        let body = request.text("call", &call).into_json();
        let manager = self.manager.clone();
        let task = tokio::spawn(async move { evaluate(manager, source, &body).await });
        let value = timeout(self.deadline, task)
            .await
            .map_err(|_| StoreErrorKind::Unavailable)?
            .map_err(|_| StoreErrorKind::Unavailable)?
            .map_err(|error| failed(&error))?;
        Reply::read(part(value)?, &call)
    }

    /// Sends a command; `None` where the server refuses it.
    pub(super) async fn try_tell(&self, command: Cmd) -> Result<Option<Value>, StoreError> {
        let mut manager = self.manager.clone();
        let sent = timeout(self.deadline, async move {
            command.query_async::<Value>(&mut manager).await
        });
        match sent.await.map_err(|_| StoreErrorKind::Unavailable)? {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_forbidden(&error) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// Takes a value of the protocol as the piece of an answer that it is.
fn part(value: Value) -> Result<Part, StoreError> {
    match value {
        Value::Array(values) => {
            let parts = values.into_iter().map(part).collect::<Result<_, _>>();
            parts.map(Part::List)
        }
        Value::BulkString(bytes) => {
            let text = String::from_utf8(bytes);
            text.map(Part::Text).map_err(|_| corrupt("a text"))
        }
        _ => Err(corrupt("an answer")),
    }
}

/// Names the script; where the server does not have it, sends it. Either way it runs once.
async fn evaluate(
    mut manager: ConnectionManager,
    source: &Source,
    body: &str,
) -> Result<Value, RedisError> {
    let named = cmd("EVALSHA").arg(&source.hash).arg(0).arg(body).to_owned();
    match named.query_async(&mut manager).await {
        Err(error) if is_unknown_script(&error) => {
            let sent = cmd("EVAL").arg(source.text).arg(0).arg(body).to_owned();
            sent.query_async(&mut manager).await
        }
        answer => answer,
    }
}

//! How functions are called: in a task of its own, within the deadline, once.

use std::future::Future;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use otp_core::store::{Connections, StoreError, StoreErrorKind};
use serde_json::Value;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Error, PgPool, Postgres};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::failure::{WRONG_ISOLATION, code, failed, is_undone};
use super::mark::{Mark, Told};
use crate::presence::Presence;
use crate::tables;
use crate::unheard::Unheard;
use crate::wire::corrupt;
use crate::wire::reply::{Part, Reply};
use crate::wire::request::{Request, millis};

/// How often a call that the server undid for another one's sake is made again.
const RETRIES: u32 = 3;

/// A function of the database; each takes a request and answers one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Admit,
    Insert,
    Settle,
    Query,
    Desk,
    Purge,
    Stats,
    Policy,
    Board,
    Factor,
    Delivery,
    Session,
    Chain,
    Device,
}

impl Function {
    const fn call(self) -> &'static str {
        match self {
            Self::Admit => "SELECT otp_admit_1($1::jsonb)::text",
            Self::Insert => "SELECT otp_insert_1($1::jsonb)::text",
            Self::Settle => "SELECT otp_settle_1($1::jsonb)::text",
            Self::Query => "SELECT otp_query_1($1::jsonb)::text",
            Self::Desk => "SELECT otp_desk_1($1::jsonb)::text",
            Self::Delivery => "SELECT otp_delivery_1($1::jsonb)::text",
            Self::Session => "SELECT otp_session_1($1::jsonb)::text",
            Self::Chain => "SELECT otp_chain_1($1::jsonb)::text",
            Self::Device => "SELECT otp_device_1($1::jsonb)::text",
            Self::Purge => "SELECT otp_purge_1($1::jsonb)::text",
            Self::Stats => "SELECT otp_stats_1($1::jsonb)::text",
            Self::Policy => "SELECT otp_policy_1($1::jsonb)::text",
            Self::Board => "SELECT otp_board_1($1::jsonb)::text",
            Self::Factor => "SELECT otp_factor_1($1::jsonb)::text",
        }
    }
}

pub(super) struct Link {
    pool: PgPool,
    deadline: Duration,
    calls: AtomicU64,
    mark: Mark,
    by_name: Arc<AtomicBool>,
    presence: Arc<Presence>,
}

/// Runs work in a task of its own: a caller who leaves in the middle of a query would leave its
/// connection in the middle of it too.
pub(super) async fn aside<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::spawn(work).await;
    done.map_err(|_| StoreErrorKind::Unavailable)?
}

impl Link {
    pub(super) fn new(pool: PgPool, deadline: Duration) -> Self {
        Self {
            pool,
            deadline,
            calls: AtomicU64::new(0),
            mark: Mark::default(),
            by_name: Arc::default(),
            presence: Arc::new(Presence::new(deadline)),
        }
    }

    pub(super) fn connections(&self) -> Connections {
        tables::connections(&self.pool)
    }

    /// Runs work aside, and waits for it up to the deadline; it goes on all the same.
    pub(super) async fn within<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let done = timeout(self.deadline, aside(work)).await;
        done.map_err(|_| Unheard::Late)?
    }

    /// Calls a function and reads what it answered.
    pub(super) async fn ask(
        &self,
        function: Function,
        request: Request,
    ) -> Result<Reply, StoreError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed).to_string();
        let patience = millis(self.deadline).clamp(1, 86_400_000);
        let mut request = request
            .text("call", &call)
            .text("patience", &format!("{patience}ms"));
        if let Some(told) = self.mark.read() {
            request = request
                .with("era", told.era.into())
                .with("floor", told.now.into());
        }
        let errand = Errand {
            pool: self.pool.clone(),
            until: Instant::now() + self.deadline,
            by_name: Arc::clone(&self.by_name),
            function,
            body: request.into_json(),
        };
        let presence = Arc::clone(&self.presence);
        let answer = aside(async move { presence.call(errand.carry_out()).await }).await?;
        let (told, parts) = opened(&answer)?;
        self.mark.raise(told);
        Reply::read(parts, &call)
    }
}

/// One call on its way.
struct Errand {
    pool: PgPool,
    until: Instant,
    /// Whether the pool's level is another one, so that READ COMMITTED must be asked for.
    by_name: Arc<AtomicBool>,
    function: Function,
    body: String,
}

impl Errand {
    async fn carry_out(self) -> Result<String, StoreError> {
        let mut tries = 0;
        loop {
            let error = match self.try_once().await? {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match code(&error).as_deref() {
                Some(WRONG_ISOLATION) if !self.by_name.swap(true, Ordering::Relaxed) => {}
                // Another call found out at the same time.
                Some(WRONG_ISOLATION) if tries < RETRIES => tries += 1,
                Some(code) if is_undone(code) && tries < RETRIES => {
                    tries += 1;
                    sleep(pause(tries)).await;
                }
                _ => return Err(failed(&error)),
            }
        }
    }

    /// Makes the call once. The outer error is one of time: then nobody knows what came of it.
    async fn try_once(&self) -> Result<Result<String, Error>, StoreError> {
        let acquired = timeout_at(self.until, self.pool.acquire()).await;
        let mut conn = match acquired.map_err(|_| Unheard::NoConnection)? {
            Ok(conn) => conn,
            Err(error) => return Ok(Err(error)),
        };
        let called = timeout_at(self.until, self.call(&mut conn)).await;
        let Ok(answer) = called else {
            hang_up(conn);
            return Err(Unheard::Late.into());
        };
        if let Err(error) = &answer
            && code(error).is_none()
        {
            hang_up(conn);
        }
        Ok(answer)
    }

    async fn call(&self, conn: &mut PgConnection) -> Result<String, Error> {
        let call = sqlx::query_scalar(self.function.call()).bind(self.body.as_str());
        if !self.by_name.load(Ordering::Relaxed) {
            return call.fetch_one(conn).await;
        }
        let mut tx = conn
            .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
            .await?;
        let answer = call.fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Ok(answer)
    }
}

/// Closes a connection that may be in the middle of something, without a word: a farewell would
/// have to wait for it.
fn hang_up(conn: PoolConnection<Postgres>) {
    drop(conn.detach());
}

/// Draws how long to wait before a further try, so that two who met do not meet again.
fn pause(tries: u32) -> Duration {
    // The hasher's keys are the standard library's own random ones; it guards nothing.
    let drawn = RandomState::new().build_hasher().finish() % 10;
    Duration::from_millis(drawn.saturating_add(1)).saturating_mul(1 << tries.min(RETRIES))
}

/// Takes an answer apart: the time that it was given at, and its parts with the call's number
/// before them.
fn opened(answer: &str) -> Result<(Told, Part), StoreError> {
    let unreadable = || corrupt("an answer");
    let mut answer: Value = serde_json::from_str(answer).map_err(|_| unreadable())?;
    let number = |name: &str| answer.get(name).and_then(Value::as_i64);
    let told = Told {
        era: number("era").ok_or_else(unreadable)?,
        now: number("now").ok_or_else(unreadable)?,
    };
    let call = answer.get_mut("call").map(Value::take);
    let parts = answer.get_mut("parts").map(Value::take);
    let (Some(call), Some(Value::Array(parts))) = (call, parts) else {
        return Err(unreadable());
    };
    let mut list = vec![part(call), Part::Text("ok".to_owned())];
    list.extend(parts.into_iter().map(part));
    Ok((told, Part::List(list)))
}

/// Takes a value as the piece of an answer that it is; what has names becomes names and values.
fn part(value: Value) -> Part {
    match value {
        Value::Null => Part::Text(String::new()),
        Value::String(text) => Part::Text(text),
        Value::Bool(_) | Value::Number(_) => Part::Text(value.to_string()),
        Value::Array(values) => Part::List(values.into_iter().map(part).collect()),
        Value::Object(fields) => Part::List(
            fields
                .into_iter()
                .flat_map(|(name, value)| [Part::Text(name), part(value)])
                .collect(),
        ),
    }
}

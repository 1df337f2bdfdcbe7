//! The one connection of a store. It is made anew once it is not to be trusted any more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use otp_core::store::{StoreError, StoreErrorKind, ToTheEnd};
use redis::{RedisError, Value, cmd};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::dial::{Dial, Wire};
use super::failure::{failed, has_moved, is_unknown_script, late, leaves};
use super::policy::{Eviction, keeps_everything};
use super::script::Source;
use crate::presence::Presence;
use crate::wire::corrupt;
use crate::wire::reply::{Part, Reply};
use crate::wire::request::Request;

/// How often a caller follows a shelf that has moved to another node.
const MOVES: u32 = 5;
/// The first pause before that; the next ones are longer.
const PAUSE: Duration = Duration::from_millis(5);
/// How long a connection to a cluster may mend itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an attempt to connect may take, where callers wait for less.
const LONGEST_DIAL: Duration = Duration::from_secs(4);
/// The connection that a store is opened with, whose server is asked for all that matters.
const FIRST: u64 = 1;
/// How long a connection may be silent and still be taken for open.
const IDLE: Duration = Duration::from_secs(1);

pub(super) struct Link {
    shared: Arc<Shared>,
    calls: AtomicU64,
}

struct Shared {
    dial: Dial,
    deadline: Duration,
    eviction: Eviction,
    line: RwLock<Option<Line>>,
    dialling: Mutex<Dialling>,
    presence: Presence,
}

/// What comes of an attempt to connect, for everybody who waits for it.
type Dialled = watch::Receiver<Option<Result<Line, Arc<StoreError>>>>;

/// The attempt that is under way, if any is, and how many were made.
#[derive(Default)]
struct Dialling {
    made: u64,
    running: Option<Dialled>,
}

#[derive(Clone)]
struct Line {
    number: u64,
    wire: Wire,
    made: Instant,
    answered: Arc<RwLock<Instant>>,
}

impl Line {
    fn new(number: u64, wire: Wire) -> Self {
        let made = Instant::now();
        let answered = Arc::new(RwLock::new(made));
        Self {
            number,
            wire,
            made,
            answered,
        }
    }

    /// Says whether it may have been closed since it was used; one to a cluster mends itself.
    fn is_stale(&self) -> bool {
        let answered = self.answered.read().unwrap_or_else(PoisonError::into_inner);
        matches!(self.wire, Wire::Server(_)) && answered.elapsed() > IDLE
    }

    fn has_answered(&self) {
        let mut answered = self
            .answered
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *answered = Instant::now();
    }
}

/// A question that was sent.
pub(super) struct Pending {
    task: JoinHandle<Result<Reply, StoreError>>,
}

impl Pending {
    pub(super) async fn answer(self) -> Result<Reply, StoreError> {
        self.task.await.map_err(|_| StoreErrorKind::Unavailable)?
    }
}

impl Link {
    pub(super) fn new(dial: Dial, deadline: Duration, eviction: Eviction) -> Self {
        let shared = Arc::new(Shared {
            dial,
            deadline,
            eviction,
            line: RwLock::new(None),
            dialling: Mutex::default(),
            presence: Presence::new(deadline),
        });
        Self {
            shared,
            calls: AtomicU64::new(0),
        }
    }

    /// Connects.
    pub(super) async fn open(&self) -> Result<(), StoreError> {
        let opened = timeout(self.shared.deadline, self.shared.line()).await;
        opened.map_err(|_| StoreErrorKind::Unavailable)??;
        Ok(())
    }

    /// Has a question asked that another one goes before, both within one deadline.
    pub(super) fn first(
        &self,
        question: impl Future<Output = Result<Reply, StoreError>> + Send + 'static,
    ) -> Pending {
        let deadline = self.shared.deadline;
        let task = tokio::spawn(async move {
            let answer = timeout(deadline, question).await;
            answer.unwrap_or_else(|_late| Err(StoreErrorKind::Unavailable.into()))
        });
        Pending { task }
    }

    pub(super) fn deadline(&self) -> Duration {
        self.shared.deadline
    }

    /// Has a script carried out where a key lies, beside whatever else the caller does.
    pub(super) fn begin(&self, source: &'static Source, route: &str, request: Request) -> Pending {
        let task = tokio::spawn(self.question(source, route, request));
        Pending { task }
    }

    /// Has a script carried out where a key lies, and waits for it. Waiting in the caller's own task
    /// spares a switch each way; a caller who leaves takes nothing from the connection.
    pub(super) async fn ask(
        &self,
        source: &'static Source,
        route: &str,
        request: Request,
    ) -> Result<Reply, StoreError> {
        let question = Box::pin(self.question(source, route, request));
        let answer = ToTheEnd::new(question).await;
        answer.unwrap_or_else(|| Err(StoreErrorKind::Unavailable.into()))
    }

    fn question(
        &self,
        source: &'static Source,
        route: &str,
        request: Request,
    ) -> impl Future<Output = Result<Reply, StoreError>> + Send + use<> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed).to_string();
        let body = request.text("call", &call).into_json();
        let (shared, route) = (Arc::clone(&self.shared), route.to_owned());
        async move {
            let carried = shared.carry(source, &route, &call, &body);
            shared.presence.call(carried).await
        }
    }
}

impl Shared {
    async fn carry(
        self: &Arc<Self>,
        source: &Source,
        route: &str,
        call: &str,
        body: &str,
    ) -> Result<Reply, StoreError> {
        let mut used = None;
        let done = timeout(self.deadline, async {
            let mut line = self.line().await?;
            used = Some(line.number);
            if line.is_stale() && !answers(line.wire.clone()).await {
                self.leave(line.number);
                line = self.line().await?;
                used = Some(line.number);
            }
            let answer = evaluate(line.wire.clone(), source, route, body).await;
            line.has_answered();
            answer.map_err(|error| {
                if leaves(&error) {
                    self.leave(line.number);
                }
                failed(&error)
            })
        });
        let Ok(done) = done.await else {
            if let Some(number) = used {
                self.leave(number);
            }
            return Err(late());
        };
        let reply = Reply::read(part(done?)?, call);
        // The answer to another question: whatever follows on this connection may be, too.
        if let (Err(error), Some(number)) = (&reply, used)
            && error.kind() == StoreErrorKind::Unavailable
        {
            self.leave(number);
        }
        reply
    }

    async fn line(self: &Arc<Self>) -> Result<Line, StoreError> {
        if let Some(line) = self.current() {
            return Ok(line);
        }
        let mut dialled = {
            let mut dialling = self.dialling();
            if let Some(line) = self.current() {
                return Ok(line);
            }
            match &dialling.running {
                // One whose task is gone tells nobody anything.
                Some(running) if running.has_changed().is_ok() => running.clone(),
                _ => self.connect(&mut dialling),
            }
        };
        let done = dialled.wait_for(Option::is_some).await;
        let done = done.map_err(|_| StoreErrorKind::Unavailable)?;
        match &*done {
            Some(Ok(line)) => Ok(line.clone()),
            Some(Err(error)) => Err(StoreError::new(error.kind()).with_source(Arc::clone(error))),
            None => Err(StoreErrorKind::Unavailable.into()),
        }
    }

    /// Connects in a task of its own: what takes longer than one caller waits is there for the
    /// next ones.
    fn connect(self: &Arc<Self>, dialling: &mut Dialling) -> Dialled {
        let (tell, dialled) = watch::channel(None);
        dialling.running = Some(dialled.clone());
        let number = dialling.made.wrapping_add(1);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let longest = shared.deadline.max(LONGEST_DIAL);
            let wire = timeout(longest, shared.wire(number)).await;
            let wire = wire.unwrap_or_else(|_late| Err(late()));
            let mut dialling = shared.dialling();
            let made = wire.map(|wire| Line::new(number, wire)).map_err(Arc::new);
            if let Ok(line) = &made {
                dialling.made = number;
                let mut kept = shared.line.write().unwrap_or_else(PoisonError::into_inner);
                *kept = Some(line.clone());
            }
            dialling.running = None;
            // Nobody may wait any more.
            let _ = tell.send(Some(made));
        });
        dialled
    }

    /// Connects; the server may be another one than before, and evict.
    async fn wire(&self, number: u64) -> Result<Wire, StoreError> {
        let failed = |error: RedisError| failed(&error);
        let mut wire = self.dial.connect().await.map_err(failed)?;
        let is_known = number == FIRST || matches!(wire, Wire::Cluster(_));
        if self.eviction == Eviction::Refused && !is_known {
            let ask = cmd("INFO").arg("memory").to_owned();
            let told: String = ask.query_async(&mut wire).await.map_err(failed)?;
            if !keeps_everything(&told) {
                return Err(StoreErrorKind::Unavailable.into());
            }
        }
        Ok(wire)
    }

    fn dialling(&self) -> MutexGuard<'_, Dialling> {
        let dialling = self.dialling.lock();
        dialling.unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<Line> {
        let line = self.line.read().unwrap_or_else(PoisonError::into_inner);
        line.clone()
    }

    /// Lets a connection go; those who still wait for an answer of it keep it until then. One to a
    /// cluster mends itself mostly, and one node that is down must not cost the others their
    /// callers: it is left rarely.
    fn leave(&self, number: u64) {
        let mut line = self.line.write().unwrap_or_else(PoisonError::into_inner);
        line.take_if(|line| {
            let mends = matches!(line.wire, Wire::Cluster(_)) && line.made.elapsed() < PATIENCE;
            line.number == number && !mends
        });
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

/// Asks for a sign of life: whether a connection was closed shows only when it is used, and a
/// script must not be sent twice.
async fn answers(mut wire: Wire) -> bool {
    cmd("PING").exec_async(&mut wire).await.is_ok()
}

/// Names the script; where the server does not have it, sends it. Either way it runs once: nothing
/// is sent again but what a server has refused to run.
async fn evaluate(
    mut wire: Wire,
    source: &Source,
    route: &str,
    body: &str,
) -> Result<Value, RedisError> {
    let command = |name, script: &str| cmd(name).arg(script).arg(1).arg(route).arg(body).to_owned();
    let mut next = command("EVALSHA", &source.hash);
    let mut moves = 0;
    loop {
        let error = match next.query_async(&mut wire).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if is_unknown_script(&error) {
            next = command("EVAL", source.text);
        } else if has_moved(&error) && moves < MOVES {
            // By then the client has learnt where to.
            tokio::time::sleep(PAUSE.saturating_mul(1 << moves)).await;
            moves += 1;
        } else {
            return Err(error);
        }
    }
}

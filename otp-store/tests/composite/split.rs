use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use otp_core::challenge::ConsumeOutcome;
use otp_core::event::{EventId, EventKind};
use otp_core::store::{AuditStore as _, ChallengeStore as _, Condition, Duty, StoreErrorKind};
use otp_core::testing::store::kit;
use otp_store::{MemoryStore, Split};

use crate::fixture::{guess, issue, unavailable, win};
use crate::switch::{DOWN, Mode, Switched};

type Part = Switched<MemoryStore>;

struct Halves {
    store: Split<Part, Part>,
    decisions: Part,
    audit: Part,
}

impl Halves {
    fn new() -> Self {
        let part = || Switched::around(MemoryStore::new());
        let (decisions, audit) = (part(), part());
        Self {
            store: Split::new(decisions.clone(), audit.clone(), "postgres"),
            decisions,
            audit,
        }
    }

    async fn kept(&self) -> Vec<EventId> {
        names(&self.audit).await
    }

    async fn waiting(&self) -> Vec<EventId> {
        names(&self.decisions).await
    }
}

async fn names(part: &Part) -> Vec<EventId> {
    let entries = part.inner.outbox(None, 10_000).await.unwrap();
    entries.into_iter().map(|entry| entry.event.id).collect()
}

#[tokio::test]
async fn records_are_handed_over_in_order_and_leave_the_place_where_they_were_made() {
    let halves = Halves::new();
    let challenge = issue(&halves.store, "ann").await.unwrap();
    guess(&halves.store, &challenge).await.unwrap();
    let alone = kit::event(EventKind::CodeSent);
    halves.store.append(alone.clone()).await.unwrap();
    let made = halves.waiting().await;
    assert_eq!((made.len(), made.last()), (3, Some(&alone.id)));
    assert!(halves.kept().await.is_empty());
    let read = halves.store.outbox(None, 10).await.unwrap();
    let read: Vec<EventId> = read.iter().map(|entry| entry.event.id).collect();
    assert_eq!(read, made);
    assert!(halves.waiting().await.is_empty());
}

#[tokio::test]
async fn decisions_go_on_while_the_audit_store_is_down_and_their_records_wait() {
    let halves = Halves::new();
    halves.audit.turn(DOWN);
    let challenge = issue(&halves.store, "ann").await.unwrap();
    let won = win(&halves.store, &challenge).await.unwrap();
    assert_eq!(won, ConsumeOutcome::Won);
    unavailable(halves.store.outbox(None, 10).await);
    unavailable(halves.store.hand_over().await);
    unavailable(halves.store.acknowledge(10).await);
    let waiting = halves.waiting().await;
    assert_eq!(waiting.len(), 2);
    let status = halves.store.status().await;
    let said: Vec<_> = status
        .iter()
        .map(|one| (one.engine, one.duty, one.condition))
        .collect();
    let down = Condition::Down(StoreErrorKind::Unavailable);
    assert_eq!(
        said,
        [
            ("redis", Duty::Decisions, Condition::Connected),
            ("postgres", Duty::Audit, down),
        ]
    );
    halves.audit.turn(Mode::Up);
    halves.store.hand_over().await.unwrap();
    assert_eq!(halves.kept().await, waiting);
}

#[tokio::test]
async fn what_was_handed_over_can_be_read_while_decisions_are_down() {
    let halves = Halves::new();
    issue(&halves.store, "ann").await.unwrap();
    halves.store.hand_over().await.unwrap();
    halves.decisions.turn(DOWN);
    assert_eq!(halves.store.outbox(None, 10).await.unwrap().len(), 1);
    unavailable(issue(&halves.store, "bob").await);
    unavailable(halves.store.append(kit::event(EventKind::CodeSent)).await);
}

#[tokio::test]
async fn a_hand_over_that_fails_half_way_loses_no_record_and_doubles_none() {
    for (part, call) in [("audit", "append_all"), ("decisions", "acknowledge")] {
        let halves = Halves::new();
        for subject in ["ann", "bob", "cy"] {
            issue(&halves.store, subject).await.unwrap();
        }
        let made = halves.waiting().await;
        let broken = match part {
            "audit" => &halves.audit,
            _ => &halves.decisions,
        };
        // It is done, and nobody hears of it; then it is not done at all.
        for mode in [Mode::Lost, DOWN] {
            broken.turn_only(call, mode);
            let _ = halves.store.hand_over().await;
            let mut known = halves.kept().await;
            known.extend(halves.waiting().await);
            assert!(
                made.iter().all(|one| known.contains(one)),
                "{call} {mode:?}"
            );
        }
        broken.turn(Mode::Up);
        halves.store.hand_over().await.unwrap();
        assert_eq!(halves.kept().await, made, "{call}");
        assert!(halves.waiting().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_readers_hand_every_record_over_once_and_in_order() {
    let halves = Halves::new();
    for number in 0..600 {
        issue(&halves.store, &format!("user-{number}"))
            .await
            .unwrap();
    }
    let made = halves.waiting().await;
    halves.audit.turn(Mode::Slow);
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = halves.store.clone();
        readers.spawn(async move { store.outbox(None, 1_000).await.unwrap().len() });
    }
    let read = readers.join_all().await;
    assert!(read.iter().all(|read| *read == 600), "{read:?}");
    assert_eq!(halves.kept().await, made);
}

#[tokio::test]
async fn records_are_handed_over_by_the_page_and_a_reader_waits_for_a_few_pages_only() {
    const MADE: usize = 256 * 6;
    let halves = Halves::new();
    for number in 0..MADE {
        let user = format!("user-{number}");
        issue(&halves.store, &user).await.unwrap();
    }
    let made = halves.waiting().await;
    assert_eq!(made.len(), MADE);
    halves.audit.take_calls();
    let read = halves.store.outbox(None, 10_000).await.unwrap();
    assert_eq!(read.len(), 256 * 4);
    let calls = halves.audit.take_calls();
    assert_eq!(
        calls,
        [
            "append_all",
            "append_all",
            "append_all",
            "append_all",
            "outbox"
        ]
    );
    halves.store.hand_over().await.unwrap();
    assert_eq!(halves.kept().await, made);
    assert_eq!(halves.audit.take_calls(), ["append_all", "append_all"]);
}

#[tokio::test]
async fn a_slow_hand_over_does_not_add_again_what_was_acknowledged_meanwhile() {
    let halves = Halves::new();
    for number in 0..10 {
        issue(&halves.store, &format!("user-{number}"))
            .await
            .unwrap();
    }
    halves.audit.turn(Mode::Slow);
    let mut slow = pin!(halves.store.hand_over());
    assert!(polled(slow.as_mut(), 1).await.is_pending());
    let mut reader = pin!(async {
        let read = halves.store.outbox(None, 100).await.unwrap();
        let last = read.last().expect("ten records").sequence;
        halves.store.acknowledge(last).await.unwrap();
    });
    let ahead = polled(reader.as_mut(), 1_000).await;
    slow.await.unwrap();
    if ahead.is_pending() {
        reader.await;
    }
    assert!(
        halves.kept().await.is_empty(),
        "they were read and acknowledged"
    );
}

/// Polls a future so many times and no more.
async fn polled<T>(mut call: Pin<&mut impl Future<Output = T>>, times: usize) -> Poll<T> {
    for _ in 0..times {
        let once = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        if once.is_ready() {
            return once;
        }
    }
    Poll::Pending
}

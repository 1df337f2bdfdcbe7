use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, race};
use super::{StoreFixture, kit};
use crate::challenge::Challenge;
use crate::clock::Timestamp;
use crate::delivery::{DeliveryErrorKind, DeliveryState, MessageId, Report};
use crate::event::{EventKind, Outcome};
use crate::store::{Advanced, Delivery, Insert, NewDelivery, Reissue, Settled};

const ANSWERS: &str = "a store in good order answers";
const UNREACHABLE: DeliveryState = DeliveryState::Failed(DeliveryErrorKind::Unreachable);

/// The words that these cases are told in.
struct Desk<'a> {
    bench: Bench<'a>,
}

impl<'a> Desk<'a> {
    fn new(fixture: &'a dyn StoreFixture) -> Self {
        let bench = Bench::new(fixture);
        Self { bench }
    }

    /// Issues the kit's challenge with a message that is to be sent.
    async fn queue(&self, subject: &str) -> NewDelivery {
        self.queue_of(kit::challenge(subject, self.bench.now().await))
            .await
    }

    async fn queue_decoy(&self, subject: &str) -> NewDelivery {
        let decoy = Challenge {
            destination: None,
            ..kit::challenge(subject, self.bench.now().await)
        };
        self.queue_of(decoy).await
    }

    async fn queue_of(&self, challenge: Challenge) -> NewDelivery {
        let new = kit::delivery(&challenge);
        let insert = Insert {
            event: kit::event(EventKind::ChallengeIssued).of_challenge(&challenge),
            delivery: Some(new.clone()),
            challenge,
        };
        self.bench.store.insert(insert).await.expect(ANSWERS);
        new
    }

    async fn settle(&self, settled: Settled) {
        self.bench.store.settle(settled).await.expect(ANSWERS);
    }

    /// Queues a message that fails.
    async fn fail(&self, subject: &str) -> NewDelivery {
        let new = self.queue(subject).await;
        self.settle(kit::settled(&new, UNREACHABLE)).await;
        new
    }

    async fn advance(&self, report: &Report) -> Advanced {
        self.bench.store.advance(report).await.expect(ANSWERS)
    }

    async fn find(&self, id: &MessageId) -> Delivery {
        let found = self.bench.store.delivery(id).await.expect(ANSWERS);
        found.expect("a message that was written is found")
    }

    async fn failures(&self) -> Vec<MessageId> {
        self.failures_from(Timestamp::UNIX_EPOCH).await
    }

    async fn failures_from(&self, from: Timestamp) -> Vec<MessageId> {
        let far = Timestamp::from_millis(8_000_000_000_000);
        let found = self.bench.store.failures(from..far, 10_000).await;
        ids(found.expect(ANSWERS))
    }

    async fn records_of(&self, kind: EventKind) -> usize {
        let events = self.bench.events().await;
        events.iter().filter(|event| event.kind == kind).count()
    }
}

fn ids(deliveries: Vec<Delivery>) -> Vec<MessageId> {
    deliveries.into_iter().map(|found| found.id).collect()
}

fn report(of: &NewDelivery, state: DeliveryState) -> Report {
    let reference = kit::reference(of);
    Report::new(kit::PROVIDER, &reference, state.name(), state, at())
}

fn at() -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000)
}

/// A message is on record, with everything that sending it again takes, from the moment at which
/// its challenge is; a further code brings a message of its own.
pub async fn a_message_is_on_record_with_its_challenge(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let challenge = kit::challenge("ann", desk.bench.now().await);
    let new = desk.queue_of(challenge.clone()).await;
    let now = desk.bench.now().await;
    let queued = desk.find(&new.id).await;
    assert_eq!(queued, Delivery::queued(new.clone(), now));
    assert!(queued.is_unsettled(), "nobody was asked to send it yet");
    let further = NewDelivery {
        id: MessageId::new(&format!("{}-2", challenge.id.fingerprint())),
        ..new.clone()
    };
    let reissue = Reissue {
        delivery: Some(further.clone()),
        ..kit::reissue(&challenge, "$otp-hmac$v=1$keyid=k1$second")
    };
    desk.bench.store.reissue(reissue).await.expect(ANSWERS);
    assert_eq!(desk.find(&further.id).await.state, DeliveryState::Queued);
    assert_eq!(desk.find(&new.id).await.state, DeliveryState::Queued);
    let decoy = desk.queue_decoy("nobody").await;
    assert!(desk.find(&decoy.id).await.is_decoy());
    let unknown = MessageId::new("never-1");
    let found = desk.bench.store.delivery(&unknown).await.expect(ANSWERS);
    assert_eq!(found, None);
}

/// What came of a sending is written once, with one record, however often it is said.
pub async fn the_first_settlement_stands(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let new = desk.queue("ann").await;
    desk.bench.advance(Duration::from_secs(1));
    let sent = kit::settled(&new, DeliveryState::Sent);
    for _ in 0..2 {
        desk.settle(sent.clone()).await;
    }
    let other = Settled {
        provider: Some("other".to_owned()),
        reference: Some("elsewhere".to_owned()),
        event: None,
        ..sent.clone()
    };
    desk.settle(other).await;
    let settled = desk.find(&new.id).await;
    assert_eq!(settled.state, DeliveryState::Sent);
    assert_eq!(
        settled.provider.as_deref(),
        Some(kit::PROVIDER),
        "who sent it is written once"
    );
    assert_eq!(settled.reference, Some(kit::reference(&new)));
    assert_eq!(settled.updated_at, desk.bench.now().await);
    assert_eq!(
        desk.records_of(EventKind::CodeSent).await,
        1,
        "one sending, one record"
    );
}

/// The record of a sending is kept, whether its message is known or not.
pub async fn the_record_of_an_unknown_message_is_kept(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let new = kit::delivery(&kit::challenge("ann", desk.bench.now().await));
    desk.settle(kit::settled(&new, DeliveryState::Sent)).await;
    assert_eq!(desk.records_of(EventKind::CodeSent).await, 1);
    let found = desk.bench.store.delivery(&new.id).await.expect(ANSWERS);
    assert_eq!(found, None, "a settlement makes no message");
}

/// Fifty reports in any order, each twice, take a message to the highest of their states, and
/// never back.
pub async fn fifty_shuffled_reports_only_move_a_message_forward(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let new = desk.queue("ann").await;
    desk.settle(kit::settled(&new, DeliveryState::Sent)).await;
    let ladder = [
        DeliveryState::Queued,
        UNREACHABLE,
        DeliveryState::Sent,
        DeliveryState::Delivered,
        DeliveryState::Read,
    ];
    let mut known = DeliveryState::Sent;
    // A stride that is prime to the ladder's length visits it out of order.
    let shuffled = ladder.iter().cycle().step_by(3).take(50);
    for reported in shuffled.copied() {
        for _ in 0..2 {
            let answer = desk.advance(&report(&new, reported)).await;
            let higher = known.advance(reported);
            match answer {
                Advanced::Moved { from, delivery } => {
                    assert_eq!((from, delivery.state), (known, higher));
                    assert_ne!(from, higher, "a move goes somewhere");
                }
                Advanced::Unchanged => assert_eq!(known, higher, "what is higher moves it"),
                Advanced::Unknown => panic!("a settled message is known"),
            }
            known = higher;
            assert_eq!(desk.find(&new.id).await.state, known, "never back");
        }
    }
    assert_eq!(known, DeliveryState::Read);
}

/// One report is heard once, however many bring it.
pub async fn one_of_a_thousand_copies_of_a_report_moves_it(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let new = desk.queue("ann").await;
    desk.settle(kit::settled(&new, DeliveryState::Sent)).await;
    let delivered = report(&new, DeliveryState::Delivered);
    let answers = race(RACERS, |_| {
        let (store, report) = (Arc::clone(&desk.bench.store), delivered.clone());
        async move { store.advance(&report).await.expect(ANSWERS) }
    })
    .await;
    let moved = answers
        .iter()
        .filter(|answer| **answer != Advanced::Unchanged);
    assert_eq!(moved.count(), 1, "exactly one caller moves it");
}

/// A report that is faster than the answer to the sending is kept, and applied with it.
pub async fn a_report_before_its_message_is_kept_and_applied(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let new = desk.queue("ann").await;
    for state in [DeliveryState::Delivered, DeliveryState::Sent] {
        assert_eq!(desk.advance(&report(&new, state)).await, Advanced::Unknown);
    }
    assert_eq!(desk.find(&new.id).await.state, DeliveryState::Queued);
    desk.settle(kit::settled(&new, DeliveryState::Sent)).await;
    assert_eq!(
        desk.find(&new.id).await.state,
        DeliveryState::Delivered,
        "the highest of what was kept is applied"
    );
}

/// A report waits for its message for 24 hours, and no longer.
pub async fn an_unknown_report_waits_for_a_day(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let minute = Duration::from_secs(60);
    for (subject, wait, state) in [
        ("ann", Duration::from_secs(86_400) - minute, UNREACHABLE),
        (
            "bob",
            Duration::from_secs(86_400) + minute,
            DeliveryState::Sent,
        ),
    ] {
        let challenge = kit::challenge(subject, desk.bench.now().await);
        let new = kit::delivery(&challenge);
        let failed = report(&new, UNREACHABLE).with_code("30003");
        assert_eq!(desk.advance(&failed).await, Advanced::Unknown);
        desk.bench.advance(wait);
        desk.bench.store.purge(100).await.expect(ANSWERS);
        let new = desk.queue_of(challenge).await;
        desk.settle(kit::settled(&new, DeliveryState::Sent)).await;
        let found = desk.find(&new.id).await;
        assert_eq!(found.state, state, "after {wait:?}");
        let code = (state == UNREACHABLE).then_some("30003");
        assert_eq!(found.reason.as_deref(), code);
    }
}

/// Another provider's report, or one under another name, moves nothing.
pub async fn a_report_about_another_message_moves_nothing(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let new = desk.queue("ann").await;
    desk.settle(kit::settled(&new, DeliveryState::Sent)).await;
    let reference = kit::reference(&new);
    let upper = reference.to_uppercase();
    for (provider, reference) in [
        ("other", reference.as_str()),
        (kit::PROVIDER, upper.as_str()),
        (kit::PROVIDER, ""),
        ("", reference.as_str()),
        (kit::PROVIDER, "' OR 1=1 --"),
    ] {
        let read = Report::new(provider, reference, "read", DeliveryState::Read, at());
        assert_eq!(
            desk.advance(&read).await,
            Advanced::Unknown,
            "{provider}/{reference}"
        );
    }
    assert_eq!(desk.find(&new.id).await.state, DeliveryState::Sent);
}

/// Failures are listed by when they were created, newest first and masked; neither decoys nor
/// what went well are among them.
pub async fn failures_are_listed_by_window_without_decoys(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let first = desk.fail("ann").await;
    let middle = desk
        .bench
        .now()
        .await
        .saturating_add(Duration::from_secs(1));
    desk.bench.advance(Duration::from_secs(1));
    let second = desk.fail("bob").await;
    desk.bench.advance(Duration::from_secs(1));
    let late = desk.bench.now().await;
    let third = desk.fail("cy").await;
    let sent = desk.queue("dan").await;
    desk.settle(kit::settled(&sent, DeliveryState::Sent)).await;
    desk.queue("eve").await;
    let decoy = desk.queue_decoy("nobody").await;
    desk.settle(kit::settled(&decoy, UNREACHABLE)).await;
    let [first, second, third] = [first, second, third].map(|new| new.id);
    assert_eq!(
        desk.failures().await,
        [third, second.clone(), first],
        "newest first"
    );
    let found = desk.bench.store.failures(middle..late, 10).await;
    let found = found.expect(ANSWERS);
    assert_eq!(ids(found.clone()), [second], "the end is not in the window");
    let reasons = found.iter().filter_map(|failure| failure.reason.as_deref());
    assert!(reasons.eq(["unreachable"]), "a failure says why");
    let shown = format!("{found:?}");
    assert!(shown.contains('•'), "an address is masked: {shown}");
    let newest = desk.bench.store.failures(middle..late, 0).await;
    assert!(newest.expect(ANSWERS).is_empty(), "no more than asked for");
}

/// A failure is sent again once, however many operators ask at once.
pub async fn one_of_a_thousand_claims_sends_a_failure_again(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let mut failed = Vec::new();
    for subject in ["ann", "bob", "cy"] {
        failed.push(desk.fail(subject).await.id);
    }
    let sent = desk.queue("dan").await;
    desk.settle(kit::settled(&sent, DeliveryState::Sent)).await;
    let one = desk.fail("eve").await.id;
    failed.push(one.clone());
    let mut asked = failed.clone();
    asked.extend([sent.id, MessageId::new("never-1")]);
    let claimed = race(RACERS, |_| {
        let (store, asked) = (Arc::clone(&desk.bench.store), asked.clone());
        async move { store.claim_resend(&asked).await.expect(ANSWERS) }
    })
    .await;
    let mut winners: Vec<_> = claimed.into_iter().flatten().collect();
    winners.sort_by(|one, two| one.as_str().cmp(two.as_str()));
    failed.sort_by(|one, two| one.as_str().cmp(two.as_str()));
    assert_eq!(
        winners, failed,
        "each failure has one winner, and nothing else has"
    );
    let again = desk.find(&one).await;
    assert_eq!(again.resent_at, Some(desk.bench.now().await));
    assert!(again.is_failure(), "it stays on record as what it was");
}

/// What nobody was asked to send within its time has failed, once, with a record; what is settled,
/// young or a decoy is left alone.
pub async fn what_was_not_sent_in_time_fails_once(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let late = desk.queue("ann").await;
    let settled = desk.queue("bob").await;
    desk.settle(kit::settled(&settled, DeliveryState::Sent))
        .await;
    let decoy = desk.queue_decoy("nobody").await;
    desk.bench.advance(Duration::from_secs(31));
    let young = desk.queue("cy").await;
    let answers = race(100, |_| {
        let store = Arc::clone(&desk.bench.store);
        async move {
            let unsent = store.fail_unsent(Duration::from_secs(30), 100).await;
            ids(unsent.expect(ANSWERS))
        }
    })
    .await;
    let ended: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(
        ended,
        std::slice::from_ref(&late.id),
        "one of those who look ends it"
    );
    let found = desk.find(&late.id).await;
    assert_eq!(found.state, Delivery::UNSENT);
    assert_eq!(found.reason.as_deref(), Some(Delivery::NOT_SENT_IN_TIME));
    assert_eq!(desk.find(&settled.id).await.state, DeliveryState::Sent);
    for untouched in [&decoy.id, &young.id] {
        assert_eq!(desk.find(untouched).await.state, DeliveryState::Queued);
    }
    let events = desk.bench.events().await;
    let records: Vec<_> = events
        .iter()
        .filter(|event| event.kind == EventKind::CodeNotSent)
        .collect();
    let [record] = records[..] else {
        panic!("one failure, one record");
    };
    assert_eq!(record.outcome, Outcome::Failed);
    assert_eq!(record.reason.as_deref(), Some(Delivery::NOT_SENT_IN_TIME));
    assert_eq!(record.challenge, Some(late.challenge.fingerprint()));
    assert_eq!(record.at, desk.bench.now().await);
    assert_eq!(desk.failures().await, [late.id]);
}

/// A message that was sent after all, though late, is known by its vendor's name: its receipt
/// moves it on.
pub async fn a_late_settlement_lets_receipts_in(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let new = desk.queue("ann").await;
    desk.bench.advance(Duration::from_secs(31));
    let unsent = desk
        .bench
        .store
        .fail_unsent(Duration::from_secs(30), 10)
        .await;
    assert_eq!(unsent.expect(ANSWERS).len(), 1);
    desk.settle(kit::settled(&new, DeliveryState::Sent)).await;
    assert_eq!(
        desk.find(&new.id).await.state,
        Delivery::UNSENT,
        "no way back"
    );
    let delivered = report(&new, DeliveryState::Delivered);
    assert_ne!(desk.advance(&delivered).await, Advanced::Unknown);
    assert!(desk.failures().await.is_empty(), "it arrived");
}

/// A message without a receipt is noticed once, within the ages that are asked for.
pub async fn a_missing_receipt_is_noticed_once(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let old = desk.queue("old").await;
    desk.settle(kit::settled(&old, DeliveryState::Sent)).await;
    desk.bench.advance(Duration::from_secs(600));
    let late = desk.queue("ann").await;
    desk.settle(kit::settled(&late, DeliveryState::Sent)).await;
    let arrived = desk.queue("bob").await;
    desk.settle(kit::settled(&arrived, DeliveryState::Sent))
        .await;
    desk.advance(&report(&arrived, DeliveryState::Delivered))
        .await;
    desk.queue("never-settled").await;
    desk.bench.advance(Duration::from_secs(20));
    let young = desk.queue("cy").await;
    desk.settle(kit::settled(&young, DeliveryState::Sent)).await;
    let age = Duration::from_secs(20)..Duration::from_secs(300);
    let answers = race(100, |_| {
        let (store, age) = (Arc::clone(&desk.bench.store), age.clone());
        async move { ids(store.overdue(age, 100).await.expect(ANSWERS)) }
    })
    .await;
    let noticed: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(
        noticed,
        std::slice::from_ref(&late.id),
        "one of those who look notices it"
    );
    let found = desk.find(&late.id).await;
    assert_eq!(found.overdue_at, Some(desk.bench.now().await));
    assert_eq!(found.state, DeliveryState::Sent, "nothing else is changed");
}

/// What went well is kept for a day, a failure for thirty.
pub async fn a_purge_leaves_fresh_failures(fixture: &dyn StoreFixture) {
    let desk = Desk::new(fixture);
    let failed = desk.fail("ann").await;
    let sent = desk.queue("bob").await;
    desk.settle(kit::settled(&sent, DeliveryState::Sent)).await;
    let gone = async |id: &MessageId| {
        let store = &desk.bench.store;
        store.purge(10_000).await.expect(ANSWERS);
        store.delivery(id).await.expect(ANSWERS).is_none()
    };
    desk.bench.advance(Duration::from_secs(86_390));
    assert!(!gone(&sent.id).await, "a day is not over");
    desk.bench.advance(Duration::from_secs(20));
    assert!(gone(&sent.id).await, "what went well is kept for a day");
    assert!(!gone(&failed.id).await, "a failure is kept for longer");
    desk.bench.advance(Duration::from_secs(28 * 86_400));
    assert_eq!(desk.failures().await, std::slice::from_ref(&failed.id));
    desk.bench.advance(Duration::from_secs(2 * 86_400));
    assert!(gone(&failed.id).await, "and not for ever");
}

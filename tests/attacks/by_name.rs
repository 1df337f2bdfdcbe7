//! Whose is a name? Asked by somebody who starts by it, looks at every answer, and knows what the
//! address of somebody is or has done: it is blocked, locked, past a limit, or of a kind that nothing
//! is sent to.

mod asked_outside;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use otp_kit::clock::{Clock as _, Timestamp};
use otp_kit::destination::Region;
use otp_kit::event::{Act, Outcome};
use otp_kit::operator::{LimitState, Operator, Whom};
use otp_kit::policy::Geography;
use otp_kit::prelude::*;
use otp_kit::store::{Block, BlockKind, MemoryStore};
use otp_kit::testing::{ManualClock, Outbox};
use otp_kit::verifier::{IssueError, Issued};
use tokio::time::Instant;

use self::asked_outside::Solved;
use crate::counting::Counting;
use crate::support::{Builder, Service, from_anywhere, here, wrong};

const PHONE: &str = "+14155550177";
const MAIL: &str = "ann@example.org";

/// What somebody's address is or has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Nobody,
    Fine,
    Blocked,
    Locked,
    Limited,
    Abroad,
}

const ALL: [Standing; 6] = [
    Standing::Nobody,
    Standing::Fine,
    Standing::Blocked,
    Standing::Locked,
    Standing::Limited,
    Standing::Abroad,
];

impl Standing {
    fn address(self, channel: Channel) -> Option<Destination> {
        let text = match (self, channel) {
            (Self::Nobody, _) => return None,
            (Self::Abroad, Channel::Sms) => "+447911123456",
            (_, Channel::Sms) => PHONE,
            _ => MAIL,
        };
        Some(Destination::parse(text, None).unwrap())
    }

    fn limits() -> Limits {
        let us = Region::parse("US").unwrap();
        Limits::recommended().with_geography(Geography::only([us]))
    }

    /// Does to the address what brings it there.
    async fn bring(self, verifier: &Verifier, outbox: &Outbox, channel: Channel) {
        let Some(address) = self.address(channel) else {
            return;
        };
        let start = async |client: u32| {
            let issue = Issue::to(address.clone()).for_purpose("login");
            verifier.issue(issue.from(from_anywhere(client))).await
        };
        match self {
            Self::Nobody | Self::Fine | Self::Abroad => {}
            Self::Blocked => {
                let kind = match channel {
                    Channel::Sms => BlockKind::Phone,
                    _ => BlockKind::Email,
                };
                let block = Block::new(kind, address.canonical()).unwrap();
                desk(verifier).block(&[block], None).await.unwrap();
            }
            Self::Locked => {
                let issued = start(900).await.unwrap();
                let code = wrong(outbox.last_code_for(&address).unwrap().expose());
                for client in 0..5 {
                    let id = &issued.challenge_id;
                    let answer = verifier.verify(id, &code, from_anywhere(client)).await;
                    assert!(matches!(answer, Err(VerifyError::Rejected)), "{answer:?}");
                }
                assert!(matches!(start(901).await, Err(IssueError::Locked(_))));
            }
            Self::Limited => {
                for client in 900..905 {
                    start(client).await.unwrap();
                }
                assert!(matches!(start(905).await, Err(IssueError::Throttled(_))));
            }
        }
    }
}

fn desk(verifier: &Verifier) -> Operator {
    let act = Act::new("mike", "an incident").unwrap();
    verifier.operator(act)
}

fn by_name(name: &str, standing: Standing, channel: Channel) -> Issue {
    let issue = Issue::by_name(name, channel, standing.address(channel));
    issue.for_purpose("login").from(from_anywhere(1))
}

fn named(standing: Standing, channel: Channel) -> Issue {
    by_name("user-7", standing, channel)
}

/// What is seen of an answer: everything but the id, whose length is.
fn seen(answer: &Result<Issued, IssueError>, now: Timestamp) -> String {
    match answer {
        Ok(issued) => {
            let id = issued.challenge_id.to_string().len();
            let [expires, resend] =
                [issued.expires_at, issued.resend_at].map(|time| Timestamp::from(time).since(now));
            format!("{id} {expires:?} {resend:?} {:?}", issued.channel)
        }
        Err(error) => format!("{error:?}"),
    }
}

/// What the store is asked for a start, and what of it is seen.
async fn asked(
    standing: Standing,
    channel: Channel,
    configure: impl Fn(Builder) -> Builder,
) -> (Vec<&'static str>, String) {
    let clock = ManualClock::new(Timestamp::from_millis(1_800_000_000_000));
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let store = Counting::around(memory);
    let outbox = Outbox::new();
    let builder = Verifier::builder(store.clone(), KeyRing::generate(&OsRandom).unwrap())
        .route(Channel::Sms, Route::primary(outbox.clone()))
        .route(Channel::Email, Route::primary(outbox.clone()))
        .limits(Standing::limits())
        .hasher(CodeHasher::keyed())
        .clock(clock.clone());
    let verifier = configure(builder).build().unwrap();
    standing.bring(&verifier, &outbox, channel).await;
    let sent = outbox.len();
    store.take_calls();
    let shown = from_anywhere(1).captcha_token("solved");
    let answer = verifier.issue(named(standing, channel).from(shown)).await;
    let calls = store.take_calls();
    verifier.drain(Duration::from_secs(5)).await.unwrap();
    let goes =
        standing == Standing::Fine || (standing, channel) == (Standing::Abroad, Channel::Email);
    assert_eq!(outbox.len(), sent + usize::from(goes), "{standing:?}");
    (calls, seen(&answer, clock.now()))
}

#[tokio::test]
async fn r18_a_name_is_answered_the_same_whatever_its_address_is_or_has_done() {
    let plain = |builder: Builder| builder;
    let asked_for = Arc::new(AtomicU32::new(0));
    let with_captcha = |builder: Builder| builder.captcha(Solved(Arc::clone(&asked_for)));
    for channel in [Channel::Sms, Channel::Email] {
        let nobody = asked(Standing::Nobody, channel, plain).await;
        assert!(nobody.0.len() >= 3, "{nobody:?}");
        let outside = asked(Standing::Nobody, channel, with_captcha).await;
        for standing in ALL {
            let somebody = asked(standing, channel, plain).await;
            assert_eq!(somebody, nobody, "{standing:?} {channel:?}");
            asked_for.store(0, Ordering::SeqCst);
            let somebody = asked(standing, channel, with_captcha).await;
            // One is shown, and looked at whoever it is.
            assert_eq!(asked_for.load(Ordering::SeqCst), 1, "{standing:?}");
            assert_eq!(
                somebody, outside,
                "{standing:?} {channel:?}, with a captcha"
            );
        }
    }
}

#[tokio::test]
async fn limits_of_a_name_come_as_soon_whatever_its_address_is_or_has_done() {
    for service in Service::everywhere(|builder| builder.limits(Standing::limits())).await {
        let (verifier, outbox) = (&service.verifier, &service.outbox);
        let channel = Channel::Sms;
        // The block is the last: it stays.
        let standings = ALL.into_iter().filter(|one| *one != Standing::Blocked);
        for standing in standings.chain([Standing::Blocked]) {
            if standing != Standing::Fine {
                standing.bring(verifier, outbox, channel).await;
            }
            let name = format!("user of {standing:?}");
            let mut all = Vec::new();
            for _ in 0..6 {
                let answer = verifier.issue(by_name(&name, standing, channel)).await;
                all.push(answer);
            }
            let limited = all.pop().unwrap();
            assert!(all.iter().all(Result::is_ok), "{standing:?} {all:?}");
            assert!(
                matches!(limited, Err(IssueError::Throttled(_))),
                "{limited:?}"
            );
            // It is asked for under another spelling of the name, and is the same one.
            let again = by_name(&name.to_uppercase(), standing, channel);
            let again = verifier.issue(again).await;
            assert!(matches!(again, Err(IssueError::Throttled(_))), "{again:?}");
            // The address is one of its own: by mail the name has its own count.
            let mail = verifier
                .issue(by_name(&name, Standing::Nobody, Channel::Email))
                .await;
            assert!(mail.is_ok(), "{mail:?}");
            service.advance(86_400 * 2);
        }
    }
}

#[tokio::test]
async fn what_whoever_asks_has_done_is_told_by_a_name_as_ever() {
    for service in Service::everywhere(|builder| builder).await {
        let verifier = &service.verifier;
        let block = Block::new(BlockKind::Ip, "203.0.113.0/24").unwrap();
        desk(verifier).block(&[block], None).await.unwrap();
        let blocked = RequestContext::from_address("203.0.113.9".parse().unwrap());
        for standing in [Standing::Nobody, Standing::Fine] {
            let issue = named(standing, Channel::Sms);
            let refused = verifier.issue(issue.from(blocked.clone())).await;
            assert!(matches!(refused, Err(IssueError::Blocked)), "{refused:?}");
        }
        let mut refused = None;
        for number in 0..60 {
            let name = format!("user-{number}");
            let answer = verifier
                .issue(by_name(&name, Standing::Nobody, Channel::Sms))
                .await;
            if let Err(error) = answer {
                refused.get_or_insert((number, error));
            }
        }
        let Some((50, IssueError::Throttled(_))) = refused else {
            panic!("{refused:?}");
        };
        let known = verifier.issue(named(Standing::Fine, Channel::Sms)).await;
        assert!(matches!(known, Err(IssueError::Throttled(_))), "{known:?}");
    }
}

#[tokio::test]
async fn a_start_by_a_name_signs_in_and_one_that_is_kept_back_ends_no_code_that_is_out() {
    for service in Service::everywhere(|builder| builder.limits(Standing::limits())).await {
        let verifier = &service.verifier;
        let issued = verifier.issue(named(Standing::Fine, Channel::Sms)).await;
        let issued = issued.unwrap();
        verifier.drain(Duration::from_secs(5)).await.unwrap();
        let code = service.code(PHONE);
        Standing::Blocked
            .bring(verifier, &service.outbox, Channel::Sms)
            .await;
        let kept_back = verifier.issue(named(Standing::Blocked, Channel::Sms)).await;
        let kept_back = kept_back.unwrap().challenge_id;
        let stolen = verifier.verify(&kept_back, &code, here()).await;
        assert!(matches!(stolen, Err(VerifyError::Rejected)), "{stolen:?}");
        let verified = verifier.verify(&issued.challenge_id, &code, here()).await;
        assert_eq!(verified.unwrap().destination().canonical(), PHONE);
    }
}

#[tokio::test]
async fn the_record_says_why_a_name_was_sent_nothing() {
    for service in Service::everywhere(|builder| builder.limits(Standing::limits())).await {
        let verifier = &service.verifier;
        for (standing, reason) in [
            (Standing::Abroad, "country_not_allowed"),
            (Standing::Limited, "quota_subject"),
            (Standing::Locked, "locked"),
            (Standing::Blocked, "blocked"),
        ] {
            // A day, for the limits; a code waits for a quarter of an hour.
            service.advance(86_400);
            standing
                .bring(verifier, &service.outbox, Channel::Sms)
                .await;
            let issued = verifier.issue(named(standing, Channel::Sms)).await;
            verifier.drain(Duration::from_secs(5)).await.unwrap();
            assert!(issued.is_ok(), "{issued:?}");
            let records = verifier.store().outbox(None, 1_000).await.unwrap();
            let refused = records.iter().rev().take(2).find(|record| {
                let said = record.event.reason.as_deref();
                said == Some(reason) && record.event.outcome == Outcome::Refused
            });
            assert!(refused.is_some(), "{standing:?} {records:?}");
        }
    }
}

#[tokio::test]
async fn the_key_of_a_start_by_a_name_is_one_start_whatever_becomes_of_the_address() {
    for service in Service::everywhere(|builder| builder.limits(Standing::limits())).await {
        let verifier = &service.verifier;
        let once = |standing| named(standing, Channel::Sms).idempotency_key("one");
        let mut ids = Vec::new();
        for standing in [Standing::Nobody, Standing::Fine, Standing::Blocked] {
            standing
                .bring(verifier, &service.outbox, Channel::Sms)
                .await;
            ids.push(verifier.issue(once(standing)).await.unwrap().challenge_id);
        }
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let other = by_name("user-8", Standing::Fine, Channel::Sms).idempotency_key("one");
        let conflict = verifier.issue(other).await;
        assert!(
            matches!(conflict, Err(IssueError::IdempotencyConflict)),
            "{conflict:?}"
        );
    }
}

#[tokio::test]
async fn an_operator_is_told_what_a_name_has_used_and_clears_it() {
    for service in Service::everywhere(|builder| builder).await {
        let verifier = &service.verifier;
        let until_limited = async || {
            let start = || named(Standing::Nobody, Channel::Sms);
            let mut count = 0;
            while verifier.issue(start()).await.is_ok() {
                count += 1;
            }
            count
        };
        assert_eq!(until_limited().await, 5);
        let desk = desk(verifier);
        let whom = Whom::Subject(SubjectId::new("user-7").unwrap());
        let told = desk.explain(&whom).await.unwrap();
        let met = |limit: &LimitState| limit.reading.remaining() == 0;
        assert!(told.limits.iter().any(met), "{told:?}");
        desk.clear_limits(&whom).await.unwrap();
        assert_eq!(until_limited().await, 5);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_wait_as_drawn_and_messages_go_after_them() {
    let service = Service::new();
    let verifier = &service.verifier;
    let mut waits = Vec::new();
    for number in 0..50 {
        for standing in [Standing::Nobody, Standing::Fine] {
            let begun = Instant::now();
            let name = format!("user-{number}");
            let from = from_anywhere(number % 10);
            let start = by_name(&name, standing, Channel::Sms).from(from);
            verifier.issue(start).await.unwrap();
            waits.push(begun.elapsed());
        }
    }
    let most = Duration::from_millis(21);
    assert!(waits.iter().all(|wait| *wait <= most), "{waits:?}");
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 5, "{waits:?}");

    // One that is not by a name is answered at once.
    verifier.drain(Duration::from_secs(5)).await.unwrap();
    let (sent, begun) = (service.outbox.len(), Instant::now());
    let to = Destination::parse(MAIL, None).unwrap();
    let start = Issue::to(to).for_purpose("login").from(here());
    let start = start.dispatch(Dispatch::Background);
    verifier.issue(start).await.unwrap();
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        (service.outbox.len(), begun.elapsed()),
        (sent, Duration::ZERO)
    );
    // Who waits for all that is under way waits for the message alone.
    verifier.drain(Duration::from_secs(5)).await.unwrap();
    assert_eq!(service.outbox.len(), sent + 1);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

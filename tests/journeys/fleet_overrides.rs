//! What operators lay on the policy for a while: by any instance, on all of them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use otp_kit::clock::{Clock as _, Timestamp};
use otp_kit::destination::Region;
use otp_kit::event::{Act, EventKind};
use otp_kit::policy::{Exception, Geography, Override, OverrideError, OverrideId, Policy, Vip};
use otp_kit::prelude::*;
use otp_kit::store::{AuditStore as _, MemoryStore};
use otp_kit::testing::{ManualClock, Outbox};
use otp_kit::verifier::PolicyChangeError;

const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const OFF: Exception = Exception::ChannelOff(Channel::Sms);

/// A store with a clock of its own.
struct Fleet {
    store: MemoryStore,
    clock: ManualClock,
}

/// One of its instances, on the clock of its host.
struct Instance {
    verifier: Verifier,
    clock: ManualClock,
}

impl Fleet {
    fn new() -> Self {
        let clock = ManualClock::new(START);
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        Self { store, clock }
    }

    /// Starts an instance whose host has the right time.
    fn instance(&self) -> Instance {
        self.instance_at(self.clock.now())
    }

    fn instance_at(&self, now: Timestamp) -> Instance {
        let clock = ManualClock::new(now);
        let verifier = Verifier::builder(self.store.clone(), KeyRing::generate(&OsRandom).unwrap())
            .route(Channel::Sms, Route::primary(Outbox::new()))
            .limits(Limits::recommended())
            .hasher(CodeHasher::keyed())
            .clock(clock.clone())
            .build()
            .unwrap();
        Instance { verifier, clock }
    }

    /// What the audit log has of overrides: what happened, in which words, whose it is.
    async fn records(&self) -> Vec<(EventKind, String, String)> {
        let records = self.store.outbox(None, 10_000).await.unwrap();
        let ours = records.into_iter().map(|entry| entry.event);
        ours.map(|event| {
            let act = event.act.expect("every change is somebody's");
            let words = event.reason.unwrap_or_default().into_owned();
            (event.kind, words, act.operator.to_string())
        })
        .collect()
    }
}

impl Instance {
    async fn polls(&self) {
        self.verifier.policies().catch_up().await.unwrap();
    }

    fn in_(&self, life: Duration) -> SystemTime {
        self.clock.now().saturating_add(life).into()
    }

    async fn lays(&self, what: Exception, life: Duration) -> Result<OverrideId, PolicyChangeError> {
        let policies = self.verifier.policies();
        policies
            .override_until(what, self.in_(life), by("alice"))
            .await
    }

    fn sends(&self) -> bool {
        self.verifier.policy().channels().is_on(Channel::Sms)
    }

    fn ids(&self) -> Vec<OverrideId> {
        let overrides = self.verifier.policies().overrides();
        overrides.iter().map(Override::id).collect()
    }
}

fn by(who: &str) -> Act {
    Act::new(who, "an incident").unwrap()
}

fn vip(number: usize) -> Exception {
    let whom = SubjectId::new(format!("person-{number}")).unwrap();
    Exception::Vip(Vip::subject(&whom, 3).unwrap())
}

#[tokio::test]
async fn what_is_laid_on_at_one_instance_holds_on_all_until_any_of_them_lifts_it() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.instance(), fleet.instance());
    let id = one.lays(OFF, HOUR).await.unwrap();
    assert!(!one.sends(), "at once where it was laid on");
    assert!(other.sends(), "before its poll");
    other.polls().await;
    assert!(!other.sends());
    let held = other.verifier.policies().overrides();
    assert_eq!(held[0].act().operator.as_str(), "alice");
    assert_eq!(held[0].act().reason.as_str(), "an incident");
    assert_eq!(held[0].expires_at(), START.saturating_add(HOUR));

    let late = fleet.instance();
    late.polls().await;
    assert!(!late.sends(), "an instance that starts later has it");

    other
        .verifier
        .policies()
        .end_override(id, by("bob"))
        .await
        .unwrap();
    assert!(other.sends());
    for instance in [&one, &late] {
        instance.polls().await;
        assert!(instance.sends());
    }
    let again = one.verifier.policies().end_override(id, by("carol")).await;
    let Err(PolicyChangeError::Override(OverrideError::Unknown)) = again else {
        panic!("{again:?}");
    };
    let words = format!("{id} channel_off sms");
    assert_eq!(
        fleet.records().await,
        [
            (EventKind::OverrideBegan, words.clone(), "alice".to_owned()),
            (EventKind::OverrideEnded, words, "bob".to_owned()),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_follows_takes_over_within_two_polls() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.instance(), fleet.instance());
    let follower = other.verifier.clone();
    let task = tokio::spawn(async move {
        follower.follow_policy(SECOND).await;
    });
    let two_polls = async || {
        for _ in 0..20 {
            tokio::time::advance(SECOND / 10).await;
        }
    };
    two_polls().await;
    let id = one.lays(OFF, HOUR).await.unwrap();
    two_polls().await;
    assert!(!other.sends());
    one.verifier
        .policies()
        .end_override(id, by("bob"))
        .await
        .unwrap();
    two_polls().await;
    assert!(other.sends());
    task.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_operators_who_act_at_the_same_instant_on_different_instances_nobody_is_lost() {
    let fleet = Fleet::new();
    let instances: Vec<Arc<Instance>> = (0..4).map(|_| Arc::new(fleet.instance())).collect();
    let tasks = (0..40).map(|number| {
        let instance = Arc::clone(&instances[number % instances.len()]);
        tokio::spawn(async move { instance.lays(vip(number), HOUR).await.unwrap() })
    });
    let mut begun = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        begun.push(task.await.unwrap());
    }
    begun.sort_unstable();
    for instance in &instances {
        instance.polls().await;
        let mut held = instance.ids();
        held.sort_unstable();
        assert_eq!(held, begun);
    }
    let lifted = begun
        .iter()
        .copied()
        .zip(instances.iter().cycle())
        .map(|(id, instance)| {
            let instance = Arc::clone(instance);
            tokio::spawn(async move {
                let policies = instance.verifier.policies();
                policies.end_override(id, by("bob")).await.unwrap();
            })
        });
    for task in lifted.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    instances[0].polls().await;
    assert!(instances[0].ids().is_empty());
    let records = fleet.records().await;
    let began = records
        .iter()
        .filter(|(kind, ..)| *kind == EventKind::OverrideBegan);
    assert_eq!((records.len(), began.count()), (80, 40));
}

#[tokio::test]
async fn it_ends_by_the_stores_clock_on_every_host_whatever_its_own_says_and_once_on_record() {
    let fleet = Fleet::new();
    let hosts = [
        START,
        START.saturating_add(HOUR),
        START.saturating_sub(HOUR),
    ];
    let instances = hosts.map(|now| fleet.instance_at(now));
    let id = instances[2].lays(OFF, 10 * 60 * SECOND).await.unwrap();
    let pass = |time: Duration| {
        fleet.clock.advance(time);
        instances.iter().for_each(|one| one.clock.advance(time));
    };
    for instance in &instances {
        instance.polls().await;
        assert!(!instance.sends());
    }
    // One of the hosts is set to tomorrow: it asks the store, which knows better.
    instances[0].clock.advance(24 * HOUR);
    instances[0].polls().await;
    assert!(!instances[0].sends());
    pass(599 * SECOND);
    for instance in &instances {
        instance.polls().await;
        assert!(!instance.sends());
    }
    pass(SECOND);
    for instance in &instances {
        instance.polls().await;
        assert!(instance.sends());
    }
    for instance in &instances {
        instance.clock.step_back(2 * HOUR);
        instance.polls().await;
        assert!(instance.sends());
    }
    let late = fleet.instance_at(START.saturating_sub(HOUR));
    late.polls().await;
    assert!(late.sends(), "it is over for whoever starts now too");
    let records = fleet.records().await;
    assert_eq!(records.len(), 2, "{records:?}");
    assert_eq!(records[1].1, format!("{id} channel_off sms expired"));
    // Its place on the board goes with the next change.
    late.lays(vip(1), HOUR).await.unwrap();
    assert_eq!(late.ids().len(), 1);
    assert_eq!(fleet.records().await.len(), 3);
}

#[tokio::test]
async fn an_end_while_nobody_was_running_is_on_record_once_somebody_is() {
    let fleet = Fleet::new();
    let id = fleet.instance().lays(OFF, HOUR).await.unwrap();
    fleet.clock.advance(2 * HOUR);
    for _ in 0..2 {
        fleet.instance().polls().await;
    }
    let records = fleet.records().await;
    assert_eq!(records.len(), 2, "{records:?}");
    assert_eq!(records[1].1, format!("{id} channel_off sms expired"));
}

#[tokio::test]
async fn a_change_without_a_poll_asks_the_store_whether_it_has_ended() {
    let fleet = Fleet::new();
    let one = fleet.instance();
    one.lays(OFF, HOUR).await.unwrap();
    fleet.clock.advance(HOUR);
    one.clock.advance(HOUR);
    assert!(one.sends());
    tokio::task::yield_now().await;
    assert_eq!(fleet.records().await.len(), 2);
}

#[cfg(feature = "policy-file")]
#[tokio::test]
async fn a_document_wipes_no_override_and_an_override_no_document() {
    use otp_kit::store::PolicyStore as _;

    let fleet = Fleet::new();
    let (one, other) = (fleet.instance(), fleet.instance());
    let id = one.lays(OFF, HOUR).await.unwrap();
    let policies = other.verifier.policies();
    let text = "challenge: { attempts: 3 }\n";
    policies.publish(text, None, by("bob")).await.unwrap();
    assert!(!other.sends(), "who publishes has heard of it");
    let second = other.lays(vip(1), HOUR).await.unwrap();
    let late = fleet.instance();
    for instance in [&one, &other, &late] {
        instance.polls().await;
        assert_eq!(instance.ids(), [id, second]);
        assert!(!instance.sends());
    }
    let current = fleet.store.current().await.unwrap().unwrap();
    assert_eq!((current.version, current.document.text()), (1, text));
    assert_eq!(other.verifier.policy().limits().attempts(), 3);
}

#[tokio::test]
async fn where_the_store_does_not_answer_nothing_is_half_set_and_what_was_known_goes_on() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.instance(), fleet.instance());
    let held = one.lays(OFF, HOUR).await.unwrap();
    other.polls().await;
    // Its clock is wrong: it decides nothing, and tells no time.
    fleet.clock.step_back(HOUR);
    let refused = other.lays(vip(1), HOUR).await;
    assert!(
        matches!(refused, Err(PolicyChangeError::Unavailable(_))),
        "{refused:?}"
    );
    let kept = one.verifier.policies().end_override(held, by("bob")).await;
    assert!(
        matches!(kept, Err(PolicyChangeError::Unavailable(_))),
        "{kept:?}"
    );
    let all = vec![vip(1), vip(2)];
    let policies = one.verifier.policies();
    let several = policies
        .override_all_until(all, one.in_(HOUR), by("bob"))
        .await;
    assert!(
        matches!(several, Err(PolicyChangeError::Unavailable(_))),
        "{several:?}"
    );
    let poll = one.verifier.policies().catch_up().await;
    assert!(
        matches!(poll, Err(PolicyChangeError::Unavailable(_))),
        "{poll:?}"
    );
    for instance in [&one, &other] {
        assert_eq!(instance.ids(), [held]);
        assert!(!instance.sends());
    }
    fleet.clock.advance(HOUR);
    let late = fleet.instance();
    late.polls().await;
    assert_eq!(late.ids(), [held]);
    assert_eq!(fleet.records().await.len(), 1);
}

#[tokio::test]
async fn several_are_laid_on_together_or_not_at_all() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.instance(), fleet.instance());
    let policies = one.verifier.policies();
    let all = vec![vip(1), OFF, vip(2)];
    let ids = policies
        .override_all_until(all, one.in_(HOUR), by("alice"))
        .await;
    let ids = ids.unwrap();
    other.polls().await;
    assert_eq!(other.ids(), ids);
    assert_eq!(fleet.records().await.len(), 3);
    let all = vec![vip(3), Exception::CaptchaRequired];
    let refused = policies
        .override_all_until(all, one.in_(HOUR), by("alice"))
        .await;
    assert!(
        matches!(refused, Err(PolicyChangeError::Policy(_))),
        "{refused:?}"
    );
    other.polls().await;
    assert_eq!(other.ids(), ids);
    assert_eq!(fleet.records().await.len(), 3);
}

#[tokio::test]
async fn what_is_laid_on_here_alone_stays_here_and_is_lifted_here() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.instance(), fleet.instance());
    let policies = one.verifier.policies();
    let id = policies
        .override_here(OFF, one.in_(HOUR), by("environment"))
        .await;
    let id = id.unwrap();
    other.polls().await;
    assert!(!one.sends() && other.sends());
    let rwanda = Exception::CountryDenied(Region::parse("RW").unwrap());
    other.lays(rwanda, HOUR).await.unwrap();
    one.polls().await;
    assert!(!one.sends());
    assert_eq!(one.ids().len(), 2);
    let unknown = other.verifier.policies().end_override(id, by("bob")).await;
    assert!(unknown.is_err(), "{unknown:?}");
    policies.end_override(id, by("bob")).await.unwrap();
    assert!(one.sends());
    assert_eq!(one.ids().len(), 1);
}

#[tokio::test]
async fn an_instance_where_it_cannot_hold_leaves_it_out_and_keeps_the_others() {
    let fleet = Fleet::new();
    let (one, narrow) = (fleet.instance(), fleet.instance());
    let germany = Region::parse("DE").unwrap();
    let only = Policy::new(Limits::recommended().with_geography(Geography::only([germany])));
    narrow
        .verifier
        .policies()
        .replace(only, by("bob"))
        .await
        .unwrap();
    let denied = one
        .lays(Exception::CountryDenied(germany), HOUR)
        .await
        .unwrap();
    let off = one.lays(OFF, HOUR).await.unwrap();
    narrow.polls().await;
    assert_eq!(narrow.ids(), [off]);
    assert!(!narrow.sends());
    assert_eq!(one.ids(), [denied, off]);
    let wide = Policy::new(Limits::recommended());
    narrow
        .verifier
        .policies()
        .replace(wide, by("bob"))
        .await
        .unwrap();
    narrow.polls().await;
    assert_eq!(narrow.ids(), [denied, off]);
}

use std::sync::Arc;
use std::time::Duration;

use otp_kit::delivery::Providers;
use otp_kit::destination::Region;
use otp_kit::event::Act;
use otp_kit::policy::Exception;
use otp_kit::prelude::*;
use otp_kit::store::{MemoryStore, PolicyDocument, PolicyStore as _, Published};
use otp_kit::testing::Outbox;
use otp_kit::verifier::{FleetTrouble, PolicyText, PublishError};

const SECOND: Duration = Duration::from_secs(1);
const OFF: &str = "auth:\n  sms_otp:\n    enabled: false\n";

fn instance(store: &MemoryStore) -> Verifier {
    let named = ["twilio", "plivo"].map(Outbox::named);
    let named = named.into_iter().fold(Providers::new(), Providers::with);
    Verifier::builder(store.clone(), KeyRing::generate(&OsRandom).unwrap())
        .route(Channel::Sms, Route::primary(Outbox::named("built")))
        .providers(named)
        .limits(Limits::recommended())
        .hasher(CodeHasher::keyed())
        .build()
        .unwrap()
}

fn why() -> Arc<Act> {
    Arc::new(Act::new("alice", "an incident").unwrap())
}

fn sms(verifier: &Verifier) -> bool {
    verifier.policy().channels().is_on(Channel::Sms)
}

/// Names who sends text messages, the first first.
fn senders(verifier: &Verifier) -> Vec<String> {
    let routes = verifier.routes().status();
    let sms = routes.iter().find(|route| route.channel == Channel::Sms);
    let providers = sms.map(|route| route.providers.as_slice());
    let names = providers.unwrap_or_default().iter();
    names.map(|health| health.provider.clone()).collect()
}

/// Two instances on one store; the second follows.
fn two() -> (MemoryStore, Verifier, Verifier, tokio::task::JoinHandle<()>) {
    let store = MemoryStore::new();
    let (one, other) = (instance(&store), instance(&store));
    let follower = other.clone();
    let task = tokio::spawn(async move {
        follower.follow_policy(SECOND).await;
    });
    (store, one, other, task)
}

/// Lets two polls pass, and whatever they lead to.
async fn two_polls() {
    for _ in 0..20 {
        tokio::time::advance(SECOND / 10).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_instance_publishes_is_in_force_on_the_other_within_two_polls() {
    let (store, one, other, task) = two();
    tokio::time::advance(SECOND / 2).await;
    assert_eq!(one.policies().publish(OFF, None, why()).await.unwrap(), 1);
    assert!(!sms(&one), "at once where it was published");
    two_polls().await;
    assert!(!sms(&other));
    assert_eq!(other.policies().fleet().version, 1);
    let stale = other
        .policies()
        .publish("level: standard\n", None, why())
        .await;
    let Err(PublishError::Conflict { current: 1 }) = stale else {
        panic!("{stale:?}");
    };
    other
        .policies()
        .publish("level: standard\n", Some(1), why())
        .await
        .unwrap();
    assert!(
        sms(&other),
        "a document is laid over what was built, not over the one before"
    );
    let records = store.history(10).await.unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].document.author(), "alice");
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_bad_leaves_the_last_good_policy_in_force_and_is_reported() {
    let (store, one, other, task) = two();
    one.policies().publish(OFF, None, why()).await.unwrap();
    two_polls().await;
    let refused = one
        .policies()
        .publish("challenge: { attempts: 99 }", Some(1), why())
        .await;
    assert!(matches!(refused, Err(PublishError::File(_))), "{refused:?}");
    // A newer build knows a setting that this one does not.
    let newer = PolicyDocument::new("of_tomorrow: 1\n", "bob", "an upgrade").unwrap();
    let event =
        otp_kit::event::Event::new(otp_kit::event::EventKind::PolicyChanged, &Tenant::default());
    let published = store.publish(Some(1), newer, event).await.unwrap();
    assert!(matches!(published, Published::As(_)), "{published:?}");
    two_polls().await;
    assert!(!sms(&other));
    let fleet = other.policies().fleet();
    assert_eq!(fleet.version, 1);
    let why_not = "line 1: of_tomorrow: is not a setting".to_owned();
    assert_eq!(
        fleet.trouble,
        Some(FleetTrouble::Refused {
            version: 2,
            why: why_not
        })
    );
    one.policies()
        .publish("level: standard\n", Some(2), why())
        .await
        .unwrap();
    two_polls().await;
    assert!(sms(&other));
    assert_eq!(other.policies().fleet().trouble, None);
    task.abort();
}

#[tokio::test]
async fn toml_is_checked_by_its_own_lines_and_published_as_the_yaml_that_says_the_same() {
    let store = MemoryStore::new();
    let one = instance(&store);
    let off = PolicyText::Toml("\n[auth.sms_otp]\nenabled = false\n");
    assert!(
        !one.policies()
            .check(off)
            .unwrap()
            .policy
            .channels()
            .is_on(Channel::Sms)
    );
    assert!(sms(&one), "a check changes nothing");
    assert_eq!(store.version().await.unwrap(), 0);

    let wrong = PolicyText::Toml("\n[auth.sms_otp]\nenabled = 1\n");
    let refused = one.policies().publish(wrong, None, why()).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "line 3: auth.sms_otp.enabled: must be true or false"
    );
    one.policies().publish(off, None, why()).await.unwrap();
    assert!(!sms(&one));
    let kept = store.current().await.unwrap().unwrap();
    assert_eq!(kept.document.text(), OFF);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_clashes_with_a_local_override_is_taken_over_when_that_ends() {
    let (_store, one, other, task) = two();
    let germany = Exception::CountryDenied(Region::parse("DE").unwrap());
    #[expect(
        clippy::disallowed_methods,
        reason = "the verifier's clock is the system's"
    )]
    let soon = std::time::SystemTime::now() + 3_600 * SECOND;
    let policies = other.policies();
    let id = policies.override_here(germany, soon, why()).await.unwrap();
    let there = "countries: { allow: [DE] }\n";
    one.policies().publish(there, None, why()).await.unwrap();
    two_polls().await;
    let fleet = policies.fleet();
    assert_eq!(fleet.version, 0, "nobody could be sent to");
    let refused = matches!(
        fleet.trouble,
        Some(FleetTrouble::Refused { version: 1, .. })
    );
    assert!(refused, "{fleet:?}");
    policies.end_override(id, why()).await.unwrap();
    two_polls().await;
    let fleet = policies.fleet();
    assert_eq!((fleet.version, fleet.trouble), (1, None));
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn the_provider_that_a_policy_names_sends_on_every_instance_until_the_policy_is_another() {
    const TO_PLIVO: &str =
        "delivery:\n  sms:\n    primary_provider: plivo\n    backup_provider: twilio\n";
    let (_store, one, other, task) = two();
    assert_eq!(senders(&one), ["built"]);
    let published = one.policies().publish(TO_PLIVO, None, why()).await;
    assert_eq!(published.unwrap(), 1);
    two_polls().await;
    for instance in [&one, &other] {
        assert_eq!(senders(instance), ["plivo", "twilio"]);
        assert!(instance.policies().standing().to_yaml().contains("plivo"));
    }
    let away = "level: standard\n";
    one.policies().publish(away, Some(1), why()).await.unwrap();
    two_polls().await;
    for instance in [&one, &other] {
        assert_eq!(senders(instance), ["built"]);
    }
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_names_nobody_who_is_there_or_builds_the_host_is_not_published() {
    let (store, one, _, task) = two();
    for (text, why_not) in [
        (
            "delivery:\n  sms:\n    primary_provider: nexmo\n",
            "delivery.sms: no provider is named nexmo",
        ),
        (
            "delivery:\n  sms:\n    primary_provider: plivo\n    backup_provider: plivo\n",
            "delivery.sms: provider plivo is named twice",
        ),
        (
            "database:\n  max_open_conns: 50\n",
            "database: is read at the start of a service, and cannot be published",
        ),
    ] {
        let refused = one.policies().publish(text, None, why()).await;
        assert_eq!(refused.unwrap_err().to_string(), why_not);
    }
    assert_eq!(store.version().await.unwrap(), 0);
    assert_eq!(senders(&one), ["built"]);
    task.abort();
}

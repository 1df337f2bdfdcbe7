//! Attacks on codes that a vendor makes and checks.

use std::sync::Arc;
use std::time::Duration;

use otp_kit::delivery::DeliveryErrorKind;
use otp_kit::prelude::*;
use otp_kit::testing::{Behaviour, Outbox, StandInVerification};
use otp_kit::verifier::{Attempt, Claim};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{PHONE, Service, from_anywhere, here, wrong};

mod once;

const CROWD: u32 = 100;

fn phone(number: &str) -> Destination {
    PhoneNumber::parse(number).unwrap().into()
}

/// A service on every store, each with a vendor that approves a right code as often as asked.
async fn everywhere() -> Vec<(Arc<Service>, StandInVerification)> {
    let vendors = std::sync::Mutex::new(Vec::new());
    let services = Service::everywhere(|builder| {
        let vendor = StandInVerification::new("acme-verify").approving_again();
        vendors.lock().unwrap().push(vendor.clone());
        builder.route(Channel::Sms, Route::managed(vendor))
    });
    let services = services.await;
    let vendors = vendors.into_inner().unwrap();
    services.into_iter().map(Arc::new).zip(vendors).collect()
}

async fn issue(service: &Service, to: &str, subject: &str, purpose: &str) -> ChallengeId {
    let issue = Issue::to(phone(to))
        .for_purpose(purpose)
        .for_subject(SubjectId::new(subject).unwrap())
        .from(here());
    service.verifier.issue(issue).await.unwrap().challenge_id
}

fn code(vendor: &StandInVerification, to: &str) -> String {
    let code = vendor.last_code_for(&phone(to)).unwrap();
    code.expose().to_owned()
}

async fn storm(service: &Arc<Service>, id: ChallengeId, typed: &str) -> usize {
    let mut tasks = JoinSet::new();
    for number in 0..CROWD {
        let (service, typed) = (Arc::clone(service), typed.to_owned());
        tasks.spawn(async move {
            let context = from_anywhere(number);
            service.verifier.verify(&id, &typed, context).await
        });
    }
    let answers = tasks.join_all().await;
    answers.iter().filter(|answer| answer.is_ok()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_parallel_right_codes_are_one_sign_in_though_the_vendor_approves_each() {
    for (service, vendor) in everywhere().await {
        vendor.set_checks(Behaviour::Slow(Duration::from_millis(50)));
        let id = issue(&service, PHONE, "user-1", "login").await;
        let wins = storm(&service, id, &code(&vendor, PHONE)).await;
        assert_eq!(wins, 1);
        assert!(vendor.checks() <= 5, "{} were asked about", vendor.checks());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_parallel_wrong_codes_are_five_questions_to_the_vendor() {
    for (service, vendor) in everywhere().await {
        let id = issue(&service, PHONE, "user-1", "login").await;
        let right = code(&vendor, PHONE);
        assert_eq!(storm(&service, id, &wrong(&right)).await, 0);
        assert_eq!(vendor.checks(), 5);
        let late = service.verifier.verify(&id, &right, here()).await;
        assert!(late.is_err(), "the challenge is used up");
        assert_eq!(vendor.checks(), 5);
    }
}

#[tokio::test]
async fn an_outage_of_the_vendor_buys_no_guesses() {
    for (service, vendor) in everywhere().await {
        let id = issue(&service, PHONE, "user-1", "login").await;
        let right = code(&vendor, PHONE);
        vendor.set_checks(Behaviour::Lose);
        assert_eq!(storm(&service, id, &wrong(&right)).await, 0);
        assert_eq!(vendor.checks(), 5);
        vendor.set_checks(Behaviour::Accept);
        assert_eq!(storm(&service, id, &right).await, 0);
        assert_eq!(vendor.checks(), 5, "its guesses were spent on silence");
    }
}

#[tokio::test]
async fn a_vendors_code_is_worth_nothing_for_another_subject_or_purpose() {
    for (service, vendor) in everywhere().await {
        let other = "+14155550124";
        let mine = issue(&service, PHONE, "user-1", "login").await;
        let theirs = issue(&service, other, "user-2", "login").await;
        let my_code = code(&vendor, PHONE);
        let crossed = service.verifier.verify(&theirs, &my_code, here()).await;
        assert!(matches!(crossed, Err(VerifyError::Rejected)));
        let latest = Claim::latest_of(&SubjectId::new("user-2").unwrap(), "login");
        let crossed = service.verifier.verify(latest, &my_code, here()).await;
        assert!(matches!(crossed, Err(VerifyError::Rejected)));
        // The same number under another account, and for another purpose.
        let asked = vendor.checks();
        let purpose = Attempt::new(&my_code).for_purpose(Purpose::RECOVERY);
        let crossed = service.verifier.verify(&mine, purpose, here()).await;
        assert!(matches!(crossed, Err(VerifyError::Rejected)));
        assert_eq!(vendor.checks(), asked, "nobody is asked about it");
        let same_phone = issue(&service, PHONE, "user-3", "login").await;
        let crossed = service.verifier.verify(&same_phone, &my_code, here()).await;
        assert!(matches!(crossed, Err(VerifyError::Rejected)));
        let new_code = code(&vendor, PHONE);
        let crossed = service.verifier.verify(&mine, &new_code, here()).await;
        assert!(matches!(crossed, Err(VerifyError::Rejected)));
        let own = service.verifier.verify(&same_phone, &new_code, here());
        assert!(own.await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_refusal_does_not_tell_whether_the_vendor_was_asked() {
    let vendor = StandInVerification::new("acme-verify");
    let route = Route::managed(vendor.clone());
    let service = Service::with(|builder| builder.route(Channel::Sms, route));
    let took = Duration::from_millis(300);
    vendor.set_checks(Behaviour::Slow(took));
    let real = issue(&service, PHONE, "user-1", "login").await;
    let bad = wrong(&code(&vendor, PHONE));
    let decoy = Issue::decoy("nobody", Channel::Sms)
        .for_purpose("login")
        .from(here());
    let decoy = service.verifier.issue(decoy).await.unwrap().challenge_id;
    let over = issue(&service, "+14155550124", "user-2", "login").await;
    let tenant = Tenant::default();
    let cancelled = service.verifier.cancel(&tenant, &over, here()).await;
    cancelled.unwrap();
    for claim in [
        Claim::from(real),
        Claim::from(decoy),
        Claim::from(over),
        Claim::latest_to(&phone("+14155550199"), "login"),
    ] {
        let begun = Instant::now();
        let answer = service.verifier.verify(claim, &bad, here()).await;
        assert!(matches!(answer, Err(VerifyError::Rejected)));
        assert_eq!(begun.elapsed(), took);
    }
    assert_eq!(vendor.checks(), 1);
}

/// A service whose vendor has our own messages behind it or not, with a device that is known.
struct Owner {
    service: Service,
    vendor: StandInVerification,
    device: RequestContext,
}

impl Owner {
    async fn with(configure: impl FnOnce(Route, &Outbox) -> Route) -> Self {
        let vendor = StandInVerification::new("acme-verify");
        let outbox = Outbox::new();
        let route = configure(Route::managed(vendor.clone()), &outbox);
        let mut service = Service::with(|builder| builder.route(Channel::Sms, route));
        service.outbox = outbox;
        let mut owner = Self {
            service,
            vendor,
            device: here(),
        };
        // The owner signs in once, and the device is remembered.
        let id = owner.issue(here()).await;
        let right = code(&owner.vendor, PHONE);
        let verifier = &owner.service.verifier;
        let verified = verifier.verify(&id, right, here()).await.unwrap();
        let token = verifier.remember_device(&verified).await.unwrap();
        owner.device = here().device_token(token.expose());
        owner.service.advance(60);
        owner
    }

    async fn issue(&self, from: RequestContext) -> ChallengeId {
        let issue = Issue::to(phone(PHONE))
            .for_purpose("login")
            .for_subject(SubjectId::new("user-1").unwrap())
            .from(from);
        let issued = self.service.verifier.issue(issue).await;
        issued.unwrap().challenge_id
    }
}

#[tokio::test]
async fn a_strangers_start_does_not_end_the_code_of_a_known_device() {
    let owner = Owner::with(|route, _| route).await;
    let mine = owner.issue(owner.device.clone()).await;
    let right = code(&owner.vendor, PHONE);
    let theirs = owner.issue(from_anywhere(7)).await;
    assert_eq!((owner.vendor.starts(), owner.vendor.pending()), (2, 1));
    let stolen = owner.service.verifier.verify(&theirs, &right, here()).await;
    assert!(matches!(stolen, Err(VerifyError::Rejected)));
    // A further message of theirs is none either.
    owner.service.advance(60);
    let again = owner.service.verifier.resend(&theirs, here()).await;
    assert!(again.is_ok());
    assert_eq!((owner.vendor.starts(), owner.vendor.pending()), (2, 1));
    let device = owner.device.clone();
    let own = owner.service.verifier.verify(&mine, &right, device).await;
    assert!(own.is_ok());
}

#[tokio::test]
async fn a_strangers_start_goes_to_the_backup_while_a_known_device_waits() {
    let owner = Owner::with(|route, outbox| route.backup(outbox.clone())).await;
    let mine = owner.issue(owner.device.clone()).await;
    let right = code(&owner.vendor, PHONE);
    let public = owner.issue(here()).await;
    assert_eq!(owner.vendor.starts(), 2);
    let own_code = owner.service.code(PHONE);
    let public = owner.service.verifier.verify(&public, &own_code, here());
    assert!(public.await.is_ok());
    let device = owner.device.clone();
    let own = owner.service.verifier.verify(&mine, &right, device).await;
    assert!(own.is_ok());
    // Nothing waits any more: the vendor is asked again.
    owner.service.advance(60);
    owner.issue(here()).await;
    assert_eq!(owner.vendor.starts(), 3);
}

#[tokio::test]
async fn a_start_looks_at_its_own_subject_and_not_at_all_that_lives() {
    for (service, vendor) in everywhere().await {
        issue(&service, PHONE, "user-1", "login").await;
        issue(&service, PHONE, "user-2", "login").await;
        assert_eq!(vendor.pending(), 2, "the vendor is told of its own only");
        issue(&service, PHONE, "user-2", "recovery").await;
        assert_eq!(vendor.pending(), 2);
    }
}

#[tokio::test]
async fn an_outage_of_the_vendor_tells_no_decoy_from_a_person() {
    let vendor = StandInVerification::new("acme-verify");
    let route = Route::managed(vendor.clone());
    let service = Service::with(|builder| builder.route(Channel::Sms, route));
    let real = issue(&service, PHONE, "user-1", "login").await;
    let bad = wrong(&code(&vendor, PHONE));
    let decoy = Issue::decoy("nobody", Channel::Sms)
        .for_purpose("login")
        .from(here());
    let decoy = service.verifier.issue(decoy).await.unwrap().challenge_id;
    let unknown = || Claim::latest_to(&phone("+14155550199"), "login");
    vendor.set_checks(Behaviour::Lose);
    for claim in [Claim::from(real), Claim::from(decoy), unknown()] {
        let answer = service.verifier.verify(claim, &bad, here()).await;
        assert!(matches!(answer, Err(VerifyError::Unavailable(_))));
    }
    vendor.set_checks(Behaviour::Accept);
    for claim in [Claim::from(real), Claim::from(decoy), unknown()] {
        let answer = service.verifier.verify(claim, &bad, here()).await;
        assert!(matches!(answer, Err(VerifyError::Rejected)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_code_of_ours_takes_as_long_as_one_that_nobody_waits_for() {
    let vendor = StandInVerification::new("acme-verify");
    let outbox = Outbox::new();
    let route = Route::managed(vendor.clone()).backup(outbox.clone());
    let mut service = Service::with(|builder| builder.route(Channel::Sms, route));
    service.outbox = outbox;
    vendor.set_starts(Behaviour::Refuse(DeliveryErrorKind::Unavailable));
    let ours = issue(&service, PHONE, "user-1", "login").await;
    let bad = wrong(&service.code(PHONE));
    let nobody = Claim::latest_to(&phone("+14155550199"), "login");
    for claim in [Claim::from(ours), nobody] {
        let begun = Instant::now();
        let answer = service.verifier.verify(claim, &bad, here()).await;
        assert!(matches!(answer, Err(VerifyError::Rejected)));
        assert_eq!(begun.elapsed(), Duration::from_millis(200));
    }
}

//! What goes with an account's last factor, and how changes of factors are measured.

use std::sync::{Arc, Mutex};

use otp_kit::event::{Answer, Event, EventKind, Measure, Observer, Outcome};
use otp_kit::policy::Assurance;
use otp_kit::prelude::*;
use otp_kit::request::{Operation, SubjectKey};
use otp_kit::store::FactorOwner;
use otp_kit::verifier::{Enrolment, FactorError, Proven};

use crate::factors::{Phone, account, ann};
use crate::support::{PHONE, Service, here};

fn owner() -> FactorOwner {
    FactorOwner {
        tenant: Tenant::default(),
        subject: SubjectKey::of_subject(&ann()),
    }
}

/// Signs in by a text message and has the device remembered.
async fn remember(service: &Service) {
    let phone = PhoneNumber::parse(PHONE).unwrap();
    let issue = Issue::to(phone).for_purpose("login").for_subject(ann());
    let issued = service.verifier.issue(issue.from(here())).await.unwrap();
    let code = service.code(PHONE);
    let verified = service
        .verifier
        .verify(&issued.challenge_id, code, here())
        .await;
    let token = service.verifier.remember_device(&verified.unwrap()).await;
    drop(token.unwrap());
}

#[tokio::test]
async fn with_the_last_factor_go_recovery_codes_and_devices_each_on_record_and_with_no_other() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let phone = service.phone_of(&ann).await;
        let _codes = service.recovery_of(&ann).await;
        let pair = service.proven(&ann, Assurance::Pair);
        let enrolled = verifier.enrol_factor(Enrolment::totp(account()), &pair, here());
        let tablet = Phone::scan(&enrolled.await.unwrap());
        let code = tablet.code(&service);
        let confirmed = verifier.confirm_factor(&ann, tablet.id, code, here());
        drop(confirmed.await.unwrap());
        remember(&service).await;
        let left = async || {
            let codes = verifier.recovery_left(&Tenant::default(), &ann).await;
            let devices = verifier.devices(&owner()).await;
            (codes.unwrap(), devices.unwrap().len())
        };

        let shown = Proven::by_factor(&service.show(&ann, &phone).await);
        let removed = verifier.remove_factor(tablet.id, &shown, here());
        removed.await.unwrap();
        assert_eq!(left().await, (10, 1), "the phone is left");
        let removed = verifier.remove_factor(phone.id, &shown, here());
        removed.await.unwrap();
        assert_eq!(left().await, (0, 0));
        let records = verifier.store().outbox(None, 1_000).await.unwrap();
        let told = records.iter().filter_map(|entry| {
            let reason = entry.event.reason.as_deref()?;
            let done = entry.event.outcome == Outcome::Success;
            (done && reason.starts_with("last_factor")).then_some((entry.event.kind, reason))
        });
        let told: Vec<_> = told.collect();
        let expected = [
            (EventKind::DevicesForgotten, "last_factor:1"),
            (EventKind::FactorRemoved, "last_factor"),
        ];
        assert_eq!(told, expected);
    }
}

/// Notes how calls ended, and what was done.
#[derive(Clone, Debug, Default)]
struct Calls(Arc<Mutex<Vec<(Operation, Answer)>>>);

impl Observer for Calls {
    fn observe(&self, _event: &Event) {}

    fn measure(&self, measure: &Measure<'_>) {
        if let Measure::Answered {
            operation, answer, ..
        } = measure
        {
            self.0.lock().unwrap().push((*operation, *answer));
        }
    }
}

#[tokio::test]
async fn each_change_and_each_check_of_a_factor_is_measured_by_how_it_ended() {
    let calls = Calls::default();
    let service = Service::with(|builder| builder.observer(calls.clone()));
    let (verifier, ann) = (&service.verifier, ann());
    let phone = service.phone_of(&ann).await;
    let weak = service.proven(&ann, Assurance::Restricted);
    let removed = verifier.remove_factor(phone.id, &weak, here()).await;
    assert!(matches!(removed, Err(FactorError::NotFresh { .. })));
    let shown = Proven::by_factor(&service.show(&ann, &phone).await);
    let name = otp_kit::factor::FactorName::new("blue").unwrap();
    let renamed = verifier.rename_factor(phone.id, name, &shown, here());
    renamed.await.unwrap();
    let drawn = verifier.regenerate_recovery(&shown, here()).await;
    drop(drawn.unwrap());
    let removed = verifier.remove_factor(phone.id, &shown, here());
    removed.await.unwrap();
    let (change, check) = (Operation::Change, Operation::Verify);
    assert_eq!(
        *calls.0.lock().unwrap(),
        [
            (change, Answer::Done),
            (check, Answer::Done),
            (change, Answer::Rejected),
            (check, Answer::Done),
            (change, Answer::Done),
            (change, Answer::Done),
            (change, Answer::Done),
        ]
    );
}

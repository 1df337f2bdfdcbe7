use std::time::Duration;

use otp_kit::clock::ManualClock;
use otp_kit::event::{Act, EventKind, OperatorName, Outcome};
use otp_kit::factor::{FactorKind, FactorName, FactorState, Hotp, OtpSecret, OtpUri};
use otp_kit::operator::{Count, OperatorProof, ResetError};
use otp_kit::policy::{Assurance, Exception, FactorRules};
use otp_kit::prelude::*;
use otp_kit::verifier::{Enrolment, FactorError, NotTheSame, Offer, Proven, ProvenBy, StepUpError};

use crate::factors::{Phone, account, ann};
use crate::support::{PHONE, Service, here};

#[tokio::test]
async fn an_authenticator_is_enrolled_confirmed_and_shown_from_the_next_code_on() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let pending = service.enrol(&ann).await;
        assert_eq!(pending.secret().expose().len(), 20);
        let phone = Phone::scan(&pending);
        let code = phone.code(&service);
        let early = verifier.verify_totp(&ann, &code, here()).await;
        assert!(matches!(early, Err(VerifyError::Rejected)), "{early:?}");
        let confirmed = verifier.confirm_factor(&ann, phone.id, &code, here());
        let confirmed = confirmed.await.unwrap();
        assert_eq!(confirmed.method().name(), "otp");
        service.advance(30);
        let verified = service.show(&ann, &phone).await;
        assert_eq!((verified.subject(), verified.at()), (&ann, service.now()));
        assert!(matches!(verified.by(), ProvenBy::Totp { factor, .. } if factor == phone.id));
        let listed = verifier.list_factors(&Tenant::default(), &ann).await;
        let listed = listed.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].state(), FactorState::Active);
        assert_eq!(listed[0].name.as_str(), "authenticator");
    }
}

#[tokio::test]
async fn an_enrolment_that_nobody_confirms_in_time_lapses_and_makes_room() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let proven = service.proven(&ann, Assurance::Single);
        let mut phones = Vec::new();
        for number in 0..10 {
            let name = FactorName::new(&format!("phone {number}")).unwrap();
            let enrolment = Enrolment::totp(account()).named(name);
            let pending = verifier.enrol_factor(enrolment, &proven, here()).await;
            let pending = pending.unwrap();
            assert_eq!(
                pending.expires_at(),
                service.now() + Duration::from_secs(600)
            );
            phones.push(Phone::scan(&pending));
        }
        let more = Enrolment::totp(account());
        let full = verifier.enrol_factor(more.clone(), &proven, here()).await;
        assert!(matches!(full, Err(FactorError::TooMany)), "{full:?}");
        service.advance(601);
        let code = phones[0].code(&service);
        let late = verifier.confirm_factor(&ann, phones[0].id, code, here());
        let late = late.await;
        assert!(matches!(late, Err(VerifyError::Rejected)), "{late:?}");
        let listed = verifier.list_factors(&Tenant::default(), &ann).await;
        assert_eq!(listed.unwrap(), []);
        let proven = service.proven(&ann, Assurance::Single);
        let again = verifier.enrol_factor(more, &proven, here()).await.unwrap();
        assert_eq!(again.name().as_str(), "authenticator");
    }
}

#[tokio::test]
async fn a_second_authenticator_gets_a_name_of_its_own() {
    let service = Service::new();
    let ann = ann();
    service.phone_of(&ann).await;
    let proven = service.proven(&ann, Assurance::Pair);
    let enrol = |enrolment| service.verifier.enrol_factor(enrolment, &proven, here());
    let second = enrol(Enrolment::totp(account())).await.unwrap();
    assert_eq!(second.name().as_str(), "authenticator 2");
    let same = FactorName::new("authenticator").unwrap();
    let taken = enrol(Enrolment::totp(account()).named(same)).await;
    assert!(matches!(taken, Err(FactorError::NameTaken)), "{taken:?}");
}

#[tokio::test]
async fn a_recovery_code_stands_in_for_the_phone_once_and_says_how_many_are_left() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        service.phone_of(&ann).await;
        let set = service.recovery_of(&ann).await;
        let code = set.codes()[3].to_text();
        let typed = code.expose().to_lowercase().replace('-', " ");
        let verified = verifier.verify_recovery(&ann, &typed, here()).await;
        let verified = verified.unwrap();
        assert!(matches!(verified.by(), ProvenBy::Recovery { left: 9, .. }));
        assert_eq!(verified.method().name(), "recovery");
        let again = verifier.verify_recovery(&ann, typed, here()).await;
        assert!(matches!(again, Err(VerifyError::Rejected)), "{again:?}");
        let left = verifier.recovery_left(&Tenant::default(), &ann).await;
        assert_eq!(left.unwrap(), 9);
        let used = Proven::by_factor(&verified);
        let fresh = verifier.regenerate_recovery(&used, here()).await.unwrap();
        let old = set.codes()[4].to_text();
        let void = verifier.verify_recovery(&ann, old.expose(), here()).await;
        assert!(matches!(void, Err(VerifyError::Rejected)), "{void:?}");
        let new = fresh.codes()[4].to_text();
        drop(
            verifier
                .verify_recovery(&ann, new.expose(), here())
                .await
                .unwrap(),
        );
    }
}

#[tokio::test]
async fn new_recovery_codes_and_the_use_of_one_are_on_record_for_their_owner() {
    let service = Service::new();
    let ann = ann();
    let set = service.recovery_of(&ann).await;
    let code = set.codes()[0].to_text();
    let verified = service
        .verifier
        .verify_recovery(&ann, code.expose(), here());
    drop(verified.await.unwrap());
    let outbox = service.verifier.store().outbox(None, 100).await.unwrap();
    // The first two are of the phone that the codes stand in for.
    let told: Vec<_> = outbox
        .iter()
        .skip(2)
        .map(|entry| {
            (
                entry.event.kind,
                entry.event.outcome,
                entry.event.reason.as_deref(),
            )
        })
        .collect();
    let expected = [
        (EventKind::RecoveryRenewed, Outcome::Success, None),
        (
            EventKind::ValidationAttempt,
            Outcome::Success,
            Some("recovery_code"),
        ),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_purpose_that_requires_more_lets_a_session_through_once_the_factor_is_shown() {
    let rules = FactorRules::recommended().requiring(Purpose::MFA, Assurance::RestrictedPair);
    let service = Service::with(|builder| builder.factors(rules));
    let (verifier, ann) = (&service.verifier, ann());
    let issue = Issue::to(PhoneNumber::parse(PHONE).unwrap())
        .for_purpose("login")
        .for_subject(ann.clone())
        .from(here());
    let issued = verifier.issue(issue).await.unwrap();
    let code = service.code(PHONE);
    let by_sms = verifier.verify(&issued.challenge_id, code, here()).await;
    let proven = Proven::by_code(&by_sms.unwrap(), &ann);
    assert_eq!(proven.assurance(), Assurance::Restricted);
    assert!(verifier.step_up(&Purpose::LOGIN, &proven).await.is_ok());
    let asked = verifier.step_up(&Purpose::MFA, &proven).await;
    let Err(StepUpError::Needed(step_up)) = asked else {
        panic!("{asked:?}");
    };
    assert_eq!(step_up.offers, [], "there is nothing to show yet");
    let phone = service.phone_of(&ann).await;
    service.recovery_of(&ann).await;
    let Err(StepUpError::Needed(step_up)) = verifier.step_up(&Purpose::MFA, &proven).await else {
        panic!("nothing was shown");
    };
    assert_eq!(step_up.required, Assurance::RestrictedPair);
    assert_eq!(step_up.offers, [Offer::Totp, Offer::Recovery]);
    let factor = service.show(&ann, &phone).await;
    let stronger = proven.and(&factor).unwrap();
    assert!(verifier.step_up(&Purpose::MFA, &stronger).await.is_ok());
    service.advance(601);
    assert!(
        verifier.step_up(&Purpose::MFA, &stronger).await.is_err(),
        "it is old"
    );
    let misspelt = Purpose::new("log-in").unwrap();
    let asked = verifier.step_up(&misspelt, &stronger).await;
    assert!(
        matches!(asked, Err(StepUpError::UnknownPurpose)),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_host_whose_clock_went_back_makes_no_old_proof_fresh() {
    let host = ManualClock::default();
    let clock = host.clone();
    let service = Service::with(|builder| builder.clock(clock));
    let (verifier, mike) = (&service.verifier, SubjectId::new("mike").unwrap());
    let own = service.phone_of(&mike).await;
    let shown = service.show(&mike, &own).await;
    let proven = Proven::by_factor(&shown);
    let operator = verifier.operator(Act::new("mike", "ticket 7").unwrap());
    let proof = OperatorProof::by_factor(&Tenant::default(), &shown).unwrap();
    assert!(verifier.step_up(&Purpose::LOGIN, &proven).await.is_ok());
    // An hour passes, and the host's clock stands still.
    service.advance(3_600);
    let asked = verifier.step_up(&Purpose::LOGIN, &proven).await;
    assert!(matches!(asked, Err(StepUpError::Needed(_))), "{asked:?}");
    let reset = operator.reset_factors(&ann(), &proof).await;
    assert!(matches!(reset, Err(ResetError::NotProven)), "{reset:?}");
}

#[tokio::test]
async fn a_waiver_of_the_second_factor_holds_in_a_step_up() {
    let service = Service::new();
    let proven = service.proven(&ann(), Assurance::Restricted);
    let asked = service.verifier.step_up(&Purpose::MFA, &proven).await;
    assert!(asked.is_err());
    let act = Act::new("mike", "nobody receives a message").unwrap();
    let until = service.now() + Duration::from_secs(3_600);
    let policies = service.verifier.policies();
    let begun = policies.override_until(Exception::SecondFactorWaived, until, act);
    begun.await.unwrap();
    assert!(
        service
            .verifier
            .step_up(&Purpose::MFA, &proven)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_factor_goes_with_a_fresh_proof_of_one_and_with_nothing_less() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let phone = service.phone_of(&ann).await;
        let shown = Proven::by_factor(&service.show(&ann, &phone).await);
        let by_sms = service.proven(&ann, Assurance::Restricted);
        let weak = verifier.remove_factor(phone.id, &by_sms, here()).await;
        assert!(
            matches!(weak, Err(FactorError::NotFresh { .. })),
            "{weak:?}"
        );
        service.advance(601);
        let old = verifier.remove_factor(phone.id, &shown, here()).await;
        assert!(matches!(old, Err(FactorError::NotFresh { .. })), "{old:?}");
        let shown = Proven::by_factor(&service.show(&ann, &phone).await);
        verifier
            .remove_factor(phone.id, &shown, here())
            .await
            .unwrap();
        let gone = verifier.remove_factor(phone.id, &by_sms, here()).await;
        assert!(gone.is_err());
        let code = phone.code_in(&service, 30);
        let refused = verifier.verify_totp(&ann, code, here()).await;
        assert!(matches!(refused, Err(VerifyError::Rejected)), "{refused:?}");
    }
}

#[tokio::test]
async fn an_authenticator_is_taken_from_one_service_to_another() {
    let (here_from, to) = (Service::new(), Service::new());
    let ann = ann();
    let phone = here_from.phone_of(&ann).await;
    let proven = here_from.proven(&ann, Assurance::Pair);
    let exported = here_from
        .verifier
        .export_factor(phone.id, account(), &proven, here());
    let text = exported.await.unwrap().to_text();
    let uri = OtpUri::parse(text.expose()).unwrap();
    let proven = to.proven(&ann, Assurance::Single);
    let pending = to
        .verifier
        .enrol_factor(Enrolment::import(&uri), &proven, here());
    let pending = pending.await.unwrap();
    let code = phone.code(&to);
    drop(
        to.verifier
            .confirm_factor(&ann, pending.id(), code, here())
            .await
            .unwrap(),
    );
    to.advance(30);
    drop(to.show(&ann, &phone).await);
}

#[tokio::test]
async fn an_imported_counter_that_stands_anywhere_is_found_by_two_codes() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let secret = OtpSecret::new(b"12345678901234567890".to_vec()).unwrap();
        let token = Hotp::new(&secret);
        let uri = OtpUri::hotp(account(), secret, 0);
        let proven = service.proven(&ann, Assurance::Single);
        let pending = verifier.enrol_factor(Enrolment::import(&uri), &proven, here());
        let id = pending.await.unwrap().id();
        let codes = [500, 501].map(|counter| token.code(counter));
        let pair = [codes[0].expose(), codes[1].expose()];
        let tenant = Tenant::default();
        let found = verifier
            .resynchronise(&tenant, &ann, id, pair, here())
            .await;
        assert!(matches!(
            found.unwrap().by(),
            ProvenBy::Hotp { counter: 501, .. }
        ));
        let used = verifier.verify_hotp(&ann, pair[1], here()).await;
        assert!(matches!(used, Err(VerifyError::Rejected)), "{used:?}");
        let ahead = token.code(512);
        let ahead = verifier.verify_hotp(&ann, ahead.expose(), here()).await;
        assert!(ahead.is_ok(), "ten are looked at: {ahead:?}");
        let beyond = token.code(524);
        let beyond = verifier.verify_hotp(&ann, beyond.expose(), here()).await;
        assert!(matches!(beyond, Err(VerifyError::Rejected)), "{beyond:?}");
    }
}

#[tokio::test]
async fn whoever_lost_the_phone_is_freed_by_an_operator_with_a_second_one_beside() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let phone = service.phone_of(&ann).await;
        service.recovery_of(&ann).await;
        for _ in 0..9 {
            let wrong = phone.wrong(&service);
            drop(verifier.verify_totp(&ann, wrong, here()).await);
        }
        let issue = Issue::to(PhoneNumber::parse(PHONE).unwrap())
            .for_purpose("login")
            .for_subject(ann.clone())
            .from(here());
        let issued = verifier.issue(issue).await.unwrap();
        let code = service.code(PHONE);
        let act = Act::new("mike", "ticket 7: the phone is lost").unwrap();
        let operator = verifier.operator(act);
        let by = |name| OperatorProof::by_second(OperatorName::new(name).unwrap());
        let alone = operator.reset_factors(&ann, &by("mike")).await;
        assert!(matches!(alone, Err(ResetError::NotProven)), "{alone:?}");
        let preview = operator.clone().preview();
        let would = preview.reset_factors(&ann, &by("sue")).await.unwrap();
        assert_eq!(would.count, Count::Exactly(12));
        assert_eq!(would.sample[0], "totp active authenticator");
        let left = verifier.recovery_left(&Tenant::default(), &ann).await;
        assert_eq!(left.unwrap(), 10, "a preview changes nothing");
        let done = operator.reset_factors(&ann, &by("sue")).await.unwrap();
        assert_eq!(done.count, would.count);
        let listed = verifier.list_factors(&Tenant::default(), &ann).await;
        assert_eq!(listed.unwrap(), []);
        let ended = verifier.verify(&issued.challenge_id, code, here()).await;
        assert!(matches!(ended, Err(VerifyError::Rejected)), "{ended:?}");
        let outbox = verifier.store().outbox(None, 1_000).await.unwrap();
        let reset = outbox
            .iter()
            .find(|entry| entry.event.reason.as_deref() == Some("reset_factors:second:sue"));
        assert!(reset.is_some(), "{outbox:?}");
        let another = service.phone_of(&ann).await;
        drop(service.show(&ann, &another).await);
    }
}

#[tokio::test]
async fn an_operators_own_factor_stands_by_them_while_it_is_fresh() {
    let service = Service::new();
    let verifier = &service.verifier;
    let mike = SubjectId::new("mike").unwrap();
    let (own, others) = (
        service.phone_of(&mike).await,
        service.phone_of(&ann()).await,
    );
    let operator = verifier.operator(Act::new("mike", "ticket 7").unwrap());
    let operators = Tenant::default();
    let of_ann =
        OperatorProof::by_factor(&operators, &service.show(&ann(), &others).await).unwrap();
    let refused = operator.reset_factors(&ann(), &of_ann).await;
    assert!(matches!(refused, Err(ResetError::NotProven)), "{refused:?}");
    service.advance(30);
    let fresh = OperatorProof::by_factor(&operators, &service.show(&mike, &own).await).unwrap();
    service.advance(601);
    let old = operator.reset_factors(&ann(), &fresh).await;
    assert!(matches!(old, Err(ResetError::NotProven)), "{old:?}");
    let fresh = OperatorProof::by_factor(&operators, &service.show(&mike, &own).await).unwrap();
    let reset = operator.reset_factors(&ann(), &fresh).await.unwrap();
    assert_eq!(reset.count, Count::Exactly(1));
    service.advance(30);
    let elsewhere = Tenant::new("operators").unwrap();
    let shown = service.show(&mike, &own).await;
    assert!(OperatorProof::by_factor(&elsewhere, &shown).is_err());
}

#[tokio::test]
async fn an_operator_hears_how_far_a_phones_clock_is_off() {
    let service = Service::new();
    let ann = ann();
    let phone = service.phone_of(&ann).await;
    let codes = [-270, -240].map(|by| phone.code_in(&service, by));
    let operator = service
        .verifier
        .operator(Act::new("mike", "codes fail").unwrap());
    let drifts = operator.diagnose_drift(&ann, [&codes[0], &codes[1]]).await;
    let drifts = drifts.unwrap();
    assert_eq!((drifts.len(), drifts[0].factor), (1, phone.id));
    let drift = drifts[0].drift.expect("its own codes");
    assert_eq!(drift.to_string(), "this device is 4 minutes behind");
    let nobody = operator.diagnose_drift(&ann, ["000000", "000000"]).await;
    assert_eq!(nobody.unwrap()[0].drift, None);
}

#[tokio::test]
async fn proofs_of_two_accounts_are_not_put_together() {
    let service = Service::new();
    let phone = service.phone_of(&ann()).await;
    let factor = service.show(&ann(), &phone).await;
    let bob = SubjectId::new("bob").unwrap();
    let of_bob = service.proven(&bob, Assurance::Single);
    assert_eq!(of_bob.and(&factor), Err(NotTheSame));
}

#[tokio::test]
async fn every_kind_of_authenticator_is_enrolled_and_shown() {
    let service = Service::new();
    let (verifier, ann) = (&service.verifier, ann());
    for (number, text) in [
        "otpauth://totp/A:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA256&digits=8",
        "otpauth://totp/A:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA512&period=60",
        "otpauth://totp/A:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=7&period=15",
    ]
    .into_iter()
    .enumerate()
    {
        let uri = OtpUri::parse(text).unwrap();
        let name = FactorName::new(&number.to_string()).unwrap();
        let proven = service.proven(&ann, Assurance::Pair);
        let enrolment = Enrolment::import(&uri).named(name);
        let pending = verifier.enrol_factor(enrolment, &proven, here()).await;
        let phone = Phone::scan(&pending.unwrap());
        let code = phone.code(&service);
        let confirmed = verifier.confirm_factor(&ann, phone.id, code, here()).await;
        drop(confirmed.unwrap());
        service.advance(120);
        drop(service.show(&ann, &phone).await);
        let listed = verifier.list_factors(&Tenant::default(), &ann).await;
        assert_eq!(listed.unwrap()[number].kind, uri.kind());
    }
    let odd = Enrolment::totp(account()).of_kind(FactorKind::TOTP);
    let proven = service.proven(&ann, Assurance::Pair);
    let pending = verifier.enrol_factor(odd, &proven, here()).await.unwrap();
    assert_eq!(pending.uri().kind(), FactorKind::TOTP);
}

use otp_kit::key::{Key, KeyId};
use otp_kit::prelude::*;
use otp_kit::secret::SecretBytes;

use crate::factors::ann;
use crate::support::{Service, here};

#[tokio::test]
async fn a_code_outlives_the_rotation_of_its_key_and_not_its_retirement() {
    let service = Service::new();
    let (early, early_code) = service.issue_to("+14155550123", "login").await;
    let (late, late_code) = service.issue_to("+14155550124", "login").await;
    let old = *service.keys.snapshot().current().id();
    let new = Key::new(
        KeyId::new("k2").unwrap(),
        &SecretBytes::new((0..32).collect()),
    )
    .unwrap();
    service.keys.rotate(new).unwrap();
    assert!(
        service
            .verifier
            .verify(&early, early_code, here())
            .await
            .is_ok()
    );
    service.keys.retire(&old).unwrap();
    let retired = service.verifier.verify(&late, late_code, here()).await;
    assert!(matches!(retired, Err(VerifyError::Rejected)), "{retired:?}");
    let (fresh, code) = service.issue_to("+14155550125", "login").await;
    assert!(service.verifier.verify(&fresh, code, here()).await.is_ok());
}

#[tokio::test]
async fn a_code_that_is_sent_again_hangs_on_the_key_that_its_address_is_sealed_with() {
    for service in Service::everywhere(|builder| builder).await {
        let (issued, _) = service.issue_to("+14155550123", "login").await;
        let old = *service.keys.snapshot().current().id();
        let name = KeyId::new("k2").unwrap();
        let new = Key::new(name, &SecretBytes::new((0..32).collect())).unwrap();
        service.keys.rotate(new).unwrap();
        service.advance(60);
        let again = service.verifier.resend(&issued, here()).await;
        assert!(again.is_ok(), "{again:?}");
        let uses = service.verifier.store().key_uses().await.unwrap();
        let keys: Vec<_> = uses.iter().map(|one| (one.key, one.count)).collect();
        assert_eq!(keys, [(old, 1)], "while it lives, its key must stay");
        let phone = PhoneNumber::parse("+14155550123").unwrap().into();
        let code = service.outbox.last_code_for(&phone).unwrap();
        let verified = service.verifier.verify(&issued, code.expose(), here());
        assert!(verified.await.is_ok());
    }
}

#[tokio::test]
async fn an_authenticator_moves_to_the_new_key_with_its_next_code_and_outlives_the_old_one() {
    for service in Service::everywhere(|builder| builder).await {
        let (ann, bob) = (ann(), SubjectId::new("bob").unwrap());
        let (used, idle) = (service.phone_of(&ann).await, service.phone_of(&bob).await);
        let old = *service.keys.snapshot().current().id();
        let name = KeyId::new("k2").unwrap();
        let new = Key::new(name, &SecretBytes::new((0..32).collect())).unwrap();
        service.keys.rotate(new).unwrap();
        let key_of = async |subject: &SubjectId| {
            let tenant = Tenant::default();
            let factors = service.verifier.list_factors(&tenant, subject);
            *factors.await.unwrap()[0].secret.key_id()
        };
        let wrong = service
            .verifier
            .verify_totp(&ann, used.wrong(&service), here());
        assert!(wrong.await.is_err());
        assert_eq!(key_of(&ann).await, old, "a guess changes nothing");
        drop(service.show(&ann, &used).await);
        assert_eq!((key_of(&ann).await, key_of(&bob).await), (name, old));
        service.keys.retire(&old).unwrap();
        service.advance(30);
        drop(service.show(&ann, &used).await);
        let code = idle.code(&service);
        let retired = service.verifier.verify_totp(&bob, code, here()).await;
        assert!(matches!(retired, Err(VerifyError::Rejected)), "{retired:?}");
    }
}

#[tokio::test]
async fn every_hasher_signs_a_person_in() {
    let cost = otp_kit::hash::BcryptCost::new(10).unwrap();
    for hasher in [
        CodeHasher::argon2id(),
        CodeHasher::bcrypt(cost),
        CodeHasher::keyed(),
    ] {
        let service = Service::with(|builder| builder.hasher(hasher));
        let (id, code) = service.issue().await;
        let stored = service
            .verifier
            .store()
            .find(&id)
            .await
            .unwrap()
            .unwrap()
            .digest;
        assert!(!stored.contains(&code));
        assert!(service.verifier.verify(&id, code, here()).await.is_ok());
    }
}

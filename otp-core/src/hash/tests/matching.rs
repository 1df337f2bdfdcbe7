//! Which codes match, and what a stored form gives away.

use super::*;

#[tokio::test]
async fn every_form_matches_its_code_and_no_other() {
    let keys = ring().snapshot();
    for hasher in all() {
        let stored = hash(&hasher, &keys).await;
        assert_eq!(stored.algorithm(), hasher.algorithm());
        assert_eq!(
            verify(&hasher, &keys, &BINDING, CODE, stored.as_str()).await,
            CURRENT
        );
        for wrong in [
            "",
            "492816",
            "49281",
            "4928170",
            " 492817",
            "492817\0",
            "４９２８１７",
        ] {
            let answer = verify(&hasher, &keys, &BINDING, wrong, stored.as_str()).await;
            assert_eq!(answer, mismatch(MismatchReason::Wrong), "{wrong:?}");
        }
    }
}

#[tokio::test]
async fn a_digest_copied_to_another_row_is_a_wrong_code_there() {
    let keys = ring().snapshot();
    let rows = [
        Binding {
            challenge: "c-2",
            ..BINDING
        },
        Binding {
            tenant: "other",
            ..BINDING
        },
        Binding {
            subject: "u-2",
            ..BINDING
        },
        Binding {
            purpose: "mfa",
            ..BINDING
        },
        Binding {
            channel: "voice",
            ..BINDING
        },
        Binding {
            destination: "+14155550124",
            ..BINDING
        },
    ];
    for hasher in [CodeHasher::keyed(), cheap()] {
        let stored = hash(&hasher, &keys).await;
        for row in rows {
            let answer = verify(&hasher, &keys, &row, CODE, stored.as_str()).await;
            assert_eq!(answer, mismatch(MismatchReason::Wrong), "{row:?}");
        }
    }
}

#[tokio::test]
async fn a_key_of_the_same_id_with_other_bytes_matches_nothing() {
    let stored = hash(&CodeHasher::keyed(), &ring().snapshot()).await;
    let other = KeyRing::new(key("k1", 2)).snapshot();
    let answer = verify(
        &CodeHasher::keyed(),
        &other,
        &BINDING,
        CODE,
        stored.as_str(),
    )
    .await;
    assert_eq!(answer, mismatch(MismatchReason::Wrong));
}

#[tokio::test]
async fn without_randomness_there_is_no_stored_form() {
    let keys = ring().snapshot();
    for hasher in [cheap(), CodeHasher::bcrypt(BcryptCost::MIN)] {
        let refused = hasher
            .reserve()
            .unwrap()
            .hash(&keys, &BrokenRandom::new(), &BINDING, CODE)
            .await;
        assert!(matches!(refused, Err(HashError::Random(_))));
    }
}

#[tokio::test]
async fn the_same_code_is_stored_differently_every_time() {
    let keys = ring().snapshot();
    for hasher in [cheap(), CodeHasher::bcrypt(BcryptCost::MIN)] {
        let (one, other) = (hash(&hasher, &keys).await, hash(&hasher, &keys).await);
        assert_ne!(one.as_str(), other.as_str());
    }
}

#[tokio::test]
async fn neither_debug_nor_errors_nor_stored_forms_show_the_code_the_key_or_the_recipient() {
    let secret = b"canary-key-canary-key-canary-key".to_vec();
    let ring =
        KeyRing::new(Key::new(KeyId::new("k1").unwrap(), &SecretBytes::new(secret)).unwrap());
    let keys = ring.snapshot();
    let mut shown = format!("{ring:?}{keys:?}{:?}{BINDING:?}", keys.current());
    for hasher in all() {
        let slot = hasher.reserve().unwrap();
        shown += &format!("{hasher:?}{slot:?}");
        let stored = slot.hash(&keys, &OsRandom, &BINDING, CODE).await.unwrap();
        shown += &format!("{stored:?}{}", stored.as_str());
        shown += &format!(
            "{:?}",
            verify(&hasher, &keys, &BINDING, CODE, stored.as_str()).await
        );
        shown += &format!("{:?}", verify(&hasher, &keys, &BINDING, CODE, CODE).await);
        if let Err(error) = hasher
            .reserve()
            .unwrap()
            .hash(&keys, &BrokenRandom::new(), &BINDING, CODE)
            .await
        {
            shown += &format!("{error}{error:?}");
        }
    }
    shown += &format!("{:?}", StoredHash::parse(CODE).unwrap_err());
    for canary in [CODE, "canary", "4155550123", "u-1"] {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
}

//! Rotation, upgrades and what a check accepts.

use super::*;

#[tokio::test]
async fn codes_live_on_through_a_rotation_and_end_when_their_key_is_retired() {
    for hasher in [CodeHasher::keyed(), cheap()] {
        let ring = ring();
        let stored = hash(&hasher, &ring.snapshot()).await;
        ring.rotate(key("k2", 2)).unwrap();
        assert_eq!(
            verify(&hasher, &ring.snapshot(), &BINDING, CODE, stored.as_str()).await,
            OLD
        );
        let renewed = hash(&hasher, &ring.snapshot()).await;
        assert_eq!(renewed.key_id().as_str(), "k2");
        ring.retire(stored.key_id()).unwrap();
        let answer = verify(&hasher, &ring.snapshot(), &BINDING, CODE, stored.as_str()).await;
        assert_eq!(answer, mismatch(MismatchReason::UnknownKey));
        assert_eq!(
            verify(&hasher, &ring.snapshot(), &BINDING, CODE, renewed.as_str()).await,
            CURRENT
        );
    }
}

#[tokio::test]
async fn any_form_is_checked_by_any_hasher_and_another_form_is_upgraded() {
    let keys = ring().snapshot();
    for writer in all() {
        let stored = hash(&writer, &keys).await;
        for checker in all() {
            let expected = if writer.algorithm() == checker.algorithm() {
                CURRENT
            } else {
                OLD
            };
            assert_eq!(
                verify(&checker, &keys, &BINDING, CODE, stored.as_str()).await,
                expected
            );
        }
    }
}

#[tokio::test]
async fn the_same_algorithm_with_other_parameters_is_upgraded() {
    let keys = ring().snapshot();
    let stored = hash(&cheap(), &keys).await;
    let strong = CodeHasher::argon2id();
    assert_eq!(
        verify(&strong, &keys, &BINDING, CODE, stored.as_str()).await,
        OLD
    );
    let costly = CodeHasher::bcrypt(BcryptCost::new(11).unwrap());
    let stored = hash(&costly, &keys).await;
    assert_eq!(
        verify(
            &CodeHasher::bcrypt(BcryptCost::MIN),
            &keys,
            &BINDING,
            CODE,
            stored.as_str()
        )
        .await,
        OLD
    );
}

#[tokio::test]
async fn a_form_outside_the_allow_list_is_refused_however_right_the_code() {
    let keys = ring().snapshot();
    let strict = cheap().only([]);
    let stored = hash(&CodeHasher::keyed(), &keys).await;
    let answer = verify(&strict, &keys, &BINDING, CODE, stored.as_str()).await;
    assert_eq!(answer, mismatch(MismatchReason::NotAllowed));
    let lenient = cheap().only([Algorithm::Keyed]);
    assert_eq!(
        verify(&lenient, &keys, &BINDING, CODE, stored.as_str()).await,
        OLD
    );
    let own = hash(&strict, &keys).await;
    assert_eq!(
        verify(&strict, &keys, &BINDING, CODE, own.as_str()).await,
        CURRENT
    );
}

#[tokio::test]
async fn a_relabelled_form_never_matches() {
    let keys = ring().snapshot();
    let stored = hash(&cheap(), &keys).await;
    let tag = stored.as_str().rsplit('$').next().unwrap();
    let relabelled = [
        (
            format!("$otp-hmac$v=1$keyid=k1${tag}"),
            MismatchReason::Wrong,
        ),
        (
            stored.as_str().replace("argon2id", "argon2i"),
            MismatchReason::Corrupt,
        ),
        (stored.as_str().replace("t=1", "t=2"), MismatchReason::Wrong),
        (
            stored.as_str().replace("keyid=k1", "keyid=k9"),
            MismatchReason::UnknownKey,
        ),
    ];
    for (form, reason) in relabelled {
        assert_eq!(
            verify(&cheap(), &keys, &BINDING, CODE, &form).await,
            mismatch(reason),
            "{form}"
        );
    }
}

#[tokio::test]
async fn a_corrupt_record_is_a_mismatch_that_the_audit_can_name() {
    let keys = ring().snapshot();
    for hasher in [CodeHasher::keyed(), cheap()] {
        for stored in [
            "",
            "null",
            "492817",
            "$2b$31$",
            "$argon2id$v=19$m=4294967295,t=2,p=1,keyid=k1$x$y",
        ] {
            let answer = verify(&hasher, &keys, &BINDING, CODE, stored).await;
            assert_eq!(answer, mismatch(MismatchReason::Corrupt), "{stored}");
        }
    }
}

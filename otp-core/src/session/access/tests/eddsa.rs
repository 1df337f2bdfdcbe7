//! Tokens that are signed with Ed25519, beside those of HMAC.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::*;
use crate::key::PublicKey;
use crate::session::{Jwks, TokenAlgorithm};

fn by_ed25519() -> SessionRules {
    rules().algorithm(TokenAlgorithm::EdDsa)
}

fn read_as(rules: &SessionRules, keys: &KeyRing, text: &str) -> Result<Session, SessionRefusal> {
    AccessToken::read(text, &keys.snapshot(), rules, NOW)
}

fn made_as(rules: &SessionRules, keys: &KeyRing) -> String {
    let session = session("alice");
    let token = AccessToken::sign(keys.snapshot().current(), &session, rules).unwrap();
    token.expose().to_owned()
}

fn key(id: &str) -> Key {
    let secret = SecretBytes::new((1..33).collect());
    Key::new(KeyId::new(id).unwrap(), &secret).unwrap()
}

#[test]
fn a_token_by_ed25519_says_what_it_was_made_of_and_is_the_same_each_time() {
    let (keys, rules) = (ring(), by_ed25519());
    let text = made_as(&rules, &keys);
    assert_eq!(read_as(&rules, &keys, &text), Ok(session("alice")));
    // A lost answer that is given again must be the same.
    assert_eq!(text, made_as(&rules, &keys));
    assert!(text.len() <= AccessToken::LONGEST);
}

#[test]
fn attack_an_algorithm_that_the_rules_do_not_name_is_refused_though_its_signature_is_right() {
    let keys = ring();
    let (hmac, ed25519) = (rules(), by_ed25519());
    let of_hmac = made_as(&hmac, &keys);
    let of_ed25519 = made_as(&ed25519, &keys);
    let refused = Err(SessionRefusal::NotOurs);
    assert_eq!(read_as(&hmac, &keys, &of_ed25519), refused);
    assert_eq!(read_as(&ed25519, &keys, &of_hmac), refused);
    let moving = by_ed25519().accepting(TokenAlgorithm::Hs256);
    assert!(read_as(&moving, &keys, &of_hmac).is_ok());
    assert!(read_as(&moving, &keys, &of_ed25519).is_ok());
}

#[test]
fn attack_no_algorithm_at_all_is_refused_where_ed25519_signs() {
    let (keys, rules) = (ring(), by_ed25519());
    let text = made_as(&rules, &keys);
    let (signed, _) = text.rsplit_once('.').unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let head = String::from_utf8(URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap();
    for name in [
        "none", "None", "NONE", "", "eddsa", "EdDSA ", "Ed448", "ES256",
    ] {
        let bad = head.replace("EdDSA", name);
        assert_ne!(bad, head);
        let bad = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(bad));
        let right = keys.snapshot().current().sign(bad.as_bytes()).unwrap();
        for signature in [Vec::new(), right.to_vec()] {
            let bad = format!("{bad}.{}", URL_SAFE_NO_PAD.encode(signature));
            let refused = read_as(&rules, &keys, &bad);
            assert_eq!(refused, Err(SessionRefusal::NotOurs), "{name}");
        }
    }
}

#[test]
fn attack_a_public_key_taken_for_the_secret_of_an_hmac_signs_nothing() {
    let keys = ring();
    let id = *keys.snapshot().current().id();
    let head = format!(r#"{{"alg":"HS256","kid":"{id}","typ":"at+jwt"}}"#);
    let claims = session("mallory").write(&rules());
    let text = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(head),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let public = *keys.snapshot().current().public_key();
    let written = URL_SAFE_NO_PAD.encode(public.as_bytes());
    let document = Jwks::of(&keys.snapshot()).to_string();
    let secrets: [&[u8]; 3] = [public.as_bytes(), written.as_bytes(), document.as_bytes()];
    let moving = by_ed25519().accepting(TokenAlgorithm::Hs256);
    for secret in secrets {
        let mut forged = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        forged.update(text.as_bytes());
        let forged = URL_SAFE_NO_PAD.encode(forged.finalize().into_bytes());
        let forged = format!("{text}.{forged}");
        for rules in [&by_ed25519(), &rules(), &moving] {
            assert_eq!(read_as(rules, &keys, &forged), Err(SessionRefusal::NotOurs));
        }
    }
}

#[test]
fn attack_every_flipped_bit_and_every_cut_of_a_signature_is_refused() {
    let (keys, rules) = (ring(), by_ed25519());
    let text = made_as(&rules, &keys);
    let start = text.rfind('.').unwrap();
    for place in start..text.len() {
        let mut bytes = text.as_bytes().to_vec();
        bytes[place] ^= 1;
        let bad = String::from_utf8(bytes).unwrap();
        assert!(read_as(&rules, &keys, &bad).is_err(), "{place}");
        assert!(read_as(&rules, &keys, &text[..place]).is_err(), "{place}");
    }
}

#[test]
fn a_key_is_known_to_readers_before_it_signs_and_until_it_is_retired() {
    let (keys, rules) = (ring(), by_ed25519());
    let old = *keys.snapshot().current().id();
    let new = KeyId::new("k2").unwrap();
    let elsewhere = KeyRing::generate(&SeededRandom::new(1)).unwrap();
    for ring in [&keys, &elsewhere] {
        ring.publish(key("k2")).unwrap();
    }
    assert_eq!(keys.snapshot().current().id(), &old, "it signs nothing yet");
    let document = Jwks::of(&elsewhere.snapshot()).to_string();
    assert!(document.contains(r#""kid":"k2""#), "readers know it");
    let before = made_as(&rules, &keys);
    keys.promote(&new).unwrap();
    let after = made_as(&rules, &keys);
    for text in [&before, &after] {
        assert!(read_as(&rules, &elsewhere, text).is_ok(), "keys overlap");
        assert!(read_as(&rules, &keys, text).is_ok());
    }
    keys.retire(&old).unwrap();
    assert_eq!(
        read_as(&rules, &keys, &before),
        Err(SessionRefusal::NotOurs)
    );
    assert!(read_as(&rules, &keys, &after).is_ok());
}

#[test]
fn the_document_has_public_keys_of_all_keys_and_nothing_secret() {
    let keys = ring();
    keys.publish(key("k2")).unwrap();
    let set = keys.snapshot();
    let document = Jwks::of(&set).to_string();
    let publics: Vec<PublicKey> = set.all().map(|key| *key.public_key()).collect();
    let [one, two] = publics[..] else {
        unreachable!("two keys");
    };
    let member = |id: &KeyId, key: PublicKey| {
        let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
        format!(
            r#"{{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"{id}","x":"{x}"}}"#
        )
    };
    let first = member(set.current().id(), one);
    let second = member(&KeyId::new("k2").unwrap(), two);
    assert_eq!(document, format!(r#"{{"keys":[{first},{second}]}}"#));
    assert_ne!(one, two);
    for key in set.all() {
        let secrets = [key.token_key(), key.code_key(), key.seal_key()];
        for secret in secrets {
            let shown = URL_SAFE_NO_PAD.encode(secret.expose());
            assert!(!document.contains(&shown));
        }
    }
    assert!(
        !document.contains(r#""d":"#),
        "the private half has no place"
    );
}

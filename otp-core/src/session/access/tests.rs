use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::key::{Key, KeyId, KeyRing, signature};
use crate::random::SeededRandom;
use crate::request::{SubjectId, Tenant};
use crate::secret::SecretBytes;
use crate::session::{InvalidRules, Methods, SessionId};

#[cfg(feature = "eddsa")]
mod eddsa;

const ISSUER: &str = "https://login.example.org";
const LEEWAY: Duration = Duration::from_secs(5);
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const LIFE: Duration = Duration::from_secs(900);

fn rules() -> SessionRules {
    SessionRules::new(ISSUER).unwrap().leeway(LEEWAY).unwrap()
}

fn made(keys: &KeyRing, session: &Session) -> AccessToken {
    AccessToken::sign(keys.snapshot().current(), session, &rules()).unwrap()
}

fn ring() -> KeyRing {
    KeyRing::generate(&SeededRandom::new(1)).unwrap()
}

fn session(subject: &str) -> Session {
    Session {
        id: SessionId::from_bytes([5; 18]),
        tenant: Tenant::default(),
        subject: SubjectId::new(subject).unwrap(),
        methods: Methods::new(["sms", "otp"]).unwrap(),
        class: None,
        authenticated_at: NOW,
        issued_at: NOW,
        expires_at: NOW.saturating_add(LIFE),
        token: "t1".to_owned(),
    }
}

fn signed(keys: &KeyRing, header: &str, claims: &str) -> String {
    let mut text = URL_SAFE_NO_PAD.encode(header);
    text.push('.');
    text.push_str(&URL_SAFE_NO_PAD.encode(claims));
    let mac = signature(keys.snapshot().current().token_key(), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.as_bytes()))
}

fn read(keys: &KeyRing, text: &str) -> Result<Session, SessionRefusal> {
    AccessToken::read(text, &keys.snapshot(), &rules(), NOW)
}

fn header(keys: &KeyRing) -> String {
    let id = *keys.snapshot().current().id();
    format!(r#"{{"alg":"HS256","kid":"{id}","typ":"at+jwt"}}"#)
}

#[test]
fn a_token_says_what_it_was_made_of() {
    let keys = ring();
    for subject in ["alice", "a\"b\\c", "\u{fc}\u{1f600}", "'; --"] {
        let session = session(subject);
        let token = made(&keys, &session);
        assert_eq!(read(&keys, token.expose()), Ok(session));
        assert_eq!(format!("{token:?}"), "AccessToken(redacted)");
    }
}

/// Made by Python's `hmac`, `hashlib` and `json` of the key below: HKDF-SHA-256 (RFC 5869) with the
/// salt `otp-kit key v1` and the info `token signing`, then HMAC-SHA-256 (RFC 7518 section 3.2).
const ELSEWHERE: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIiwidHlwIjoiYXQrand0In0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW\
     1wbGUub3JnIiwic3ViIjoiYWxpY2UiLCJ0ZW5hbnQiOiJkZWZhdWx0IiwiaWF0IjoxNzY3MjI1NjAwLCJuYmYiOjE3\
     NjcyMjU2MDAsImV4cCI6MTc2NzIyNjUwMCwianRpIjoidDEiLCJzaWQiOiJCUVVGQlFVRkJRVUZCUVVGQlFVRkJRVU\
     YiLCJhbXIiOlsic21zIiwib3RwIl0sImF1dGhfdGltZSI6MTc2NzIyNTYwMH0.BDU4JelMldpbhCbHiKcDruaW5wUk\
     5jIF-xkjrAWpPqc";

#[test]
fn hs256_is_what_another_implementation_makes_of_the_same_key() {
    let secret = SecretBytes::new((0..32).collect());
    let keys = KeyRing::new(Key::new(KeyId::new("k1").unwrap(), &secret).unwrap());
    let session = session("alice");
    assert_eq!(made(&keys, &session).expose(), ELSEWHERE);
    assert_eq!(read(&keys, ELSEWHERE), Ok(session));
}

#[test]
fn the_longest_claims_fit_into_a_token() {
    let keys = ring();
    let mut longest = session(&"\"".repeat(128));
    longest.tenant = Tenant::new(&"t".repeat(64)).unwrap();
    let names: Vec<String> = (0..8).map(|n| format!("{n}{}", "m".repeat(31))).collect();
    longest.methods = Methods::new(names.iter().map(String::as_str)).unwrap();
    let token = made(&keys, &longest);
    assert!(token.expose().len() <= AccessToken::LONGEST);
    assert_eq!(read(&keys, token.expose()), Ok(longest));
}

#[test]
fn attack_the_algorithm_is_the_keys_and_never_the_headers() {
    let keys = ring();
    let claims = session("alice").write(&rules());
    let fine = header(&keys);
    assert!(read(&keys, &signed(&keys, &fine, &claims)).is_ok());
    for (from, to) in [
        ("HS256", "none"),
        ("HS256", "None"),
        ("HS256", "RS256"),
        ("HS256", "HS512"),
        ("HS256", "EdDSA"),
        ("at+jwt", "JWT"),
        (r#""alg":"HS256","#, ""),
        (r#","typ":"at+jwt""#, ""),
        (r#""kid":"#, r#""crit":["exp"],"kid":"#),
        (r#""kid":"#, r#""jwk":"x","kid":"#),
        (r#""kid":"#, r#""b64":0,"kid":"#),
        (r#""alg":"HS256""#, r#""alg":"HS256","alg":"none""#),
    ] {
        let bad = fine.replace(from, to);
        assert_ne!(bad, fine);
        let refused = read(&keys, &signed(&keys, &bad, &claims));
        assert_eq!(refused, Err(SessionRefusal::NotOurs), "{bad}");
    }
    // Without a signature, as `none` would have it.
    let text = signed(&keys, &fine.replace("HS256", "none"), &claims);
    let (unsigned, _) = text.rsplit_once('.').unwrap();
    for bad in [format!("{unsigned}."), unsigned.to_owned()] {
        assert_eq!(read(&keys, &bad), Err(SessionRefusal::NotOurs));
    }
}

#[test]
fn attack_a_key_id_that_is_none_or_retired_is_refused() {
    let keys = ring();
    let claims = session("alice").write(&rules());
    let known = keys.snapshot().current().id().to_string();
    let long = "k".repeat(3_000);
    for kid in ["", "../../k", "' OR 1=1 --", "future", &long] {
        let bad = header(&keys).replace(&known, kid);
        let refused = read(&keys, &signed(&keys, &bad, &claims));
        assert_eq!(refused, Err(SessionRefusal::NotOurs), "{kid}");
    }
    let token = made(&keys, &session("alice"));
    let old = *keys.snapshot().current().id();
    let next = SecretBytes::new((0..32).collect());
    keys.rotate(Key::new(KeyId::new("next").unwrap(), &next).unwrap())
        .unwrap();
    assert!(read(&keys, token.expose()).is_ok(), "keys overlap");
    keys.retire(&old).unwrap();
    assert_eq!(read(&keys, token.expose()), Err(SessionRefusal::NotOurs));
}

#[test]
fn attack_claims_that_are_missing_added_or_of_another_issuer_are_refused() {
    let keys = ring();
    let claims = session("alice").write(&rules());
    for name in [
        "iss",
        "sub",
        "tenant",
        "iat",
        "nbf",
        "exp",
        "jti",
        "sid",
        "amr",
        "auth_time",
    ] {
        let bad = claims.replace(&format!("\"{name}\":"), "\"other\":");
        assert_ne!(bad, claims, "{name}");
        let refused = read(&keys, &signed(&keys, &header(&keys), &bad));
        assert_eq!(refused, Err(SessionRefusal::NotOurs), "{name}");
    }
    for (from, to) in [
        ("{", "{\"more\":1,"),
        ("{", "{ "),
        ("login.example.org", "evil.example.org"),
        ("\"exp\":1", "\"exp\":18446744073709551615,\"exp\":1"),
        ("\"exp\":1767226500", "\"exp\":\"1767226500\""),
        ("\"exp\":1767226500", "\"exp\":99999999999999999999"),
        ("\"exp\":1767226500", "\"exp\":-1"),
    ] {
        let bad = claims.replacen(from, to, 1);
        assert_ne!(bad, claims);
        assert!(
            read(&keys, &signed(&keys, &header(&keys), &bad)).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn attack_a_token_for_another_audience_or_for_none_is_refused() {
    let keys = ring();
    let of = |audience: &str| rules().audience(audience).unwrap();
    let key = keys.snapshot();
    let sign = |rules: &SessionRules| AccessToken::sign(key.current(), &session("alice"), rules);
    let read = |token: &AccessToken, rules: &SessionRules| {
        AccessToken::read(token.expose(), &keys.snapshot(), rules, NOW)
    };
    let (api, shop) = (
        of("https://api.example.org"),
        of("https://shop.example.org"),
    );
    let [for_api, for_shop, for_all] = [&api, &shop, &rules()].map(|rules| sign(rules).unwrap());
    assert_eq!(read(&for_api, &api), Ok(session("alice")));
    for refused in [
        read(&for_shop, &api),
        read(&for_all, &api),
        // Whoever checks for no audience is not whom it is for.
        read(&for_api, &rules()),
    ] {
        assert_eq!(refused, Err(SessionRefusal::NotOurs));
    }
    let claims = for_api.expose().split('.').nth(1).unwrap();
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert!(
        claims.contains(r#""aud":"https://api.example.org""#),
        "{claims}"
    );
    for none in ["", "a b", "a\n", &"a".repeat(129)] {
        assert_eq!(rules().audience(none).err(), Some(InvalidRules::Audience));
    }
}

#[test]
fn attack_every_flipped_bit_and_every_cut_is_refused() {
    let keys = ring();
    let token = made(&keys, &session("alice"));
    let text = token.expose();
    for place in 0..text.len() {
        for bit in 0..7 {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            let bad = String::from_utf8(bytes).unwrap();
            assert_eq!(
                read(&keys, &bad),
                Err(SessionRefusal::NotOurs),
                "{place} {bit}"
            );
        }
        assert_eq!(read(&keys, &text[..place]), Err(SessionRefusal::NotOurs));
    }
    for more in ["=", "A", ".", ".a", " ", &"A".repeat(5_000)] {
        assert!(read(&keys, &format!("{text}{more}")).is_err(), "{more}");
    }
}

#[test]
fn a_token_lives_from_its_time_to_its_end_with_some_leeway() {
    let keys = ring();
    let token = made(&keys, &session("alice"));
    let at = |now| AccessToken::read(token.expose(), &keys.snapshot(), &rules(), now).err();
    let end = NOW.saturating_add(LIFE);
    let millisecond = Duration::from_millis(1);
    let late = end.saturating_add(LEEWAY);
    assert_eq!(at(late.saturating_sub(millisecond)), None);
    assert_eq!(at(late), Some(SessionRefusal::OutOfTime));
    let early = NOW.saturating_sub(LEEWAY);
    assert_eq!(at(early), None);
    let refused = at(early.saturating_sub(millisecond));
    assert_eq!(refused, Some(SessionRefusal::OutOfTime));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_fall_over(text in "\\PC{0,200}|[A-Za-z0-9_.-]{0,200}") {
        prop_assert!(read(&ring(), &text).is_err());
    }

    #[test]
    fn no_signed_claims_make_the_reader_fall_over(header in "\\PC{0,80}", claims in "\\PC{0,200}") {
        let keys = ring();
        prop_assert!(read(&keys, &signed(&keys, &header, &claims)).is_err());
    }
}

//! Logins that Telegram signs.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::super::mac::{hex, hmac_sha256, sha256};
use super::super::{TelegramBot, TelegramKey, TelegramLogin, TelegramRefusal};
use super::support::{NOW, secret};

const TOKEN: &str = "1000:token";
const AGE: Duration = Duration::from_secs(300);

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac_sha256(key, &[text.as_bytes()])
        .expect("any key")
        .to_vec()
}

fn widget(fields: &[(&str, &str)]) -> Result<TelegramLogin, TelegramRefusal> {
    TelegramBot::new(secret(TOKEN)).widget(fields, NOW)
}

#[test]
fn a_widget_login_is_believed_as_it_was_signed_and_no_other_way() {
    let lines = "auth_date=1700000000\nfirst_name=Ann\nid=42";
    let hash = hex(&mac(&sha256(TOKEN.as_bytes()), lines));
    let good = [
        ("id", "42"),
        ("first_name", "Ann"),
        ("auth_date", "1700000000"),
        ("hash", &hash),
    ];
    let login = widget(&good).expect("signed");
    assert_eq!(login.user_id(), Some(42));
    assert_eq!(login.field("first_name"), Some("Ann"));
    assert_eq!(login.replay().as_str(), format!("telegram/widget/{hash}"));
    assert!(!format!("{login:?}").contains("Ann"));

    for at in 0..hash.len() {
        assert!(widget(&[good[0], good[1], good[2], ("hash", &hash[..at])]).is_err());
    }
    let upper = hash.to_uppercase();
    for bad in [
        vec![good[0], good[1], good[2]],
        vec![good[0], good[2], good[3]],
        vec![good[0], good[1], good[2], ("hash", &upper)],
        vec![("id", "43"), good[1], good[2], good[3]],
        vec![good[0], good[1], good[2], good[3], ("username", "x")],
        vec![good[0], ("id", "42"), good[1], good[2], good[3]],
        vec![good[0], good[1], good[2], good[3], ("hash", "z")],
        vec![good[0], ("first_name", "Ann\nid=42"), good[2], good[3]],
        vec![],
    ] {
        assert!(widget(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_login_is_stale_after_its_age_and_before_its_time() {
    let lines = "auth_date=1700000000\nid=42";
    let hash = hex(&mac(&sha256(TOKEN.as_bytes()), lines));
    let fields = [
        ("id", "42"),
        ("auth_date", "1700000000"),
        ("hash", hash.as_str()),
    ];
    for now in [
        NOW.saturating_add(AGE + Duration::from_secs(1)),
        NOW.saturating_sub(AGE + Duration::from_secs(1)),
    ] {
        let login = TelegramBot::new(secret(TOKEN)).widget(&fields, now);
        assert_eq!(login, Err(TelegramRefusal::Stale));
    }
}

#[test]
fn a_widgets_hash_is_worth_nothing_for_a_mini_app_and_the_other_way_round() {
    let lines = "auth_date=1700000000\nid=42";
    let widget_hash = hex(&mac(&sha256(TOKEN.as_bytes()), lines));
    let app_hash = hex(&mac(&mac(b"WebAppData", TOKEN), lines));
    let data = |hash: &str| format!("id=42&auth_date=1700000000&hash={hash}");
    let app = |hash| TelegramBot::new(secret(TOKEN)).mini_app(&data(hash), NOW);
    assert!(app(&app_hash).is_ok());
    assert_eq!(app(&widget_hash), Err(TelegramRefusal::BadSignature));
    let fields = [
        ("id", "42"),
        ("auth_date", "1700000000"),
        ("hash", app_hash.as_str()),
    ];
    assert_eq!(widget(&fields), Err(TelegramRefusal::BadSignature));
}

#[test]
fn a_mini_app_of_another_is_checked_by_telegrams_key_and_bound_to_its_bot() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
    let public: [u8; 32] = pair.public_key().as_ref().try_into().expect("32 bytes");
    let key = TelegramKey::new(public);
    let signed = "1000:WebAppData\nauth_date=1700000000\nuser={\"id\":42}";
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()));
    let data =
        format!("user=%7B%22id%22%3A42%7D&auth_date=1700000000&hash=0&signature={signature}");
    let read = |data: &str, bot, key: &TelegramKey| {
        TelegramLogin::of_third_party_mini_app(data, bot, key, NOW, AGE)
    };
    let login = read(&data, 1000, &key).expect("signed");
    assert_eq!(login.user_id(), Some(42));
    let padded = format!("{data}==");
    assert_eq!(
        read(&padded, 1000, &key).expect("signed").replay(),
        login.replay()
    );
    assert!(read(&data, 1001, &key).is_err());
    assert!(read(&data, 1000, &TelegramKey::PRODUCTION).is_err());
    assert!(read(&data.replace("42", "43"), 1000, &key).is_err());
    assert!(read(&data.replace("signature", "sig"), 1000, &key).is_err());
    for twice in ["auth_date=1700000000", "signature=zz", "hash=0"] {
        assert!(
            read(&format!("{data}&{twice}"), 1000, &key).is_err(),
            "{twice}"
        );
    }
}

#[test]
fn while_a_token_is_replaced_both_are_believed_and_no_third() {
    let lines = "auth_date=1700000000\nid=42";
    let signed = |token: &str| {
        let hash = hex(&mac(&sha256(token.as_bytes()), lines));
        let bot = TelegramBot::new(secret(TOKEN)).or_token(secret("1000:next"));
        let fields = [("id", "42"), ("auth_date", "1700000000"), ("hash", &hash)];
        bot.widget(&fields, NOW).map(|login| login.user_id())
    };
    assert_eq!(signed(TOKEN), Ok(Some(42)));
    assert_eq!(signed("1000:next"), Ok(Some(42)));
    assert_eq!(signed("1000:third"), Err(TelegramRefusal::BadSignature));
}

#[test]
fn whoever_has_no_id_is_nobody_however_well_signed() {
    let lines = "auth_date=1700000000\nquery_id=7";
    let hash = hex(&mac(&mac(b"WebAppData", TOKEN), lines));
    let data = format!("query_id=7&auth_date=1700000000&hash={hash}");
    let login = TelegramBot::new(secret(TOKEN)).mini_app(&data, NOW);
    assert_eq!(
        login.and_then(TelegramLogin::person),
        Err(TelegramRefusal::Nobody)
    );
    let undated = hex(&mac(&mac(b"WebAppData", TOKEN), "query_id=7"));
    let data = format!("query_id=7&hash={undated}");
    let login = TelegramBot::new(secret(TOKEN)).mini_app(&data, NOW);
    assert_eq!(login, Err(TelegramRefusal::Undated));
}

//! Logins as Telegram signs them.

#![allow(dead_code, reason = "each test binary uses its part")]

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

pub(crate) const TOKEN: &str = "1000:the-token-of-a-test";

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    let made = mac.chain_update(text.as_bytes()).finalize();
    made.into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of a widget's fields, which are sorted.
pub(crate) fn widget_hash(token: &str, lines: &str) -> String {
    hex(&mac(&Sha256::digest(token.as_bytes()), lines))
}

/// What a Mini App hands over for a person.
pub(crate) fn init_data(token: &str, id: u64, at: u64) -> String {
    let lines = format!("auth_date={at}\nuser={{\"id\":{id}}}");
    let hash = hex(&mac(&mac(b"WebAppData", token), &lines));
    format!("user=%7B%22id%22%3A{id}%7D&auth_date={at}&hash={hash}")
}

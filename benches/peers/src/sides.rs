//! The sides that are written in Rust, by name.

mod hashing;
mod http;
mod limits;
mod phones;
mod redis_limits;
mod sign_in;
mod totp;

use crate::side::Outcome;

/// Plays the side of that name.
pub(crate) fn play(name: &str) -> Outcome {
    let (room, who) = name.split_once('/').unwrap_or((name, ""));
    match room {
        "hashing" => hashing::play(who),
        "limits" => limits::play(who),
        "redis-limits" => redis_limits::play(who),
        "totp" => totp::play(who),
        "phones" => phones::play(who),
        "sign-in" => sign_in::play(who),
        "http" => http::play(who),
        _ => unknown(name),
    }
}

fn unknown(name: &str) -> Outcome {
    Err(format!("no side is called {name}").into())
}

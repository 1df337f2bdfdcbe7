//! The scripts, each with what all of them share before it.

use std::sync::LazyLock;

use redis::Script;

/// The text of a script and the name that the server knows it by.
pub(super) struct Source {
    pub(super) text: &'static str,
    pub(super) hash: String,
}

impl Source {
    fn new(text: &'static str) -> Self {
        let hash = Script::new(text).get_hash().to_owned();
        Self { text, hash }
    }
}

macro_rules! source {
    ($file:literal) => {
        LazyLock::new(|| {
            Source::new(concat!(
                include_str!("prelude.lua"),
                include_str!("machine.lua"),
                include_str!("budget.lua"),
                include_str!("quota.lua"),
                include_str!("claim.lua"),
                include_str!("message.lua"),
                include_str!("session.lua"),
                include_str!("uses.lua"),
                include_str!($file),
            ))
        })
    };
}

pub(super) static ADMIT: LazyLock<Source> = source!("admit.lua");
pub(super) static INSERT: LazyLock<Source> = source!("insert.lua");
pub(super) static SETTLE: LazyLock<Source> = source!("settle.lua");
pub(super) static QUERY: LazyLock<Source> = source!("query.lua");
pub(super) static DESK: LazyLock<Source> = source!("desk.lua");
pub(super) static STATS: LazyLock<Source> = source!("stats.lua");
pub(super) static FACTORS: LazyLock<Source> = source!("factors.lua");
pub(super) static DEVICES: LazyLock<Source> = source!("devices.lua");
pub(super) static POLICIES: LazyLock<Source> = source!("policies.lua");
pub(super) static POST: LazyLock<Source> = source!("post.lua");
pub(super) static SESSIONS: LazyLock<Source> = source!("sessions.lua");

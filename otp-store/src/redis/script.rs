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

/// Puts a script together: what all share, the parts that it uses, and its own. The server makes every
/// function of it anew at each call, so that a part too many is paid for each time.
macro_rules! source {
    ($($part:literal),*; $own:literal) => {
        LazyLock::new(|| {
            Source::new(concat!(
                include_str!("prelude.lua"),
                $(include_str!($part),)*
                include_str!($own),
            ))
        })
    };
}

pub(super) static ADMIT: LazyLock<Source> =
    source!("machine.lua", "budget.lua", "quota.lua", "claim.lua"; "admit.lua");
pub(super) static INSERT: LazyLock<Source> = source!("message.lua"; "insert.lua");
pub(super) static SETTLE: LazyLock<Source> =
    source!("machine.lua", "budget.lua", "message.lua"; "settle.lua");
pub(super) static QUERY: LazyLock<Source> = source!(; "query.lua");
pub(super) static QUOTAS: LazyLock<Source> = source!("quota.lua"; "quotas.lua");
pub(super) static DESK: LazyLock<Source> =
    source!("budget.lua", "quota.lua", "claim.lua", "message.lua", "session.lua"; "desk.lua");
pub(super) static STATS: LazyLock<Source> = source!(; "stats.lua");
pub(super) static FACTORS: LazyLock<Source> = source!("budget.lua"; "factors.lua");
pub(super) static DEVICES: LazyLock<Source> = source!("uses.lua"; "devices.lua");
pub(super) static POLICIES: LazyLock<Source> = source!(; "policies.lua");
pub(super) static POST: LazyLock<Source> = source!("message.lua"; "post.lua");
pub(super) static SESSIONS: LazyLock<Source> = source!("session.lua", "uses.lua"; "sessions.lua");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The names before this text in a source, where nothing but a name is between.
    fn names<'t>(text: &'t str, before: &str) -> BTreeSet<&'t str> {
        let is_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
        let found = text.match_indices(before).filter_map(|(at, _)| {
            let left = &text[..at];
            let start = left.trim_end_matches(is_name).len();
            // A field of a table is no name of a part.
            let is_free = !left[..start].ends_with(['.', ':', '\'']);
            (start < at && is_free).then_some(&left[start..])
        });
        found.collect()
    }

    /// The functions and the tables that a source begins lines with.
    fn defined(text: &str) -> [BTreeSet<&str>; 2] {
        [("local function ", "("), ("local ", " = {")].map(|(start, end)| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(start));
            let found = lines.filter_map(|line| line.split_once(end));
            found.map(|(name, _)| name).collect()
        })
    }

    #[test]
    fn a_script_has_all_that_it_calls_of_the_parts() {
        let scripts = [
            &ADMIT, &INSERT, &SETTLE, &QUERY, &QUOTAS, &DESK, &STATS, &FACTORS, &DEVICES,
            &POLICIES, &POST, &SESSIONS,
        ];
        let [mut functions, mut tables] = [BTreeSet::new(), BTreeSet::new()];
        for script in scripts {
            let [more, further] = defined(script.text);
            functions.extend(more);
            tables.extend(further);
        }
        assert!(
            functions.len() > 40 && tables.len() > 3,
            "{functions:?} {tables:?}"
        );
        for script in scripts {
            let [has, holds] = defined(script.text);
            let calls = names(script.text, "(");
            let called = calls
                .intersection(&functions)
                .filter(|name| !has.contains(*name));
            let looks = names(script.text, ".");
            let looked = looks
                .intersection(&tables)
                .filter(|name| !holds.contains(*name));
            let foreign: Vec<_> = called.chain(looked).collect();
            assert!(
                foreign.is_empty(),
                "{foreign:?} are of a part that is not there"
            );
        }
    }
}

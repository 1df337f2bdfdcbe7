//! What the outside world calls this server: links and webhook signatures are made over it.

use super::{Environment, Refused};

pub(super) const OURS: &str = "PUBLIC_BASE_URL";
/// The runbooks' name of it, which they put `https://` before.
const THEIRS: &str = "NEXT_PUBLIC_APP_URL";

/// An address, and the variable that names it.
pub(super) struct Outside {
    pub(super) key: &'static str,
    pub(super) url: String,
}

/// Reads the outside address; either name will do, and the first counts.
pub(super) fn read(env: &Environment) -> Result<Option<Outside>, Refused> {
    let all: Vec<Outside> = all(env).collect::<Result<_, _>>()?;
    Ok(all.into_iter().next())
}

/// Reads the addresses that are named.
pub(super) fn all(env: &Environment) -> impl Iterator<Item = Result<Outside, Refused>> {
    [OURS, THEIRS].into_iter().filter_map(|key| {
        let text = env.get(key)?;
        let is_bare = key == THEIRS && !text.contains("://") && text.contains('.');
        let url = if is_bare {
            format!("https://{text}")
        } else {
            text.to_owned()
        };
        let wanted = "an http or https address without a query";
        Some(match fits(&url) {
            true => Ok(Outside { key, url }),
            false => Err(Refused::must_be(key, wanted)),
        })
    })
}

fn fits(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with('/')
            && !rest.contains(['?', '#', '@', '\\'])
            && rest.chars().all(|sign| sign.is_ascii_graphic())
    })
}

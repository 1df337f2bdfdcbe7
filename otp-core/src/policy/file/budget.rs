//! `guess_budget:`, how many guesses anybody has at one account, over all challenges.

use super::error::PolicyFileError;
use super::node::Node;
use super::read::Entry;
use super::{PolicyFile, duration, write as put};
use crate::quota::BudgetWindow;

pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    let mut rules = file.policy.limits().budget().clone();
    for field in entry.fields()? {
        match field.name() {
            "windows" => {
                let windows = field.items()?;
                rules.windows = windows.iter().map(window).collect::<Result<_, _>>()?;
            }
            "first_pause" => rules.backoff.first = field.duration()?,
            "longest_pause" => rules.backoff.cap = field.duration()?,
            "consecutive_limit" => rules.consecutive_limit = field.number()?,
            _ => return Err(field.unknown()),
        }
    }
    file.map_limits(|limits| limits.with_budget(rules));
    Ok(())
}

fn window(entry: &Entry<'_>) -> Result<BudgetWindow, PolicyFileError> {
    let (mut window, mut public, mut known_device) = (None, None, None);
    for field in entry.fields()? {
        match field.name() {
            "window" => window = Some(field.duration()?),
            "public" => public = Some(field.number()?),
            "known_device" => known_device = Some(field.number()?),
            _ => return Err(field.unknown()),
        }
    }
    match (window, public, known_device) {
        (Some(window), Some(public), Some(known_device)) => Ok(BudgetWindow {
            public,
            known_device,
            window,
        }),
        _ => Err(entry.must_be("a window, a public and a known_device")),
    }
}

pub(super) fn write(file: &PolicyFile) -> Option<Node> {
    let rules = file.policy.limits().budget();
    let time = |time| put::text(duration::write(time));
    let windows = rules.windows.iter().map(|one| {
        put::map([
            ("window", time(one.window)),
            ("public", put::text(one.public)),
            ("known_device", put::text(one.known_device)),
        ])
    });
    Some(put::map([
        ("windows", put::list(windows)),
        ("first_pause", time(rules.backoff.first)),
        ("longest_pause", time(rules.backoff.cap)),
        ("consecutive_limit", put::text(rules.consecutive_limit)),
    ]))
}

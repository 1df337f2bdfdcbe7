//! `level:` and `challenge:`, what one challenge takes and sends.

use super::error::PolicyFileError;
use super::node::Node;
use super::read::Entry;
use super::{PolicyFile, duration, write as put};
use crate::destination::Channel;
use crate::policy::{Level, ResendCode, Starts};

const LEVELS: [Level; 3] = [Level::Basic, Level::Standard, Level::High];

pub(super) fn read_level(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    let named = |name: &str| LEVELS.into_iter().find(|level| level.name() == name);
    let level = entry.word("basic, standard or high", named)?;
    file.map_limits(|limits| limits.with_level(level));
    Ok(())
}

pub(super) fn write_level(file: &PolicyFile) -> Option<Node> {
    Some(put::text(file.policy.limits().level().name()))
}

pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    let limits = file.policy.limits();
    let (mut sends, mut cooldowns) = (limits.sends(), limits.cooldowns().to_vec());
    for field in entry.fields()? {
        match field.name() {
            "attempts" => {
                let attempts = field.number()?;
                file.map_limits(|limits| limits.with_attempts(attempts));
            }
            "sends" => sends = field.number()?,
            "cooldowns" => {
                let waits = field.items()?;
                cooldowns = waits
                    .iter()
                    .map(Entry::duration)
                    .collect::<Result<_, _>>()?;
            }
            "starts" => {
                let starts = field.word("at_once or spaced", Starts::from_name)?;
                file.map_limits(|limits| limits.with_starts(starts));
            }
            "resend_code" => {
                let resend = field.word("fresh or same", |word| match word {
                    "fresh" => Some(ResendCode::Fresh),
                    "same" => Some(ResendCode::Same),
                    _ => None,
                })?;
                file.policy = file.policy.clone().with_resend_code(resend);
            }
            "lifetimes" => {
                for life in field.fields()? {
                    let channel: Channel = life.name().parse().map_err(|_| life.unknown())?;
                    let policy = file.policy.clone();
                    file.policy = policy.with_lifetime(channel, life.duration()?);
                }
            }
            _ => return Err(field.unknown()),
        }
    }
    file.map_limits(|limits| limits.with_sends(sends, cooldowns));
    Ok(())
}

pub(super) fn write(file: &PolicyFile) -> Option<Node> {
    let (policy, limits) = (&file.policy, file.policy.limits());
    let time = |time| put::text(duration::write(time));
    let resend = match policy.resend_code() {
        ResendCode::Fresh => "fresh",
        ResendCode::Same => "same",
    };
    let lives = Channel::ALL.map(|channel| (channel.name(), time(policy.lifetime(channel))));
    Some(put::map([
        ("attempts", put::text(limits.attempts())),
        ("sends", put::text(limits.sends())),
        (
            "cooldowns",
            put::list(limits.cooldowns().iter().copied().map(time)),
        ),
        ("starts", put::text(limits.starts().name())),
        ("resend_code", put::text(resend)),
        ("lifetimes", put::map(lives)),
    ]))
}

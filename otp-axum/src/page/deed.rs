//! What operators do: read from a form, tried, confirmed, done.

use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::destination::Destination;
use otp_core::operator::{Count, Effect, Mode, Operator, Resending, Whom};
use otp_core::store::{Block, BlockKind, ChallengeQuery};
use otp_core::verifier::Unavailable;
use serde::{Deserialize, Serialize};

use super::Page;
use super::access::Visitor;
use super::trouble::Trouble;
use super::view::Place;
use super::when::span;

/// The most persons that one call sends to again.
const MOST: usize = 10_000;
const DAY: u64 = 86_400;

/// What a form asks for; the same travels sealed from the dry run to the deed.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    deed: Option<Kind>,
    pub(super) reason: String,
    pub(super) kind: String,
    pub(super) value: String,
    pub(super) life: Life,
    entry: String,
    whom: String,
    which: Which,
    channel: String,
    within: Within,
    /// When the dry run was, in milliseconds since 1970: times back are counted from there. A form
    /// does not have it.
    tried_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Block,
    Unblock,
    Unlock,
    ClearLimits,
    Revoke,
    RevokeOf,
    Resend,
}

/// Which codes are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Which {
    /// Those that the other fields name.
    #[default]
    Named,
    /// All of them, said in so many words.
    All,
}

/// How long a block holds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) enum Life {
    #[serde(rename = "1h")]
    Hour,
    #[default]
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "7d")]
    Week,
    #[serde(rename = "30d")]
    Month,
    #[serde(rename = "forever")]
    Forever,
}

impl Life {
    fn length(self) -> Option<Duration> {
        let seconds = match self {
            Self::Hour => 3_600,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 30 * DAY,
            Self::Forever => return None,
        };
        Some(Duration::from_secs(seconds))
    }
}

/// How far back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub(crate) enum Within {
    #[serde(rename = "15m")]
    Quarter,
    #[default]
    #[serde(rename = "1h")]
    Hour,
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "7d")]
    Week,
}

impl Within {
    pub(super) const ALL: [Self; 4] = [Self::Quarter, Self::Hour, Self::Day, Self::Week];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Quarter => "15m",
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    pub(super) const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Quarter => 900,
            Self::Hour => 3_600,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
        })
    }
}

/// One thing to do, read and whole.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Block(Vec<Block>, Option<Duration>),
    Unblock(Block),
    Unlock(Whom),
    ClearLimits(Whom),
    RevokeOf(Whom),
    Revoke(ChallengeQuery),
    Resend(Timestamp, Timestamp),
}

/// What came of it, or would.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Told {
    /// In one sentence.
    pub(super) said: String,
    /// Some of it, masked.
    pub(super) sample: Vec<String>,
    /// There is nothing to do.
    pub(super) idle: bool,
}

impl Wanted {
    /// Settles the times of a dry run.
    pub(super) fn tried(mut self, now: Timestamp) -> Self {
        self.tried_at = Some(now.as_millis());
        self
    }

    /// Takes the dry run back, for another one.
    pub(super) fn untried(self) -> Self {
        Self {
            reason: String::new(),
            tried_at: None,
            ..self
        }
    }

    /// Says whether somebody typed it: an entry of the blocklist that no page named.
    pub(super) fn is_typed(&self) -> bool {
        matches!(self.deed, Some(Kind::Block)) && self.whom.is_empty()
    }

    /// Gives when the dry run was, where there was one.
    pub(super) fn tried_at(&self) -> Option<Timestamp> {
        self.tried_at.map(Timestamp::from_millis)
    }
}

impl Page {
    /// Reads what is wanted, as of a moment of the store's clock.
    pub(super) fn deed(
        &self,
        visitor: &Visitor,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Deed, Trouble> {
        let whom = || self.read_whom(visitor, &wanted.whom);
        let from = now.saturating_sub(wanted.within.length());
        Ok(match wanted.deed.ok_or(Trouble::Malformed)? {
            Kind::Block => {
                let blocks = match wanted.whom.as_str() {
                    "" => {
                        let kind = BlockKind::from_name(&wanted.kind).ok_or(Trouble::Malformed)?;
                        Block::covering(kind, &wanted.value).map_err(|_| Trouble::Value)?
                    }
                    _ => vec![block_of(&whom()?).ok_or(Trouble::Malformed)?],
                };
                Deed::Block(blocks, wanted.life.length())
            }
            Kind::Unblock => Deed::Unblock(self.read_entry(visitor, &wanted.entry)?),
            Kind::Unlock => Deed::Unlock(whom()?),
            Kind::ClearLimits => Deed::ClearLimits(whom()?),
            Kind::RevokeOf => Deed::RevokeOf(whom()?),
            Kind::Revoke => {
                let channel = match wanted.channel.as_str() {
                    "" => None,
                    name => Some(name.parse().map_err(|_| Trouble::Malformed)?),
                };
                let issued_from = (wanted.which == Which::Named).then_some(from);
                Deed::Revoke(ChallengeQuery {
                    channel,
                    issued_from,
                    ..ChallengeQuery::default()
                })
            }
            Kind::Resend => Deed::Resend(from, now.saturating_add(Duration::from_secs(1))),
        })
    }
}

/// Gives the entry that keeps somebody out; accounts are no entries.
pub(super) fn block_of(whom: &Whom) -> Option<Block> {
    match whom {
        Whom::Destination(Destination::Phone(phone)) => {
            Block::new(BlockKind::Phone, phone.e164()).ok()
        }
        Whom::Destination(Destination::Email(email)) => {
            Block::new(BlockKind::Email, email.address()).ok()
        }
        Whom::Address(address) => Some(Block::of_address(*address)),
        _ => None,
    }
}

impl Deed {
    /// Tries it or does it, as the operator's mode says.
    pub(super) async fn run(&self, operator: &Operator) -> Result<Told, Unavailable> {
        let effect = match self {
            Self::Block(blocks, life) => operator.block(blocks, *life).await?,
            Self::Unblock(block) => operator.unblock(std::slice::from_ref(block)).await?,
            Self::Unlock(whom) => operator.unlock(whom).await?,
            Self::ClearLimits(whom) => operator.clear_limits(whom).await?,
            Self::RevokeOf(whom) => operator.revoke_of(whom).await?,
            Self::Revoke(query) => operator.revoke(query.clone()).await?,
            Self::Resend(from, until) => {
                let resending = operator.resend_failed(*from..*until, MOST).await?;
                return Ok(resent(&resending));
            }
        };
        Ok(self.told(effect))
    }

    /// Asks whether to do it.
    pub(super) fn question(&self) -> String {
        match self {
            Self::Block(blocks, _) => format!("Block {}?", named(blocks)),
            Self::Unblock(block) => format!("Take {} off the blocklist?", block.masked()),
            Self::Unlock(whom) => format!("Unlock {whom}?"),
            Self::ClearLimits(whom) => format!("Clear the limits of {whom}?"),
            Self::RevokeOf(whom) => format!("Revoke the live codes of {whom}?"),
            Self::Revoke(query) => format!("Revoke {}?", codes(query)),
            Self::Resend(..) => "Send failed messages again?".to_owned(),
        }
    }

    /// Names it on the button that does it.
    pub(super) const fn button(&self) -> &'static str {
        match self {
            Self::Block(..) => "Block",
            Self::Unblock(_) => "Unblock",
            Self::Unlock(_) => "Unlock",
            Self::ClearLimits(_) => "Clear limits",
            Self::RevokeOf(_) | Self::Revoke(_) => "Revoke",
            Self::Resend(..) => "Send again",
        }
    }

    /// Says what to know before it is done.
    pub(super) fn caution(&self) -> String {
        match self {
            Self::Block(_, life) => {
                let end = match life {
                    None => "It holds until somebody takes it off.".to_owned(),
                    Some(life) => format!("It ends by itself in {}.", span(*life)),
                };
                format!("Requests from then on are refused. {end} Live codes stay: revoke them apart.")
            }
            Self::Unblock(_) => "Requests are admitted again, as far as nothing else stands against them.".into(),
            Self::Unlock(_) => "For the rightful owner only: whoever was guessing may go on guessing.".into(),
            Self::ClearLimits(_) => "What was counted is forgotten. Guess budgets stay: unlock opens those.".into(),
            Self::RevokeOf(_) | Self::Revoke(_) => {
                "People who wait for one of these codes must ask for another. It cannot be undone.".into()
            }
            Self::Resend(..) => "Each person gets one fresh code for the newest of their failures; who was reached or signed in since gets none.".into(),
        }
    }

    /// Says where to go afterwards.
    pub(super) const fn place(&self) -> Place {
        match self {
            Self::Block(..) | Self::Unblock(_) => Place::Blocks,
            Self::Unlock(_) | Self::ClearLimits(_) | Self::RevokeOf(_) => Place::People,
            Self::Revoke(_) => Place::Codes,
            Self::Resend(..) => Place::Failed,
        }
    }

    fn told(&self, effect: Effect) -> Told {
        let count = effect.count;
        let tried = effect.mode == Mode::Preview;
        let said = match self {
            Self::Block(blocks, _) if tried => format!(
                "{} would be on the blocklist.",
                counted(count, "entry", "entries")
            )
            .replace("1 entry", &named(blocks)),
            Self::Block(blocks, _) => format!("{} is blocked.", named(blocks)),
            Self::Unblock(block) if tried && count.number() == 0 => {
                format!("{} is not on the blocklist any more.", block.masked())
            }
            Self::Unblock(block) if tried => format!("{} would be admitted again.", block.masked()),
            Self::Unblock(block) => format!("{} is off the blocklist.", block.masked()),
            Self::Unlock(_) => verdict(tried, count, "guess budget", "guess budgets", "opened"),
            Self::ClearLimits(_) => verdict(tried, count, "limit", "limits", "cleared"),
            Self::RevokeOf(_) | Self::Revoke(_) => {
                verdict(tried, count, "live code", "live codes", "revoked")
            }
            Self::Resend(..) => String::new(),
        };
        let idle = count.number() == 0;
        Told {
            said,
            sample: if idle { Vec::new() } else { effect.sample },
            idle,
        }
    }
}

fn verdict(tried: bool, count: Count, one: &str, many: &str, done: &str) -> String {
    let counted = counted(count, one, many);
    match (tried, count.number()) {
        (true, _) => format!("{counted} would be {done}."),
        (false, 0 | 1) => format!("{counted} was {done}."),
        (false, _) => format!("{counted} were {done}."),
    }
}

fn counted(count: Count, one: &str, many: &str) -> String {
    match count {
        Count::Exactly(0) => format!("No {one}"),
        Count::Exactly(1) => format!("1 {one}"),
        Count::Exactly(number) => format!("{number} {many}"),
        Count::AtLeast(number) => format!("At least {number} {many}"),
    }
}

fn named(blocks: &[Block]) -> String {
    match blocks {
        [block] => block.masked(),
        many => format!("{} networks", many.len()),
    }
}

fn codes(query: &ChallengeQuery) -> String {
    let channel = query.channel.as_ref().map(|channel| channel.name());
    match (channel, query.issued_from) {
        (None, None) => "every live code".to_owned(),
        (Some(channel), None) => format!("every live code over {channel}"),
        (None, Some(_)) => "the codes of that time".to_owned(),
        (Some(channel), Some(_)) => format!("the codes of that time over {channel}"),
    }
}

fn resent(resending: &Resending) -> Told {
    let people = counted(resending.persons, "person", "people");
    let mut reached = match resending.reached {
        0 => String::new(),
        reached => format!(" {reached} were reached since and are left alone."),
    };
    if resending.unwanted > 0 {
        let why = "want no messages, or are protected by their vendor";
        reached.push_str(&format!(" {} {why}.", resending.unwanted));
    }
    let said = match resending.mode {
        Mode::Preview => format!("{people} would get a fresh code.{reached}"),
        Mode::Apply => {
            let refusals = resending.refusals();
            let refused: Vec<String> = refusals
                .iter()
                .map(|(why, count)| format!("{count} {why}"))
                .collect();
            let refused = match refused.is_empty() {
                true => String::new(),
                false => format!(" Not sent: {}.", refused.join(", ")),
            };
            format!(
                "{people} tried, {} messages sent.{reached}{refused}",
                resending.messages
            )
        }
    };
    Told {
        said,
        sample: resending.sample.clone(),
        idle: resending.persons.number() == 0,
    }
}

//! A policy as text: what an operator edits and a fleet shares.
//!
//! A document changes what it names and leaves the rest. Each section is a file of this folder:
//! it reads its part and writes it back. An unknown key, a key twice or a bad value is one line
//! that names the line and the key, and never a value.

mod allow_list;
mod auth;
mod budget;
mod challenge;
mod changes;
mod countries;
mod database;
mod delivery;
mod duration;
mod error;
mod fleet_alarm;
mod line_types;
mod node;
mod purposes;
mod rate_limiting;
mod read;
mod toll_fraud;
mod toml;
mod write;
mod yaml;

use std::collections::BTreeMap;

pub use auth::CaptchaPlan;
pub use database::{DatabaseKind, DatabasePlan};
pub use error::PolicyFileError;

use self::node::Node;
use self::read::Entry;
use super::{Limits, Policy};
use crate::delivery::RoutePlan;
use crate::destination::Channel;

/// The longest document: 65,536 bytes.
const LONGEST: usize = 65_536;

/// What a document says: a policy that is checked, and what the host builds of itself.
///
/// # Examples
/// ```
/// use otp_core::policy::{Limits, Policy, PolicyFile};
/// use otp_core::destination::Channel;
///
/// let file = PolicyFile::from_yaml("
/// auth:
///   sms_otp:
///     enabled: false
/// rate_limiting:
///   per_ip: { window: 5m, max_attempts: 10 }
/// ")?;
/// assert!(!file.policy.channels().is_on(Channel::Sms));
///
/// let refused = PolicyFile::from_yaml("auth:\n  sms_otp:\n    enabeld: false\n").unwrap_err();
/// assert_eq!(refused.to_string(), "line 3: auth.sms_otp.enabeld: is not a setting");
/// # Ok::<(), otp_core::policy::PolicyFileError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PolicyFile {
    /// The policy.
    pub policy: Policy,
    /// The routes that it plans, by channel. Whether a channel is on is the policy's.
    pub routes: BTreeMap<Channel, RoutePlan>,
    /// The order in which channels follow each other; `None` where the document says nothing of it,
    /// and an empty one keeps every message on its channel.
    pub channel_order: Option<Vec<Channel>>,
    /// Who checks captchas; `None` where the document says nothing at all of captchas, and an empty
    /// plan where it names nobody. When one is asked for is the policy's.
    pub captcha: Option<CaptchaPlan>,
    /// How the database is held.
    pub database: DatabasePlan,
    /// What switches said; where two speak of one channel, off wins.
    switches: BTreeMap<Channel, bool>,
}

type Reader = fn(&mut PolicyFile, &Entry<'_>) -> Result<(), PolicyFileError>;
type Writer = fn(&PolicyFile) -> Option<Node>;

/// The sections, in the order in which they are written.
const SECTIONS: [(&str, Reader, Writer); 12] = [
    ("level", challenge::read_level, challenge::write_level),
    ("auth", auth::read, auth::write),
    ("rate_limiting", rate_limiting::read, rate_limiting::write),
    ("challenge", challenge::read, challenge::write),
    ("guess_budget", budget::read, budget::write),
    ("purposes", purposes::read, purposes::write),
    ("countries", countries::read, countries::write),
    ("line_types", line_types::read, line_types::write),
    ("toll_fraud", toll_fraud::read, toll_fraud::write),
    ("allow_list", allow_list::read, allow_list::write),
    ("fleet_alarm", fleet_alarm::read, fleet_alarm::write),
    ("delivery", delivery::read, delivery::write),
];

/// What a host has beside its policy; it is read and never written back.
const OF_THE_HOST: [(&str, Reader); 1] = [("database", database::read)];

impl PolicyFile {
    /// Says what a policy is, to be written.
    #[must_use]
    pub fn of(policy: Policy) -> Self {
        Self {
            policy,
            routes: BTreeMap::new(),
            channel_order: None,
            captcha: None,
            database: DatabasePlan::default(),
            switches: BTreeMap::new(),
        }
    }

    /// Reads YAML, over [`Limits::recommended`].
    ///
    /// # Errors
    /// [`PolicyFileError`].
    pub fn from_yaml(text: &str) -> Result<Self, PolicyFileError> {
        Self::from_yaml_over(text, Policy::new(Limits::recommended()))
    }

    /// Reads YAML, over a policy: what the text does not name stays. One document, no anchors,
    /// aliases or tags, at most 65,536 bytes.
    ///
    /// # Errors
    /// [`PolicyFileError`].
    pub fn from_yaml_over(text: &str, base: Policy) -> Result<Self, PolicyFileError> {
        Self::read(&yaml::parse(bounded(text)?)?, base)
    }

    /// Reads TOML, over [`Limits::recommended`].
    ///
    /// # Errors
    /// [`PolicyFileError`].
    pub fn from_toml(text: &str) -> Result<Self, PolicyFileError> {
        Self::from_toml_over(text, Policy::new(Limits::recommended()))
    }

    /// Reads TOML, over a policy: what the text does not name stays. At most 65,536 bytes.
    ///
    /// # Errors
    /// [`PolicyFileError`].
    pub fn from_toml_over(text: &str, base: Policy) -> Result<Self, PolicyFileError> {
        Self::read(&toml::parse(bounded(text)?)?, base)
    }

    /// Writes all of it but what is the host's, as YAML; read back, it is the same policy.
    /// Overrides are not of it.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        write::yaml(&self.root())
    }

    fn root(&self) -> Node {
        let sections = SECTIONS
            .iter()
            .filter_map(|(name, _, write)| Some((*name, write(self)?)));
        write::map(sections)
    }

    /// Writes a TOML document as YAML: what it names, and nothing else.
    pub(crate) fn yaml_of_toml(text: &str) -> Result<String, PolicyFileError> {
        Ok(write::yaml(&toml::parse(bounded(text)?)?))
    }

    fn read(root: &Node, base: Policy) -> Result<Self, PolicyFileError> {
        let mut file = Self::of(base);
        let root = Entry::root(root);
        for entry in root.fields()? {
            let section = SECTIONS.iter().map(|(name, read, _)| (*name, *read));
            let known = section
                .chain(OF_THE_HOST)
                .find(|(name, _)| *name == entry.name());
            let (_, read) = known.ok_or_else(|| entry.unknown())?;
            read(&mut file, &entry)?;
        }
        let mut channels = file.policy.channels().clone();
        for (channel, on) in &file.switches {
            channels = match on {
                true => channels.with(*channel),
                false => channels.without(*channel),
            };
        }
        file.policy = file.policy.with_channels(channels);
        let checked = file.policy.validate();
        checked.map_err(|error| PolicyFileError::whole(&error))?;
        Ok(file)
    }

    fn map_limits(&mut self, change: impl FnOnce(Limits) -> Limits) {
        let limits = change(self.policy.limits().clone());
        self.policy = self.policy.clone().with_limits(limits);
    }

    fn switch(&mut self, channel: Channel, on: bool) {
        let switch = self.switches.entry(channel).or_insert(on);
        *switch &= on;
    }
}

fn bounded(text: &str) -> Result<&str, PolicyFileError> {
    if text.len() > LONGEST {
        return Err(PolicyFileError::new(None, "", "is longer than 65536 bytes"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;

//! `allow_list:`, whom defences that go by neighbours must not meet.

use super::PolicyFile;
use super::error::PolicyFileError;
use super::node::Node;
use super::read::Entry;
use super::write as put;
use crate::policy::{AllowList, Allowed};
use crate::store::BlockKind;

/// The names of the lists.
const KINDS: [(&str, BlockKind); 4] = [
    ("phones", BlockKind::Phone),
    ("prefixes", BlockKind::Prefix),
    ("emails", BlockKind::Email),
    ("domains", BlockKind::Domain),
];

/// Reads the lists; those that are not named stay.
pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    let mut list = file.policy.allow_list().clone();
    for field in entry.fields()? {
        let kind = KINDS.iter().find(|(name, _)| *name == field.name());
        let (_, kind) = kind.ok_or_else(|| field.unknown())?;
        let others = list.iter().filter(|one| one.kind() != *kind);
        list = others.cloned().fold(AllowList::new(), AllowList::with);
        for item in field.items()? {
            list = list.with(allowed(&item, *kind)?);
        }
    }
    file.policy = file.policy.clone().with_allow_list(list);
    Ok(())
}

fn allowed(item: &Entry<'_>, kind: BlockKind) -> Result<Allowed, PolicyFileError> {
    let wanted = match kind {
        BlockKind::Phone => "a phone number such as +14155550123",
        BlockKind::Prefix => "a prefix of at least 4 digits such as +1415",
        BlockKind::Email => "an e-mail address",
        _ => "a domain such as example.org",
    };
    item.word(wanted, |value| Allowed::new(kind, value).ok())
}

pub(super) fn write(file: &PolicyFile) -> Option<Node> {
    let list = file.policy.allow_list();
    let of = |kind: BlockKind| {
        let values = list.iter().filter(move |one| one.kind() == kind);
        put::list(values.map(|one| put::text(one.value())))
    };
    Some(put::map(KINDS.map(|(name, kind)| (name, of(kind)))))
}

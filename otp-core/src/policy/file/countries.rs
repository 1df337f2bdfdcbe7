//! `countries:`, whose phones are sent to.

use super::PolicyFile;
use super::error::PolicyFileError;
use super::node::Node;
use super::read::Entry;
use super::write as put;
use crate::destination::Region;
use crate::policy::Geography;

pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    let (mut allow, mut deny) = (None, Vec::new());
    for field in entry.fields()? {
        match field.name() {
            "allow" if field.text().is_ok_and(|text| text == "all") => allow = None,
            "allow" => allow = Some(regions(&field)?),
            "deny" => deny = regions(&field)?,
            _ => return Err(field.unknown()),
        }
    }
    let geography = allow.map_or_else(Geography::everywhere, Geography::only);
    let geography = deny.into_iter().fold(geography, Geography::deny);
    file.map_limits(|limits| limits.with_geography(geography));
    Ok(())
}

fn regions(entry: &Entry<'_>) -> Result<Vec<Region>, PolicyFileError> {
    let wanted = "a country of two letters, such as US";
    let items = entry.items()?;
    let region = |item: &Entry<'_>| item.word(wanted, |code| Region::parse(code).ok());
    items.iter().map(region).collect()
}

pub(super) fn write(file: &PolicyFile) -> Option<Node> {
    let geography = file.policy.limits().geography();
    let codes = |regions: &std::collections::BTreeSet<Region>| {
        put::list(regions.iter().map(|region| put::text(region.code())))
    };
    let allowed = geography.allowed().map(codes);
    Some(put::map([
        ("allow", allowed.unwrap_or_else(|| put::text("all"))),
        ("deny", codes(geography.denied())),
    ]))
}

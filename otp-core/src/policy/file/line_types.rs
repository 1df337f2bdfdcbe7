//! `line_types:`, the kinds of phone line that are sent to.

use super::PolicyFile;
use super::error::PolicyFileError;
use super::node::Node;
use super::read::Entry;
use super::write as put;
use crate::destination::LineType;
use crate::policy::LineTypes;

pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    let mut types = file.policy.limits().line_types().clone();
    for field in entry.fields()? {
        match field.name() {
            "allow" => {
                let kinds = field.items()?;
                let kinds = kinds.iter().map(kind).collect::<Result<Vec<_>, _>>()?;
                types = LineTypes::only(kinds).with_satellite(types.satellite());
            }
            "satellite" => types = types.with_satellite(field.flag()?),
            _ => return Err(field.unknown()),
        }
    }
    file.map_limits(|limits| limits.with_line_types(types));
    Ok(())
}

fn kind(entry: &Entry<'_>) -> Result<LineType, PolicyFileError> {
    let named = |name: &str| {
        let mut all = LineType::ALL.into_iter();
        all.find(|kind| kind.name().eq_ignore_ascii_case(name))
    };
    entry.word("a kind of line, such as mobile", named)
}

pub(super) fn write(file: &PolicyFile) -> Option<Node> {
    let types = file.policy.limits().line_types();
    let taken = LineType::ALL.into_iter().filter(|kind| types.takes(*kind));
    let names = taken.map(|kind| put::text(kind.name().to_ascii_lowercase()));
    Some(put::map([
        ("allow", put::list(names)),
        ("satellite", put::text(types.satellite())),
    ]))
}

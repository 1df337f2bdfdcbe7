//! `purposes:`, what codes are for, each with its shape. Those that are not named stay.

use super::PolicyFile;
use super::error::PolicyFileError;
use super::node::Node;
use super::read::Entry;
use super::write as put;
use crate::challenge::{Alphabet, CodeFormat, Separators};
use crate::request::Purpose;

pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    for field in entry.fields()? {
        let purpose = Purpose::new(field.name());
        let purpose = purpose.map_err(|error| field.wrong(&error.to_string()))?;
        let format = format(&field)?;
        file.policy = file.policy.clone().with_purpose(purpose, format);
    }
    Ok(())
}

fn format(entry: &Entry<'_>) -> Result<CodeFormat, PolicyFileError> {
    let (mut length, mut alphabet) = (None, Alphabet::Digits);
    let mut separators = Separators::default();
    for field in entry.fields()? {
        match field.name() {
            "length" => length = Some(field.number()?),
            "alphabet" => {
                alphabet = field.word("digits or unambiguous", Alphabet::from_name)?;
            }
            "separators" => {
                separators = field.word("refuse or strip", Separators::from_name)?;
            }
            _ => return Err(field.unknown()),
        }
    }
    let length = length.ok_or_else(|| entry.wrong("has no length"))?;
    let format = CodeFormat::of(alphabet, length);
    let format = format.map_err(|error| entry.wrong(&error.to_string()))?;
    Ok(format.with_separators(separators))
}

pub(super) fn write(file: &PolicyFile) -> Option<Node> {
    let purposes = file.policy.purposes().iter();
    Some(put::map(purposes.map(|(purpose, format)| {
        let shape = put::map([
            ("length", put::text(format.length())),
            ("alphabet", put::text(format.alphabet().name())),
            ("separators", put::text(format.separators().name())),
        ]);
        (purpose.as_str(), shape)
    })))
}

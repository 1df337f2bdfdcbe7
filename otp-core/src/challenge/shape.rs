use super::format::{Alphabet, CodeFormat, Separators};

/// What can be seen of a typed code without knowing which challenge it is for. It holds nothing
/// of the code but its length and kind, so it travels to the store, which refuses what cannot be
/// the challenge's code before a guess is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypedShape {
    /// Characters, without separators.
    pub length: u8,
    /// Whether there are separators.
    pub separated: Separated,
    /// Whether every character is a digit; all are of the unambiguous alphabet in any case, or
    /// there is no shape.
    pub kind: TypedKind,
}

/// Whether typed text has spaces or hyphens in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separated {
    /// It has.
    Yes,
    /// It has not.
    No,
}

/// Which alphabets typed text can be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypedKind {
    /// Digits, which are of both.
    Digits,
    /// Letters too: the unambiguous alphabet only.
    Unambiguous,
}

const MAX_TYPED: usize = 64;

impl TypedShape {
    /// Looks at typed text; `None` where it is a code of no format.
    #[must_use]
    pub fn of(typed: &str) -> Option<Self> {
        if typed.len() > MAX_TYPED {
            return None;
        }
        let (mut length, mut separated, mut kind) = (0_u8, Separated::No, TypedKind::Digits);
        for byte in typed.bytes() {
            if matches!(byte, b' ' | b'-') {
                separated = Separated::Yes;
                continue;
            }
            if Alphabet::Digits.canonical(byte).is_none() {
                Alphabet::Unambiguous.canonical(byte)?;
                kind = TypedKind::Unambiguous;
            }
            length = length.checked_add(1)?;
        }
        (length > 0).then_some(Self {
            length,
            separated,
            kind,
        })
    }

    /// Says whether it can be a code of a format.
    #[must_use]
    pub fn fits(self, format: CodeFormat) -> bool {
        let alphabet = match format.alphabet() {
            Alphabet::Digits => self.kind == TypedKind::Digits,
            Alphabet::Unambiguous => true,
        };
        let separators =
            self.separated == Separated::No || format.separators() == Separators::Strip;
        alphabet && separators && self.length == format.length()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::challenge::Code;

    proptest! {
        #[test]
        fn a_shape_fits_exactly_where_the_text_is_a_code(
            typed in "[0-9a-zA-Z \\-\\.\u{661}]{0,12}",
            length in 4_u8..12,
            digits: bool,
            strip: bool,
        ) {
            let format = if digits { CodeFormat::digits(length.max(6)) } else { CodeFormat::unambiguous(length) };
            let separators = if strip { Separators::Strip } else { Separators::Refuse };
            let format = format.expect("long enough").with_separators(separators);
            let fits = TypedShape::of(&typed).is_some_and(|shape| shape.fits(format));
            prop_assert_eq!(fits, Code::normalise(format, &typed).is_ok());
        }
    }
}

//! A destination as it is sealed into a row, and back without asking the numbering plans again:
//! metadata that changes between issue and verify cannot make a live code unverifiable.

use super::{Destination, EmailAddress, LineType, PhoneNumber, Region};

impl Destination {
    /// Writes the full value with what is known of it; a secret, to be sealed.
    pub(crate) fn to_stored(&self) -> String {
        match self {
            Self::Phone(phone) => {
                let country = phone.country();
                format!(
                    "p1|{}|{}|{}|{}",
                    phone.e164(),
                    phone.calling_code(),
                    country.as_ref().map_or("-", Region::code),
                    phone.line_type().name(),
                )
            }
            Self::Email(email) => format!("e1|{}", email.address()),
        }
    }

    /// Reads what [`to_stored`](Self::to_stored) wrote.
    pub(crate) fn from_stored(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('|')?;
        match kind {
            "p1" => {
                let mut parts = rest.split('|');
                let (e164, code) = (parts.next()?, parts.next()?);
                let (country, line) = (parts.next()?, parts.next()?);
                let country = match country {
                    "-" => None,
                    code => Some(Region::from_stored(code)?),
                };
                let line = LineType::ALL.into_iter().find(|kind| kind.name() == line)?;
                PhoneNumber::from_parts(e164, code.parse().ok()?, country, line).map(Self::Phone)
            }
            "e1" => EmailAddress::parse(rest).ok().map(Self::Email),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_comes_back_with_everything_that_was_known() {
        for text in [
            "+14155550123",
            "+390612345678",
            "+870773111632",
            "Mike@b\u{fc}cher.example",
        ] {
            let destination = Destination::parse(text, None).expect("valid");
            let back = Destination::from_stored(&destination.to_stored()).expect("readable");
            assert_eq!(back.expose(), destination.expose());
            if let (Destination::Phone(a), Destination::Phone(b)) = (&destination, &back) {
                assert_eq!((a.country(), a.line_type()), (b.country(), b.line_type()));
                assert_eq!(a.calling_code(), b.calling_code());
            }
        }
        for bad in [
            "",
            "p1",
            "p1|+1415|1|US",
            "p1|+14155550123|44|GB|MOBILE",
            "x1|a@b.org",
        ] {
            assert!(Destination::from_stored(bad).is_none(), "{bad}");
        }
    }
}

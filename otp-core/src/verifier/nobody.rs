//! Addresses that are nobody's: what a store is asked about them takes as long as about anybody's, and
//! says nothing.

use std::sync::LazyLock;

use crate::destination::{Destination, DestinationKind};

/// Gives an address that is set aside for fiction (numbers 555-01XX; RFC 2606 for the domain).
pub(super) fn address(kind: DestinationKind) -> Option<&'static Destination> {
    static PHONE: LazyLock<Option<Destination>> = LazyLock::new(|| parsed("+12025550100"));
    static EMAIL: LazyLock<Option<Destination>> = LazyLock::new(|| parsed("nobody@example.com"));
    match kind {
        DestinationKind::Phone => PHONE.as_ref(),
        DestinationKind::Email => EMAIL.as_ref(),
    }
}

fn parsed(text: &str) -> Option<Destination> {
    Destination::parse(text, None).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_an_address_of_every_kind() {
        for kind in [DestinationKind::Phone, DestinationKind::Email] {
            assert_eq!(address(kind).unwrap().kind(), kind);
        }
    }
}

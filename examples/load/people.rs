//! Numbers and addresses of many people, none of whom is there.

/// Area codes; with 555 behind them nobody has such a number.
const AREAS: [u32; 12] = [212, 213, 303, 305, 312, 404, 415, 503, 512, 617, 702, 713];

/// Gives the phone of a person, another one for each of the first hundred thousand.
pub(crate) fn phone(number: u32) -> String {
    let areas = u32::try_from(AREAS.len()).unwrap_or(1);
    let place = usize::try_from(number % areas).unwrap_or_default();
    let area = AREAS.get(place).copied().unwrap_or(415);
    let line = (number / areas) % 10_000;
    format!("+1{area}555{line:04}")
}

/// Gives the address of a person, in the network that is set aside for measuring (RFC 2544).
pub(crate) fn address(number: u32) -> String {
    let [_, _, high, low] = (number % 65_000).to_be_bytes();
    format!("198.18.{high}.{low}")
}

#[cfg(test)]
mod tests {
    use super::{address, phone};

    #[test]
    fn people_are_told_apart() {
        let phones: std::collections::HashSet<String> = (0..100_000).map(phone).collect();
        assert_eq!(phones.len(), 100_000);
        assert_eq!(phone(0), "+12125550000");
        assert_eq!(address(258), "198.18.1.2");
    }
}

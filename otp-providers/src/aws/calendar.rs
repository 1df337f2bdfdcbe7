use otp_core::clock::Timestamp;

/// Writes a time as AWS signs it, `20250101T000000Z`; what is before 1970 reads as 1970.
pub(super) fn basic_format(at: Timestamp) -> String {
    let seconds = at.since(Timestamp::UNIX_EPOCH).as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{:02}Z",
        second % 60
    )
}

/// Turns days since 1970 into a date of the Gregorian calendar. Years are counted from March, so
/// that the leap day is the last of its year, in eras of 400 years that all have 146097 days.
fn civil(days: u64) -> (u64, u64, u64) {
    let since_march_0000 = days + 719_468;
    let (era, of_era) = (since_march_0000 / 146_097, since_march_0000 % 146_097);
    let leap_days = of_era / 1_460 - of_era / 36_524 + of_era / 146_096;
    let year_of_era = (of_era - leap_days) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, later) = match month_from_march {
        from_march @ 0..=9 => (from_march + 3, 0),
        from_march => (from_march - 9, 1),
    };
    (era * 400 + year_of_era + later, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_years_and_centuries_have_their_days() {
        let cases = [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_800, "20000301T000000Z"),
            (1_735_689_600, "20250101T000000Z"),
            (1_704_067_199, "20231231T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
            (4_107_542_399, "21000228T235959Z"),
        ];
        for (seconds, text) in cases {
            assert_eq!(basic_format(Timestamp::from_millis(seconds * 1000)), text);
        }
        assert_eq!(basic_format(Timestamp::MIN), "19700101T000000Z");
    }
}

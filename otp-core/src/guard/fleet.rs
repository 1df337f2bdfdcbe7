use crate::clock::Timestamp;
use crate::policy::FleetAlarm;

/// The minutes that are looked back on.
const MINUTES: usize = 6;
const MINUTE_MS: i64 = 60_000;

/// Counts right and wrong codes over all accounts by the minute, and says whether they look like
/// guesses at many accounts.
///
/// Pure: the time is handed in. A time that goes back counts in the newest minute. What it holds is
/// the last six minutes, so an alarm ends by itself.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_core::clock::Timestamp;
/// use otp_core::guard::FleetModel;
/// use otp_core::policy::FleetAlarm;
///
/// let (rules, mut fleet) = (FleetAlarm::default(), FleetModel::new());
/// let now = Timestamp::from_millis(1_800_000_000_000);
/// for _ in 0..1_000 {
///     fleet.on_wrong(now);
/// }
/// assert!(fleet.is_alarmed(&rules, now));
/// assert!(!fleet.is_alarmed(&rules, now.saturating_add(Duration::from_secs(360))));
/// ```
#[derive(Clone, Debug, Default)]
pub struct FleetModel {
    newest: i64,
    minutes: [Minute; MINUTES],
}

#[derive(Clone, Copy, Debug, Default)]
struct Minute {
    right: u32,
    wrong: u32,
}

impl Minute {
    fn reaches(self, rules: &FleetAlarm) -> bool {
        let all = u64::from(self.right).saturating_add(self.wrong.into());
        let least = all.saturating_mul(rules.least_percent().into());
        self.wrong >= rules.wrong_codes_a_minute()
            && u64::from(self.wrong).saturating_mul(100) >= least
    }
}

impl FleetModel {
    /// Starts with nothing counted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a code that was compared and wrong.
    pub fn on_wrong(&mut self, now: Timestamp) {
        if let Some(minute) = self.at(now) {
            minute.wrong = minute.wrong.saturating_add(1);
        }
    }

    /// Counts a code that was right.
    pub fn on_right(&mut self, now: Timestamp) {
        if let Some(minute) = self.at(now) {
            minute.right = minute.right.saturating_add(1);
        }
    }

    /// Says whether there is an alarm: a minute of the last six reached the threshold.
    #[must_use]
    pub fn is_alarmed(&self, rules: &FleetAlarm, now: Timestamp) -> bool {
        let now = minute(now).max(self.newest);
        (0..i64::try_from(MINUTES).unwrap_or(0))
            .map(|age| now.saturating_sub(age))
            .filter(|number| *number <= self.newest)
            .filter_map(|number| self.minutes.get(place(number)))
            .any(|minute| minute.reaches(rules))
    }

    fn at(&mut self, now: Timestamp) -> Option<&mut Minute> {
        let now = minute(now);
        let gone = now.saturating_sub(self.newest);
        if gone > 0 {
            let gone = gone.min(i64::try_from(MINUTES).unwrap_or(0));
            for step in 0..gone {
                if let Some(minute) = self.minutes.get_mut(place(now.saturating_sub(step))) {
                    *minute = Minute::default();
                }
            }
            self.newest = now;
        }
        self.minutes.get_mut(place(self.newest))
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(MINUTE_MS)
}

fn place(minute: i64) -> usize {
    let minutes = i64::try_from(MINUTES).unwrap_or(1);
    usize::try_from(minute.rem_euclid(minutes)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000).saturating_add(Duration::from_secs(seconds))
    }

    fn rules() -> FleetAlarm {
        FleetAlarm::default().with_wrong_codes_a_minute(100)
    }

    fn wrong(fleet: &mut FleetModel, times: u32, seconds: u64) {
        for _ in 0..times {
            fleet.on_wrong(at(seconds));
        }
    }

    #[test]
    fn an_alarm_begins_at_the_threshold_and_ends_by_itself_five_minutes_after() {
        let mut fleet = FleetModel::new();
        wrong(&mut fleet, 99, 0);
        assert!(!fleet.is_alarmed(&rules(), at(1)));
        wrong(&mut fleet, 1, 59);
        assert!(fleet.is_alarmed(&rules(), at(59)));
        assert!(fleet.is_alarmed(&rules(), at(359)));
        assert!(!fleet.is_alarmed(&rules(), at(360)));
    }

    #[test]
    fn a_busy_hour_in_which_most_codes_are_right_is_no_alarm() {
        let mut fleet = FleetModel::new();
        wrong(&mut fleet, 150, 0);
        for _ in 0..151 {
            fleet.on_right(at(0));
        }
        assert!(!fleet.is_alarmed(&rules(), at(0)));
        wrong(&mut fleet, 1, 0);
        assert!(fleet.is_alarmed(&rules(), at(0)));
    }

    #[test]
    fn wrong_codes_that_are_spread_over_minutes_are_no_alarm() {
        let mut fleet = FleetModel::new();
        for minute in 0..30 {
            wrong(&mut fleet, 90, minute * 60);
            assert!(!fleet.is_alarmed(&rules(), at(minute * 60)), "{minute}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_neither_ends_nor_revives_an_alarm() {
        let mut fleet = FleetModel::new();
        wrong(&mut fleet, 100, 3_600);
        assert!(fleet.is_alarmed(&rules(), at(0)));
        fleet.on_right(at(7_200));
        assert!(!fleet.is_alarmed(&rules(), at(3_600)));
    }
}

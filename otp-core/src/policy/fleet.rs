use super::PolicyError;

/// When wrong codes over all accounts together raise what a new challenge needs.
///
/// Whoever tries a few codes at each of ten thousand accounts meets no account's limit. What the
/// service sees is wrong codes a minute, over all of them. From a threshold on new challenges get
/// longer codes and starts need a captcha; nobody is refused for it. It ends by
/// itself, five minutes after the last minute that reached the threshold.
///
/// # Examples
/// ```
/// use otp_core::policy::FleetAlarm;
///
/// let alarm = FleetAlarm::default().with_wrong_codes_a_minute(300);
/// assert_eq!(alarm.wrong_codes_a_minute(), 300);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetAlarm {
    wrong_a_minute: u32,
    least_percent: u32,
    longer_by: u8,
}

impl FleetAlarm {
    /// Sets how many wrong codes in one minute raise the alarm, in one instance. Default: 1,000.
    #[must_use]
    pub fn with_wrong_codes_a_minute(mut self, wrong: u32) -> Self {
        self.wrong_a_minute = wrong;
        self
    }

    /// Sets which part of all codes that were typed in that minute must be wrong besides, in
    /// percent, so that a busy hour is no alarm. Default: 50.
    #[must_use]
    pub fn with_least_percent(mut self, percent: u32) -> Self {
        self.least_percent = percent;
        self
    }

    /// Sets by how many characters codes are longer meanwhile. Default: 2, which makes a guess a
    /// hundred times worse. With 0 they keep their length, for a host whose forms take codes of
    /// one length only: then a captcha is all that the alarm asks for, where one can be solved.
    #[must_use]
    pub fn with_codes_longer_by(mut self, characters: u8) -> Self {
        self.longer_by = characters;
        self
    }

    /// Says how many wrong codes a minute raise the alarm.
    #[must_use]
    pub fn wrong_codes_a_minute(&self) -> u32 {
        self.wrong_a_minute
    }

    /// Says which part of all codes must be wrong, in percent.
    #[must_use]
    pub fn least_percent(&self) -> u32 {
        self.least_percent
    }

    /// Says by how many characters codes are longer meanwhile.
    #[must_use]
    pub fn codes_longer_by(&self) -> u8 {
        self.longer_by
    }

    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        if self.wrong_a_minute == 0 || self.least_percent > 100 || self.longer_by > 4 {
            return Err(PolicyError::FleetAlarm);
        }
        Ok(())
    }
}

impl Default for FleetAlarm {
    fn default() -> Self {
        Self {
            wrong_a_minute: 1_000,
            least_percent: 50,
            longer_by: 2,
        }
    }
}

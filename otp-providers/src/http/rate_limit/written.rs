use std::fmt;

/// One policy of the header `RateLimit-Policy`; `Display` writes it.
///
/// Show policies that are keyed by the client only: one that is keyed by an address tells whether
/// somebody uses the address.
///
/// # Examples
/// ```
/// use otp_providers::http::{RateLimitPolicy, RateLimitState};
///
/// let policy = RateLimitPolicy { name: "otp-send", quota: 5, window_s: Some(3600), unit: None, partition: None };
/// assert_eq!(policy.to_string(), "\"otp-send\";q=5;w=3600");
/// let state = RateLimitState { name: "otp-send", remaining: 0, reset_s: Some(37), partition: None };
/// assert_eq!(state.to_string(), "\"otp-send\";r=0;t=37");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitPolicy<'a> {
    /// Its name.
    pub name: &'a str,
    /// The quota, in its unit.
    pub quota: u64,
    /// The window, in seconds.
    pub window_s: Option<u64>,
    /// The unit of the quota; `requests` where there is none.
    pub unit: Option<&'a str>,
    /// The partition key, base64 of its bytes.
    pub partition: Option<&'a str>,
}

/// One policy's state in the header `RateLimit`; `Display` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitState<'a> {
    /// The policy's name.
    pub name: &'a str,
    /// What is left of the quota.
    pub remaining: u64,
    /// When the quota is there again, in seconds from now.
    pub reset_s: Option<u64>,
    /// The partition key, base64 of its bytes.
    pub partition: Option<&'a str>,
}

impl fmt::Display for RateLimitPolicy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        string(f, self.name)?;
        write!(f, ";q={}", self.quota)?;
        if let Some(window) = self.window_s {
            write!(f, ";w={window}")?;
        }
        if let Some(unit) = self.unit {
            f.write_str(";qu=")?;
            string(f, unit)?;
        }
        partition(f, self.partition)
    }
}

impl fmt::Display for RateLimitState<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        string(f, self.name)?;
        write!(f, ";r={}", self.remaining)?;
        if let Some(reset) = self.reset_s {
            write!(f, ";t={reset}")?;
        }
        partition(f, self.partition)
    }
}

/// Writes a string; what it cannot hold is left out.
fn string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for letter in text.chars().filter(|letter| (' '..='~').contains(letter)) {
        match letter {
            '"' | '\\' => write!(f, "\\{letter}")?,
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("\"")
}

fn partition(f: &mut fmt::Formatter<'_>, base64: Option<&str>) -> fmt::Result {
    match base64 {
        Some(base64) => write!(f, ";pk=:{base64}:"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_one_item_whatever_the_name() {
        let state = RateLimitState {
            name: "a\"\\\r\n,é",
            remaining: 1,
            reset_s: None,
            partition: Some("Zm9v"),
        };
        assert_eq!(state.to_string(), "\"a\\\"\\\\,\";r=1;pk=:Zm9v:");
        let read = super::super::list(&state.to_string()).map(|items| items.len());
        assert_eq!(read, Some(1));
    }
}

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use otp_core::clock::Timestamp;

use super::date;

/// The longest hint of when to try again that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A vendor's reply. `Debug` shows its status only: vendors echo what they were sent.
#[derive(Clone)]
pub struct HttpResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl HttpResponse {
    /// Makes a reply.
    #[must_use]
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    /// Sets a header in place of any of its name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Gives the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Gives the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Gives the body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Reads `Retry-After` (RFC 9110 section 10.2.3), seconds or date, cut to 24 hours.
    ///
    /// A date is measured from the reply's own `Date`, so that skewed clocks do not matter, or
    /// from `now` where it has none. A date that has passed means at once; a malformed value
    /// means nothing.
    #[must_use]
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.text(&RETRY_AFTER)?;
        if let Some(seconds) = whole_seconds(text) {
            return Some(bounded(seconds));
        }
        Some(self.until(date::parse(text)?, now))
    }

    /// Reads a header that names the second since 1970 at which a limit resets
    /// (`X-RateLimit-Reset`), as the time from now until then, cut to 24 hours.
    #[must_use]
    pub fn reset_after(&self, header: &HeaderName, now: Timestamp) -> Option<Duration> {
        let seconds = whole_seconds(self.text(header)?)?;
        let reset = Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(seconds));
        Some(self.until(reset, now))
    }

    fn until(&self, then: Timestamp, now: Timestamp) -> Duration {
        let now = self.text(&DATE).and_then(date::parse).unwrap_or(now);
        then.since(now).min(LONGEST_WAIT)
    }

    fn text(&self, header: &HeaderName) -> Option<&str> {
        Some(self.headers.get(header)?.to_str().ok()?.trim())
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

fn bounded(seconds: u64) -> Duration {
    Duration::from_secs(seconds).min(LONGEST_WAIT)
}

/// Reads digits only; what does not fit is the largest number there is.
fn whole_seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_750_000_000_000);

    fn throttled(headers: &[(&'static str, &'static str)]) -> HttpResponse {
        let mut response =
            HttpResponse::new(StatusCode::TOO_MANY_REQUESTS, HeaderMap::new(), "canary");
        for (name, value) in headers {
            response = response.with_header(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        response
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_date_and_bounded() {
        let day = 24 * 60 * 60;
        let cases = [
            ("120", Some(120)),
            ("0", Some(0)),
            ("Sun, 15 Jun 2025 15:08:10 GMT", Some(90)),
            ("Sun, 15 Jun 2025 15:00:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(day)),
            ("99999999999999999999999999", Some(day)),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
            ("", None),
        ];
        for (value, seconds) in cases {
            assert_eq!(
                throttled(&[("retry-after", value)]).retry_after(NOW),
                seconds.map(Duration::from_secs),
                "{value:?}"
            );
        }
        assert_eq!(throttled(&[]).retry_after(NOW), None);
    }

    #[test]
    fn a_date_is_measured_by_the_vendors_clock_where_the_reply_has_it() {
        let reply = throttled(&[
            ("date", "Sun, 15 Jun 2025 15:08:00 GMT"),
            ("retry-after", "Sun, 15 Jun 2025 15:08:10 GMT"),
            ("x-ratelimit-reset", "1750000085"),
        ]);
        let reset = HeaderName::from_static("x-ratelimit-reset");
        assert_eq!(reply.retry_after(NOW), Some(Duration::from_secs(10)));
        assert_eq!(reply.reset_after(&reset, NOW), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_reset_is_a_second_of_the_epoch() {
        let reset = HeaderName::from_static("x-ratelimit-reset");
        let cases = [
            ("1750000030", Some(30)),
            ("1749999999", Some(0)),
            ("18446744073709551616", Some(86_400)),
            ("later", None),
        ];
        for (value, seconds) in cases {
            assert_eq!(
                throttled(&[("x-ratelimit-reset", value)]).reset_after(&reset, NOW),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
    }

    #[test]
    fn debug_does_not_show_what_a_vendor_echoes() {
        assert!(!format!("{:?}", throttled(&[("x-echo", "canary")])).contains("canary"));
    }
}

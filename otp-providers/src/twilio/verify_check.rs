use serde::Deserialize;

use super::codes;
use crate::Classified;
use otp_core::delivery::ErrorClass;

/// What Twilio Verify's answer to a `VerificationCheck` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckVerdict {
    /// The code is right.
    Approved,
    /// The code is wrong.
    Rejected,
    /// No verification lives that could be checked: expired, used, cancelled, or never made. Start
    /// another.
    Gone,
    /// Too many checks: wait until the verification expires.
    Blocked,
    /// No verdict, and no attempt used up: later again.
    Retryable,
    /// Our request or credentials are at fault.
    Permanent,
    /// An answer that cannot be trusted: refuse.
    Untrusted,
}

/// What was asked, which the answer must be about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckAsked<'a> {
    /// `To`, where it was named.
    pub to: Option<&'a str>,
    /// `VerificationSid`, where it was named.
    pub verification_sid: Option<&'a str>,
    /// The service that the path named.
    pub service_sid: Option<&'a str>,
}

#[derive(Deserialize)]
struct Check {
    status: String,
    sid: Option<String>,
    to: Option<String>,
    service_sid: Option<String>,
    valid: Option<bool>,
}

#[derive(Deserialize)]
struct Problem {
    code: Option<u32>,
}

/// Reads an answer of Twilio Verify v2 to a check. Success is `status: approved` in a 200 or 201
/// that is about what was asked; a wrong code is a success of HTTP with `status: pending`. Where
/// `valid` says otherwise than `status`, or anything is not as documented, nothing is approved.
///
/// Source: Twilio Verify v2, `VerificationCheck` resource; the error dictionary.
///
/// # Examples
/// ```
/// use otp_providers::twilio::{CheckAsked, CheckVerdict, classify_check};
///
/// let body = br#"{"status":"pending","valid":false,"to":"+15005550010"}"#;
/// let asked = CheckAsked { to: Some("+15005550010"), ..CheckAsked::default() };
/// assert_eq!(classify_check(201, body, &asked), CheckVerdict::Rejected);
/// ```
#[must_use]
pub fn classify_check(http_status: u16, body: &[u8], asked: &CheckAsked<'_>) -> CheckVerdict {
    match http_status {
        200 | 201 => match serde_json::from_slice::<Check>(body) {
            Ok(check) if check.is_about(asked) => check.verdict(),
            _ => CheckVerdict::Untrusted,
        },
        400..=599 => refusal(http_status, body),
        _ => CheckVerdict::Untrusted,
    }
}

impl Check {
    fn is_about(&self, asked: &CheckAsked<'_>) -> bool {
        let same = |given: &Option<String>, asked: Option<&str>| {
            asked.is_none_or(|asked| given.as_deref() == Some(asked))
        };
        same(&self.to, asked.to)
            && same(&self.sid, asked.verification_sid)
            && same(&self.service_sid, asked.service_sid)
    }

    fn verdict(&self) -> CheckVerdict {
        match (self.status.as_str(), self.valid) {
            ("approved", Some(false)) => CheckVerdict::Untrusted,
            ("approved", _) => CheckVerdict::Approved,
            ("pending", _) => CheckVerdict::Rejected,
            ("canceled" | "expired" | "deleted" | "failed", _) => CheckVerdict::Gone,
            ("max_attempts_reached", _) => CheckVerdict::Blocked,
            _ => CheckVerdict::Untrusted,
        }
    }
}

fn refusal(http_status: u16, body: &[u8]) -> CheckVerdict {
    let code = serde_json::from_slice::<Problem>(body)
        .ok()
        .and_then(|problem| problem.code);
    let kind = match (code, http_status) {
        (Some(20404), _) | (None, 404) => return CheckVerdict::Gone,
        (Some(code), _) => codes::kind(code),
        (None, _) => None,
    };
    let kind = kind.unwrap_or_else(|| Classified::by_status(http_status).kind);
    match kind.class() {
        ErrorClass::Retryable => CheckVerdict::Retryable,
        ErrorClass::Blocked => CheckVerdict::Blocked,
        _ => CheckVerdict::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: CheckAsked<'_> = CheckAsked {
        to: Some("+15005550010"),
        verification_sid: None,
        service_sid: Some("VA1"),
    };

    fn read(http: u16, body: &str) -> CheckVerdict {
        classify_check(http, body.as_bytes(), &ASKED)
    }

    fn answer(status: &str, valid: &str) -> String {
        format!(
            r#"{{"status":"{status}","valid":{valid},"to":"+15005550010","service_sid":"VA1"}}"#
        )
    }

    #[test]
    fn only_an_approved_answer_about_what_was_asked_approves() {
        assert_eq!(
            read(200, &answer("approved", "true")),
            CheckVerdict::Approved
        );
        assert_eq!(
            read(201, &answer("approved", "null")),
            CheckVerdict::Approved
        );
        for (http, body) in [
            (200, answer("approved", "false")),
            (200, answer("Approved", "true")),
            (200, answer("", "true")),
            (202, answer("approved", "true")),
            (302, answer("approved", "true")),
            (200, answer("approved", "true").replace("0010", "0011")),
            (200, answer("approved", "true").replace("VA1", "VA2")),
            (200, r#"{"status":"approved","valid":true}"#.to_owned()),
            (200, String::new()),
            (200, "<html>".to_owned()),
            (200, "[]".to_owned()),
        ] {
            assert_eq!(read(http, &body), CheckVerdict::Untrusted, "{http} {body}");
        }
    }

    #[test]
    fn a_wrong_code_an_ended_verification_and_a_fault_are_told_apart() {
        use CheckVerdict as Verdict;
        for (http, body, verdict) in [
            (200, answer("pending", "false"), Verdict::Rejected),
            (200, answer("pending", "true"), Verdict::Rejected),
            (200, answer("canceled", "false"), Verdict::Gone),
            (
                200,
                answer("max_attempts_reached", "false"),
                Verdict::Blocked,
            ),
            (404, r#"{"code":20404}"#.to_owned(), Verdict::Gone),
            (404, String::new(), Verdict::Gone),
            (429, r#"{"code":60202}"#.to_owned(), Verdict::Blocked),
            (429, r#"{"code":20429}"#.to_owned(), Verdict::Retryable),
            (429, r#"{"code":60212}"#.to_owned(), Verdict::Retryable),
            (400, r#"{"code":60200}"#.to_owned(), Verdict::Permanent),
            (401, r#"{"code":20003}"#.to_owned(), Verdict::Permanent),
            (403, "<html>".to_owned(), Verdict::Permanent),
            (503, String::new(), Verdict::Retryable),
        ] {
            assert_eq!(read(http, &body), verdict, "{http} {body}");
        }
    }
}

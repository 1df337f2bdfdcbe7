//! Cases with a source: those that are typed into `cases/`, and every file of the folder that
//! `OTP_VECTORS` names, in the same layout. Each case is a test of its own, named by its id.
//!
//! A case with `"core": false` is one on which the sources differ: it is shown, and where we
//! differ too it shows as ignored. A kind of file that nothing here reads is shown as ignored.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod aws_sigv4;
mod captcha_outcomes;
mod error_classes;
mod mail_webhooks;
mod meta_signatures;
mod phones;
mod plivo_signatures;
mod rate_limit_headers;
mod sendgrid_events;
mod sms_formats;
mod sns_messages;
mod telegram_login;
mod twilio_signatures;
mod twilio_verify_checks;
mod vonage_signatures;
mod webhook;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

/// What a case came to.
enum Verdict {
    Agrees,
    Differs(String),
    /// Nothing here reads it yet.
    Unread(String),
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/cases");
    let mut trials = folder("own", &own);
    match std::env::var_os("OTP_VECTORS") {
        Some(named) => trials.extend(folder("OTP_VECTORS", Path::new(&named))),
        None => trials.push(
            Trial::test("OTP_VECTORS", || Ok(()))
                .with_kind("names no folder of further cases")
                .with_ignored_flag(true),
        ),
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn folder(name: &str, path: &Path) -> Vec<Trial> {
    let files = std::fs::read_dir(path).map(|entries| {
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect();
        files.sort();
        files
    });
    match files {
        Ok(files) => files.iter().flat_map(|path| file(name, path)).collect(),
        Err(error) => vec![failing(name, format!("the folder cannot be read: {error}"))],
    }
}

fn file(folder: &str, path: &Path) -> Vec<Trial> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{folder}/{stem}");
    let read = std::fs::read_to_string(path).map_err(|error| error.to_string());
    let parsed = read
        .and_then(|text| serde_json::from_str::<Value>(&text).map_err(|error| error.to_string()));
    let document = match parsed {
        Ok(document) => document,
        Err(error) => return vec![failing(&name, error)],
    };
    let Some(lists) = document["name"].as_str().and_then(lists) else {
        return vec![ignored(&name, "nothing reads this kind of file yet")];
    };
    let mut trials = Vec::new();
    for (list, check) in lists {
        let cases = document[*list].as_array().into_iter().flatten();
        trials.extend(cases.map(|case| trial(&name, case, *check)));
    }
    if trials.is_empty() {
        return vec![failing(&name, "there are no cases in it".to_owned())];
    }
    trials
}

type Check = fn(&Value) -> Verdict;

/// The lists of cases in a kind of file, and what reads each.
fn lists(kind: &str) -> Option<&'static [(&'static str, Check)]> {
    Some(match kind {
        "aws_sigv4" => &[("vectors", aws_sigv4::check)],
        "captcha_outcomes" => &[("vectors", captcha_outcomes::check)],
        "error_classes" => &[("vectors", error_classes::check)],
        "mail_webhooks" => &[
            ("svix", mail_webhooks::check_svix),
            ("mailgun", mail_webhooks::check_mailgun),
        ],
        "meta_signatures" => &[
            ("vectors", meta_signatures::check),
            ("challenges", meta_signatures::check_handshake),
        ],
        "phones" => &[("vectors", phones::check)],
        "plivo_signatures" => &[("vectors", plivo_signatures::check)],
        "rate_limit_headers" => &[("vectors", rate_limit_headers::check)],
        "sendgrid_events" => &[("vectors", sendgrid_events::check)],
        "sms_formats" => &[
            ("origin_bound", sms_formats::check_origin_bound),
            ("sms_retriever", sms_formats::check_sms_retriever),
        ],
        "sns_messages" => &[("vectors", sns_messages::check)],
        "telegram_login" => &[
            ("widget", telegram_login::check_widget),
            ("mini_app", telegram_login::check_mini_app),
            ("gateway", telegram_login::check_gateway),
        ],
        "twilio_signatures" => &[("vectors", twilio_signatures::check)],
        "twilio_verify_checks" => &[("vectors", twilio_verify_checks::check)],
        "vonage_signatures" => &[
            ("jwt", vonage_signatures::check_jwt),
            ("sms", vonage_signatures::check_sms),
        ],
        _ => return None,
    })
}

fn trial(file: &str, case: &Value, check: fn(&Value) -> Verdict) -> Trial {
    let id = case["id"].as_str().unwrap_or("without-id");
    let name = format!("{file}/{id}");
    let core = case["core"].as_bool().unwrap_or(true);
    match (check(case), core) {
        (Verdict::Agrees, _) => Trial::test(name, || Ok(())),
        (Verdict::Differs(how), true) => failing(&name, how),
        (Verdict::Differs(how), false) => ignored(&name, &format!("not core, we differ: {how}")),
        (Verdict::Unread(why), _) => ignored(&name, &why),
    }
}

fn failing(name: &str, why: String) -> Trial {
    Trial::test(name, || Err(Failed::from(why)))
}

fn ignored(name: &str, why: &str) -> Trial {
    Trial::test(name, || Ok(()))
        .with_kind(why)
        .with_ignored_flag(true)
}

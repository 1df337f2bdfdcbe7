//! Incidents that are none: on paper for the rules of Prometheus, or on a server in earnest.

mod incidents;
mod paper;

use std::collections::BTreeMap;

use serde_json::json;

use super::check::Site;
use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::show::Table;

const VERIFY: &str = "/api/auth/verify-otp";
const WEBHOOK: &str = "/api/auth/mfa/webhook";
/// Requests that are made where nobody says how many; more than any alert needs to speak.
const USUAL: u32 = 200;

pub(crate) async fn run(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    if arguments.switch("rules") {
        arguments.end()?;
        println!("{}", paper::rules_test().trim_end());
        return Ok(());
    }
    let what = arguments.needed("guessing or signatures, or --rules")?;
    let site = Site::new(arguments.flag("site"))?;
    let times = arguments.number::<u32>("times")?.unwrap_or(USUAL);
    arguments.end()?;
    let mut answers: BTreeMap<u16, u32> = BTreeMap::new();
    for number in 0..times {
        let status = match what.as_str() {
            // Numbers of the range for stories, whom no code was sent: nothing leaves, nobody pays.
            "guessing" => {
                let phone = format!("+14155550{}", 100 + number % 100);
                let body = json!({ "phone": phone, "otp": format!("{:06}", number % 1_000_000) });
                site.post(VERIFY, &body).await
            }
            // Reports of a vendor that nobody signed.
            "signatures" => site.post(WEBHOOK, &json!({})).await,
            other => {
                return Err(Failure::usage(format!(
                    "simulate guessing or signatures, not {other:?}"
                )));
            }
        };
        let (status, _) = status.ok_or_else(|| {
            Failure::Unavailable("the site does not answer: name it by --site".to_owned())
        })?;
        let count = answers.entry(status).or_default();
        *count = count.saturating_add(1);
    }
    if desk.speaks_json() {
        println!("{}", json!({ "simulated": what, "answers": answers }));
        return Ok(());
    }
    let mut table = Table::new(&["answer", "times"]);
    for (status, count) in answers {
        table.add(vec![status.to_string(), count.to_string()]);
    }
    table.print();
    Ok(())
}

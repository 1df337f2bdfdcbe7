//! `fleet_alarm:`, when wrong codes over all accounts are too many.

use super::PolicyFile;
use super::error::PolicyFileError;
use super::node::Node;
use super::read::Entry;
use super::write as put;

pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    let mut alarm = file.policy.fleet_alarm().clone();
    for field in entry.fields()? {
        alarm = match field.name() {
            "wrong_codes_a_minute" => alarm.with_wrong_codes_a_minute(field.number()?),
            "least_percent" => alarm.with_least_percent(field.number()?),
            "codes_longer_by" => alarm.with_codes_longer_by(field.number()?),
            _ => return Err(field.unknown()),
        };
    }
    file.policy = file.policy.clone().with_fleet_alarm(alarm);
    Ok(())
}

pub(super) fn write(file: &PolicyFile) -> Option<Node> {
    let alarm = file.policy.fleet_alarm();
    Some(put::map([
        (
            "wrong_codes_a_minute",
            put::text(alarm.wrong_codes_a_minute()),
        ),
        ("least_percent", put::text(alarm.least_percent())),
        ("codes_longer_by", put::text(alarm.codes_longer_by())),
    ]))
}

//! The incidents as `promtool test rules` reads them.

use std::fmt::Write as _;

use super::incidents::{ALL, Incident};

const HEAD: &str = "\
# Made by `otpctl simulate --rules`: each incident, and the alerts that it sets off.
# promtool test rules alerts.test.yml
rule_files: [alerts.yml]
evaluation_interval: 1m
tests:
";
/// A service that is well is there; without this every incident would be its absence.
const THERE: (&str, &str) = ("otp_build_info{version=\"0.1.0\"}", "1x30");

pub(super) fn rules_test() -> String {
    let mut text = HEAD.to_owned();
    for incident in ALL {
        // Writing to a string does not fail.
        let _ = write(&mut text, incident);
    }
    text
}

fn write(text: &mut String, incident: &Incident) -> std::fmt::Result {
    writeln!(text, "  - name: {}", incident.name)?;
    writeln!(text, "    interval: 1m")?;
    writeln!(text, "    input_series:")?;
    let there = Some(THERE).filter(|_| !incident.is_gone);
    for (series, values) in there.iter().chain(incident.series) {
        writeln!(text, "      - {{ series: '{series}', values: '{values}' }}")?;
    }
    writeln!(text, "    promql_expr_test:")?;
    writeln!(
        text,
        "      - expr: max by (alertname, severity) (ALERTS{{alertstate=\"firing\"}})"
    )?;
    writeln!(text, "        eval_time: 20m")?;
    if incident.fires.is_empty() {
        return writeln!(text, "        exp_samples: []");
    }
    writeln!(text, "        exp_samples:")?;
    for (alert, severity) in incident.fires {
        let labels = format!("{{alertname=\"{alert}\", severity=\"{severity}\"}}");
        writeln!(text, "          - {{ labels: '{labels}', value: 1 }}")?;
    }
    Ok(())
}

//! What a command takes.

use super::HELP;

/// What does not fit beside a command.
const MORE: [(&str, &str); 2] = [
    (
        "block",
        "\
A file for import has one entry a line, and lines that begin with # say nothing:

  # type,value,note,span
  phone,+14155550123,incident 12,2h
  prefix,+88216,satellite,

Without an end it holds until somebody takes it off. `block export` writes such a file. All of it is
taken or none; what is refused names the line.",
    ),
    (
        "policy",
        "\
policy override WHAT --for 2h --reason TEXT, where WHAT is one of

  quota --operation issue|resend|verify --scope SCOPE --max 20 --window 1h
  vip --user ID | --phone NUMBER | --email ADDRESS, with --times 2 to 10: so many times the limits
  allowed --phone NUMBER | --prefix +1415 | --email ADDRESS | --domain NAME
  channel_off --channel sms, channel_on --channel sms
  country_denied --country RW
  captcha_required, where the server has CAPTCHA_PROVIDER
  second_factor_waived",
    ),
];

/// Tells of one command, or of all where there is none of the name.
pub(crate) fn of(command: Option<&str>) -> String {
    let Some(command) = command.filter(|name| lines(name).next().is_some()) else {
        return HELP.to_owned();
    };
    let mut told: Vec<&str> = lines(command).collect();
    let whom = told.iter().any(|line| line.contains("WHOM"));
    let whom = HELP
        .lines()
        .filter(|line| whom && line.starts_with("WHOM is"));
    told.extend(whom);
    if let Some((_, more)) = MORE.iter().find(|(name, _)| *name == command) {
        told.extend(["", more]);
    }
    told.join("\n")
}

/// Says where to read on after a command that is none.
pub(crate) fn hint(typed: impl Iterator<Item = String>) -> String {
    let mut typed = typed.filter(|word| lines(word).next().is_some());
    match typed.next() {
        Some(command) => format!("otpctl help {command}"),
        None => "otpctl help".to_owned(),
    }
}

/// The lines of the help that begin with a command, with what they go on in.
fn lines(command: &str) -> impl Iterator<Item = &'static str> {
    let mut is_its = false;
    HELP.lines().filter(move |line| {
        let indent = line.len().saturating_sub(line.trim_start().len());
        if indent == 2 {
            is_its = line.split_whitespace().next() == Some(command);
        }
        is_its && indent >= 2 && line.len() > indent
    })
}

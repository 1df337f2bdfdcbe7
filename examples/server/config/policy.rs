//! `OTP_CONFIG`: a policy as the runbooks write it, read before the environment.

use otp_kit::challenge::{CodeFormat, Separators};
use otp_kit::policy::{DatabaseKind, FleetAlarm, GuardMode, Limits, Policy, PolicyFile, TollFraud};
use otp_kit::quota::{Quota, Scope};
use otp_kit::request::{Operation, Purpose};

use super::{Environment, Place, Refused, Stores};

const KEY: &str = "OTP_CONFIG";
const OPERATIONS: [Operation; 3] = [Operation::Issue, Operation::Resend, Operation::Verify];

/// Reads the file over this server's policy; what the environment says too, it says last.
pub(super) fn read(env: &Environment, address: Quota) -> Result<PolicyFile, Refused> {
    let base = own(address);
    let Some(path) = env.get(KEY) else {
        return Ok(PolicyFile::of(base));
    };
    let text = std::fs::read_to_string(path)
        .map_err(|_| Refused::new(KEY, "names a file that cannot be read"))?;
    let file = if path.ends_with(".toml") {
        PolicyFile::from_toml_over(&text, base)
    } else {
        PolicyFile::from_yaml_over(&text, base)
    };
    let mut file = file.map_err(|error| Refused::because(KEY, &error))?;
    if env.get("RATE_LIMIT_REQUESTS").is_some() {
        let limits = with_address(file.policy.limits().clone(), address);
        file.policy = file.policy.with_limits(limits);
    }
    Ok(file)
}

/// The library's policy, with this server's number in place of those by client address, and six
/// digits everywhere: its forms take no other length, so while codes are guessed at many accounts
/// the alarm asks for captchas and makes no code longer. A code is taken as people copy it out of a
/// message, with spaces or hyphens between its digits. The toll-fraud guard reports what it would
/// refuse, until an operator who has read that turns it on.
fn own(address: Quota) -> Policy {
    let limits = with_address(Limits::recommended().without(Scope::Address), address);
    let purposes = [
        Purpose::LOGIN,
        Purpose::RECOVERY,
        Purpose::MFA,
        Purpose::SIGN_UP,
        Purpose::CONFIRM_ADDRESS,
    ];
    let policy = Policy::new(limits)
        .with_toll_fraud(TollFraud::new(GuardMode::Shadow))
        .with_fleet_alarm(FleetAlarm::default().with_codes_longer_by(0));
    let code = CodeFormat::SIX_DIGITS.with_separators(Separators::Strip);
    purposes
        .into_iter()
        .fold(policy, |policy, purpose| policy.with_purpose(purpose, code))
}

fn with_address(limits: Limits, address: Quota) -> Limits {
    OPERATIONS.into_iter().fold(limits, |limits, operation| {
        limits.with_quota(operation, Scope::Address, address)
    })
}

/// Checks what the file says of things that the environment names.
pub(super) fn agree(file: &PolicyFile, stores: &Stores) -> Result<(), Refused> {
    let kind = match &stores.database {
        Place::Sqlite(_) => DatabaseKind::Sqlite,
        Place::Postgres(_) => DatabaseKind::Postgres,
        Place::Mysql(_) => DatabaseKind::Mysql,
    };
    let plan = &file.database;
    let problem = match (plan.primary, plan.fallback) {
        (Some(primary), _) if primary != kind => "database.primary: is not what DATABASE_URL names",
        (_, Some(fallback)) if fallback != DatabaseKind::Sqlite => {
            "database.fallback: must be sqlite"
        }
        (_, Some(_)) if stores.fallback.is_none() => {
            "database.fallback: needs DATABASE_FALLBACK_URL"
        }
        _ => return Ok(()),
    };
    Err(Refused::new(KEY, problem))
}

/// Lists what the file says and nothing is done with.
pub(super) fn unused(file: &PolicyFile) -> impl Iterator<Item = String> {
    let idle = file.database.max_idle_conns;
    idle.map(|_| format!("{KEY}: database.max_idle_conns"))
        .into_iter()
}

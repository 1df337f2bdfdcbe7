use otp_kit::audit::DailyFiles;

use super::{Environment, Refused};

const KEY: &str = "OTP_AUDIT_DIR";
/// Where nothing is said; operators look for `logs/audit-2026-11-21.log` there.
const FOLDER: &str = "logs";

/// Reads `OTP_AUDIT_DIR`, the folder of the daily files; `off` for none. A folder that nobody asked
/// for may be missing: a container may be read-only.
pub(super) fn read(env: &Environment) -> Result<Option<DailyFiles>, Refused> {
    match env.get(KEY) {
        Some("off") => Ok(None),
        Some(folder) => match DailyFiles::open(folder) {
            Ok(files) => Ok(Some(files)),
            Err(error) => Err(Refused::new(
                KEY,
                &format!("cannot be written to: {}", error.kind()),
            )),
        },
        None => Ok(DailyFiles::open(FOLDER).ok()),
    }
}

use otp_kit::request::TrustedProxies;

use super::keys::Keys;

/// Says what the settings allow and a reader of the log should doubt; nothing of it stops a start.
pub(super) fn of(proxies: &TrustedProxies, keys: &Keys) -> Vec<&'static str> {
    let mut doubts = Vec::new();
    if proxies.is_open() {
        doubts.push(
            "TRUSTED_PROXIES names more than any private network has: whoever is in it chooses \
             their own address, and with it their limits",
        );
    }
    if keys.file.as_deref().is_some_and(is_open) {
        doubts.push("OTP_KEYS_FILE can be read by others than its owner: its mode should be 0600");
    }
    doubts
}

/// Says whether a file can be opened by others than its owner.
#[cfg(unix)]
fn is_open(file: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    let kept = file.metadata().map(|it| it.permissions().mode());
    kept.is_ok_and(|mode| mode & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &std::path::Path) -> bool {
    false
}

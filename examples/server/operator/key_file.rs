//! The file that the keys are in, a line each or parted by commas; the first is the current one.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use otp_kit::secret::SecretString;

/// What becomes of the file.
pub(super) enum Edit {
    /// A new key is the current one.
    First(SecretString),
    /// A new key is known, and makes nothing yet.
    Last(SecretString),
    /// The key of this id becomes the current one.
    Promoted(String),
}

/// Carries an edit out. The file is replaced whole: a crash leaves the old one or the new one, and
/// other instances, which look for changes, never read half of it.
pub(super) fn rewrite(file: &Path, edit: &Edit) -> io::Result<()> {
    let before = SecretString::new(std::fs::read_to_string(file)?);
    let lines = lines(before.expose(), edit)?;
    let beside = file.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut new = options.open(&beside)?;
    for line in lines {
        writeln!(new, "{line}")?;
    }
    new.sync_all()?;
    std::fs::set_permissions(&beside, file.metadata()?.permissions())?;
    std::fs::rename(&beside, file)
}

fn lines<'t>(before: &'t str, edit: &'t Edit) -> io::Result<Vec<&'t str>> {
    let entries = before.split([',', '\n']).map(str::trim);
    let entries = entries.filter(|entry| !entry.is_empty());
    Ok(match edit {
        Edit::First(line) => std::iter::once(line.expose()).chain(entries).collect(),
        Edit::Last(line) => entries.chain([line.expose()]).collect(),
        Edit::Promoted(id) => {
            let is_meant = |entry: &&str| entry.split(':').next() == Some(id);
            let (meant, mut others): (Vec<_>, Vec<_>) = entries.partition(is_meant);
            let mut lines = meant;
            if lines.is_empty() {
                return Err(io::ErrorKind::NotFound.into());
            }
            lines.append(&mut others);
            lines
        }
    })
}

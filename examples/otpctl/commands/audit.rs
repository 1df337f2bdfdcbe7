//! The audit log: exported with its chain, and verified without a server.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};

use otp_kit::event::chain::{Scope, Verified, VerifyError, verify};
use otp_kit::key::KeyRing;
use otp_kit::secret::SecretString;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;

const AUDIT: &str = "/admin/otp/audit";
/// What asks for lines.
const LINES: &str = "application/x-ndjson";

pub(crate) async fn run(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    match arguments.needed("export or verify")?.as_str() {
        "export" => export(desk, arguments).await,
        "verify" => inspect(desk, arguments),
        other => Err(Failure::usage(format!(
            "audit export or verify, not {other:?}"
        ))),
    }
}

/// Writes all parts, one after another: together they are one export.
async fn export(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let after = arguments.number::<u64>("after")?;
    let file = arguments.flag("out");
    arguments.end()?;
    if let Some(store) = desk.store() {
        store.check_export()?;
    }
    let unwritten = |error: io::Error| Failure::usage(format!("--out: {}", error.kind()));
    let mut out = Out::of(file.as_deref()).map_err(unwritten)?;
    let mut next = Some(after.map_or_else(
        || AUDIT.to_owned(),
        |after| format!("{AUDIT}?after={after}"),
    ));
    while let Some(path) = next {
        let (lines, further) = desk.page(&path, LINES).await?;
        out.write(&lines).map_err(unwritten)?;
        next = further;
    }
    out.close().map_err(unwritten)
}

/// Where an export goes.
enum Out {
    /// Beside the file that was named, until all of it is there: an export that breaks off leaves
    /// the one before it as it was. Only its owner reads it: there are people's addresses in it.
    Kept(NamedTempFile, PathBuf),
    /// The screen, or what was named and is no file.
    Passed(Box<dyn io::Write>),
}

impl Out {
    fn of(named: Option<&str>) -> io::Result<Self> {
        let Some(named) = named else {
            return Ok(Self::Passed(Box::new(io::stdout())));
        };
        match fs::metadata(named) {
            Ok(there) if !there.is_file() => {
                let pipe = fs::OpenOptions::new().write(true).open(named)?;
                Ok(Self::Passed(Box::new(pipe)))
            }
            // Of a link that leads to a file, the file is replaced.
            Ok(_) => Self::beside(fs::canonicalize(named)?),
            Err(_) => Self::beside(PathBuf::from(named)),
        }
    }

    fn beside(path: PathBuf) -> io::Result<Self> {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        Ok(Self::Kept(file, path))
    }

    fn write(&mut self, lines: &str) -> io::Result<()> {
        match self {
            Self::Kept(file, _) => file.write_all(lines.as_bytes()),
            Self::Passed(out) => out.write_all(lines.as_bytes()),
        }
    }

    fn close(self) -> io::Result<()> {
        match self {
            Self::Kept(file, path) => {
                file.as_file().sync_all()?;
                file.persist(path).map(drop).map_err(|error| error.error)
            }
            Self::Passed(mut out) => out.flush(),
        }
    }
}

/// Says whether an export is as it was, and else names the first record that is not.
fn inspect(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let file = arguments.needed("the file")?;
    let keys = keys(&mut arguments)?;
    arguments.end()?;
    let unread = |error: &io::Error| Failure::usage(format!("{file}: {}", error.kind()));
    let export: Box<dyn BufRead> = match file.as_str() {
        "-" => Box::new(io::stdin().lock()),
        path => Box::new(BufReader::new(
            File::open(path).map_err(|error| unread(&error))?,
        )),
    };
    match verify(export, keys.as_ref()) {
        Ok(verified) => {
            show(desk, &verified);
            Ok(())
        }
        Err(VerifyError::Read(error)) => Err(unread(&error)),
        Err(VerifyError::Broken(broken)) => {
            if desk.speaks_json() {
                let told = json!({
                    "whole": false,
                    "line": broken.line,
                    "place": broken.place,
                    "id": broken.id,
                    "fault": broken.fault.to_string(),
                });
                println!("{told}");
            }
            Err(Failure::No(format!("{file}: {broken}")))
        }
        Err(error) => Err(Failure::No(format!("{file}: {error}"))),
    }
}

/// Reads the ring as the server does: `--keys-file`, else `OTP_KEYS`, `OTP_KEYS_FILE` or
/// `SECRET_KEY`.
fn keys(arguments: &mut Arguments) -> Result<Option<KeyRing>, Failure> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let file = arguments.flag("keys-file");
    let pairs = match (file, variable("OTP_KEYS"), variable("OTP_KEYS_FILE")) {
        (None, Some(pairs), _) => SecretString::new(pairs),
        (Some(file), _, _) | (None, None, Some(file)) => {
            SecretString::new(super::blocks::read(&file)?)
        }
        (None, None, None) => {
            let seed = variable("SECRET_KEY").map(SecretString::new);
            let ring = seed.map(|seed| KeyRing::from_seed(&seed)).transpose();
            return ring.map_err(|error| Failure::usage(format!("SECRET_KEY: {error}")));
        }
    };
    let ring = KeyRing::parse(pairs.expose());
    ring.map(Some)
        .map_err(|error| Failure::usage(format!("the keys: {error}")))
}

fn show(desk: &Desk, verified: &Verified) {
    let (last, hash) = verified.last;
    let scope = match verified.scope {
        Scope::Whole => "whole",
        Scope::Filtered => "filtered",
    };
    let at = verified.at.as_deref();
    if desk.speaks_json() {
        let told = json!({
            "whole": true,
            "records": verified.records,
            "first": verified.first,
            "last": last,
            "hash": hash.to_string(),
            "scope": scope,
            "at": at,
            "seals_checked": verified.unknown_seals.is_some(),
            "unknown_seals": verified.unknown_seals,
        });
        println!("{told}");
        return;
    }
    println!(
        "{} records, {} to {last}: none was changed, dropped, moved, put in or cut off",
        verified.records, verified.first
    );
    println!("last {hash}, exported {}", at.unwrap_or("-"));
    match verified.unknown_seals {
        None => println!("seals were not checked: set OTP_KEYS or --keys-file"),
        Some(0) => println!("every seal is right"),
        Some(some) => {
            println!("{some} seals are by keys that are not in the ring, all others right")
        }
    }
}

use std::convert::Infallible;
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Sealer;
use crate::clock::Utc;
use crate::event::chain::{ChainedRecord, sequence_of};
use crate::store::StoreError;

/// How many records are read and written at once.
const PAGE: usize = 500;
/// The least time between two looks.
const CLOSEST: Duration = Duration::from_millis(10);
/// More than the longest line of a record has, in bytes.
const LONGEST_LINE: u64 = 256 * 1_024;

/// The audit log as files, one for each day of UTC: `audit-2026-11-21.log`, a JSON object a line,
/// the lines of an [`Export`](super::Export) without its checkpoint.
///
/// The files follow the chain beside the requests, so that none waits for a disk, and have what all
/// instances wrote that share the store. They are only ever added to, and after a restart go on
/// after their last line: no record is missing and none is there twice. A line that a crash has
/// torn is written anew. Give each instance a folder of its own.
///
/// They are for searching. What shows tampering is an export, because it ends in a checkpoint.
///
/// Cheap to clone; clones share everything.
///
/// # Examples
/// ```
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::sync::Arc;
/// # use otp_core::{clock::SystemClock, key::KeyRing, random::OsRandom, request::Tenant};
/// # use otp_core::{event::{Event, EventKind}, store::AuditStore as _};
/// # let store = otp_core::testing::chain::ReferenceChain::new(Arc::new(SystemClock));
/// # store.append(Event::new(EventKind::CodeSent, &Tenant::default())).await?;
/// # let sealer = otp_core::audit::Sealer::new(Arc::new(store), KeyRing::generate(&OsRandom)?)?;
/// # let folder = std::env::temp_dir().join(format!("otp-kit-daily-{}", std::process::id()));
/// use otp_core::audit::DailyFiles;
///
/// let files = DailyFiles::open(&folder)?;
/// sealer.seal().await?;
/// assert_eq!(files.catch_up(&sealer).await?, 1);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct DailyFiles {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// Where the files end; not known after a write that failed.
    end: Mutex<Option<End>>,
}

/// The newest file's day, and the place in the log of its last record.
#[derive(Clone, Debug, Default)]
struct End {
    day: String,
    last: Option<u64>,
}

impl DailyFiles {
    /// Opens a folder, made where it is not there, and finds where its files end. Blocks.
    ///
    /// # Errors
    /// The folder cannot be made or written to, or its newest file ends in a line that is none of
    /// ours.
    pub fn open(folder: impl AsRef<Path>) -> io::Result<Self> {
        let folder = folder.as_ref().to_owned();
        make(&folder)?;
        let end = End::of(&folder)?;
        Ok(Self {
            inner: Arc::new(Inner {
                folder,
                end: Mutex::new(Some(end)),
            }),
        })
    }

    /// Follows the chain, a look every so often. It never ends; drop it to stop. What fails is
    /// tried again, and said in the log once, and once when it goes on.
    pub async fn run(&self, sealer: &Sealer, every: Duration) -> Infallible {
        let mut is_behind = false;
        loop {
            match (self.catch_up(sealer).await, is_behind) {
                (Err(error), false) => {
                    let error: &(dyn Error + 'static) = &error;
                    tracing::warn!(target: "otp_kit", error, "the daily audit file is behind");
                    is_behind = true;
                }
                (Ok(_), true) => {
                    tracing::info!(target: "otp_kit", "the daily audit file has caught up");
                    is_behind = false;
                }
                _ => {}
            }
            tokio::time::sleep(every.max(CLOSEST)).await;
        }
    }

    /// Writes what was sealed since the last line, and says how many records that was.
    ///
    /// # Errors
    /// A file cannot be written, or the store not be read; what is missing is written next time.
    pub async fn catch_up(&self, sealer: &Sealer) -> io::Result<u64> {
        let store = sealer.store();
        let head = store.head().await.map_err(unread)?;
        let mut after = self.on_disk(Inner::last).await?;
        if after.is_some_and(|last| last > head.sequence) {
            tracing::error!(
                target: "otp_kit",
                "the audit log ends before what its daily file has: it was cut off, or is another one"
            );
            after = None;
            self.on_disk(Inner::begin_again).await?;
        }
        let mut written = 0_u64;
        loop {
            let page = store.sealed(after, PAGE).await.map_err(unread)?;
            let Some(newest) = page.last() else {
                return Ok(written);
            };
            after = Some(newest.record.sequence);
            let added = self.on_disk(move |inner| inner.append(&page)).await?;
            written = written.saturating_add(added);
        }
    }

    /// Does something that blocks, away from the tasks that answer requests.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.map_err(|_| io::Error::other("the writer stopped"))?
    }
}

impl Inner {
    fn last(&self) -> io::Result<Option<u64>> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        match &*end {
            Some(end) => Ok(end.last),
            None => Ok(end.insert(End::of(&self.folder)?).last),
        }
    }

    /// Lets a log be written from its beginning again, after the lines of the one before.
    fn begin_again(&self) -> io::Result<()> {
        self.last()?;
        let mut kept = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = &mut *kept {
            end.last = None;
        }
        Ok(())
    }

    /// Adds what is not there yet, and says how many records that was: another call may have
    /// written some of them since these were read.
    fn append(&self, records: &[ChainedRecord]) -> io::Result<u64> {
        let mut kept = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        // Whatever fails from here on is looked at anew.
        let mut end = match kept.take() {
            Some(end) => end,
            None => End::of(&self.folder)?,
        };
        let is_there = |one: &ChainedRecord| Some(one.record.sequence) <= end.last;
        let (_, mut rest) = records.split_at(records.partition_point(is_there));
        let added = u64::try_from(rest.len()).unwrap_or(u64::MAX);
        while let Some(first) = rest.first() {
            // A record that is older than the newest file is not put into one that was closed.
            let day = day_of(first).max(end.day);
            let of_day = rest.iter().position(|one| day_of(one) > day);
            let (some, later) = rest.split_at(of_day.unwrap_or(rest.len()));
            let lines: String = some.iter().map(|one| format!("{one}\n")).collect();
            appending(&file_of(&self.folder, &day))?.write_all(lines.as_bytes())?;
            let last = some.last().map(|one| one.record.sequence);
            end = End { day, last };
            rest = later;
        }
        *kept = Some(end);
        Ok(added)
    }
}

impl End {
    /// Looks where the files of a folder end, and cuts off what was torn.
    fn of(folder: &Path) -> io::Result<Self> {
        let mut days = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            days.extend(name.to_str().and_then(day_in).map(str::to_owned));
        }
        days.sort_unstable();
        let newest = days.last().cloned().unwrap_or_default();
        for day in days.iter().rev() {
            if let Some(last) = last_line(&file_of(folder, day))? {
                let last = sequence_of(&last).ok_or_else(|| {
                    io::Error::new(ErrorKind::InvalidData, "the last line is no record")
                })?;
                return Ok(Self {
                    day: newest,
                    last: Some(last),
                });
            }
        }
        Ok(Self {
            day: newest,
            last: None,
        })
    }
}

/// Reads the last whole line of a file, and cuts off what comes after it.
fn last_line(path: &Path) -> io::Result<Option<String>> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(LONGEST_LINE.saturating_mul(2));
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n');
    let whole = whole.map_or(0, |end| end.saturating_add(1));
    let torn = u64::try_from(tail.len().saturating_sub(whole)).unwrap_or_default();
    if torn > 0 {
        file.set_len(length.saturating_sub(torn))?;
    }
    let lines = tail.get(..whole).unwrap_or_default();
    let last = lines.split(|byte| *byte == b'\n').rev().nth(1);
    Ok(last.map(|line| String::from_utf8_lossy(line).into_owned()))
}

/// The day on which a record was made, as `2026-11-21`.
fn day_of(one: &ChainedRecord) -> String {
    let time = Utc::from(one.record.event.at).to_string();
    time.split('T').next().unwrap_or_default().to_owned()
}

fn file_of(folder: &Path, day: &str) -> PathBuf {
    folder.join(format!("audit-{day}.log"))
}

fn day_in(name: &str) -> Option<&str> {
    let day = name.strip_prefix("audit-")?.strip_suffix(".log")?;
    let shape = |(place, byte): (usize, u8)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    (day.len() == 10 && day.bytes().enumerate().all(shape)).then_some(day)
}

/// Makes the folder, for its owner alone.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a file to be added to, made for its owner alone.
fn appending(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn unread(error: StoreError) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

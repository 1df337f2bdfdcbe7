use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::event::chain::verify;
use crate::event::{Event, EventKind};
use crate::key::KeyRing;
use crate::random::{OsRandom, SecureRandom as _};
use crate::request::Tenant;
use crate::store::AuditStore as _;
use crate::testing::chain::ReferenceChain;

/// 2026-11-21, half a minute before midnight.
const EVENING: i64 = 1_795_305_570_000;

/// A folder of a test's own; it goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let mut bytes = [0; 8];
        OsRandom.fill(&mut bytes).expect("randomness");
        let name = format!("otp-kit-daily-{:016x}", u64::from_be_bytes(bytes));
        Self(std::env::temp_dir().join(name))
    }

    fn read(&self, day: &str) -> String {
        fs::read_to_string(file_of(&self.0, day)).unwrap_or_default()
    }

    fn places(&self, day: &str) -> Vec<u64> {
        let text = self.read(day);
        let places = text
            .lines()
            .map(|line| sequence_of(line).expect("a record"));
        places.collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

struct Log {
    store: ReferenceChain,
    sealer: Sealer,
    clock: ManualClock,
    keys: KeyRing,
}

impl Log {
    fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(EVENING));
        let store = ReferenceChain::new(Arc::new(clock.clone()));
        let keys = KeyRing::generate(&OsRandom).expect("randomness");
        let sealer = Sealer::new(Arc::new(store.clone()), keys.clone()).expect("randomness");
        Self {
            store,
            sealer,
            clock,
            keys,
        }
    }

    async fn write(&self, count: usize) {
        for _ in 0..count {
            let event = Event::new(EventKind::CodeSent, &Tenant::default());
            self.store.append(event).await.expect("an answer");
        }
        self.sealer.seal_now().await.expect("an answer");
    }
}

#[tokio::test]
async fn each_day_of_utc_has_its_file_and_a_late_record_goes_into_the_newest() {
    let (folder, log) = (Folder::new(), Log::new());
    let files = DailyFiles::open(&folder.0).expect("it opens");
    log.write(2).await;
    assert_eq!(files.catch_up(&log.sealer).await.expect("written"), 2);
    log.clock.advance(Duration::from_secs(60));
    log.write(1).await;
    let late = Event::new(EventKind::CodeSent, &Tenant::default());
    let late = late.at(Timestamp::from_millis(EVENING));
    log.store.append(late).await.expect("an answer");
    log.write(1).await;
    assert_eq!(files.catch_up(&log.sealer).await.expect("written"), 3);
    assert_eq!(files.catch_up(&log.sealer).await.expect("nothing"), 0);
    assert_eq!(folder.places("2026-11-21"), [1, 2]);
    assert_eq!(folder.places("2026-11-22"), [3, 4, 5]);
    assert!(folder.read("2026-11-21").contains("MFA_CODE_SENT"));
}

#[tokio::test]
async fn a_restart_leaves_no_gap_and_no_line_twice_and_mends_a_torn_line() {
    let (folder, log) = (Folder::new(), Log::new());
    log.write(3).await;
    let files = DailyFiles::open(&folder.0).expect("it opens");
    files.catch_up(&log.sealer).await.expect("written");
    let whole = folder.read("2026-11-21");
    log.write(2).await;
    for torn in [whole.len() - 1, whole.len() - 20, whole.len(), 10, 0] {
        let path = file_of(&folder.0, "2026-11-21");
        let left = whole.get(..torn).expect("ASCII");
        fs::write(&path, left).expect("a file");
        let files = DailyFiles::open(&folder.0).expect("it opens");
        files.catch_up(&log.sealer).await.expect("written");
        assert_eq!(folder.places("2026-11-21"), [1, 2, 3, 4, 5], "{torn}");
    }
    // The lines are those of an export: all that is missing is its end.
    let mut file = folder.read("2026-11-21");
    let at = Timestamp::from_millis(EVENING);
    let export = log.sealer.export(None, None, at).await.expect("an answer");
    let export = export.to_string();
    file.push_str(export.lines().last().expect("a checkpoint"));
    assert_eq!(
        verify(file.as_bytes(), Some(&log.keys))
            .expect("whole")
            .records,
        5
    );
}

#[tokio::test]
async fn two_who_follow_at_once_write_no_line_twice() {
    let (folder, log) = (Folder::new(), Log::new());
    let files = DailyFiles::open(&folder.0).expect("it opens");
    log.write(5).await;
    let (one, two) = tokio::join!(files.catch_up(&log.sealer), files.catch_up(&log.sealer));
    assert_eq!(one.expect("written") + two.expect("written"), 5);
    assert_eq!(folder.places("2026-11-21"), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn another_log_than_the_one_of_the_file_is_written_from_its_beginning() {
    let (folder, log) = (Folder::new(), Log::new());
    log.write(5).await;
    let files = DailyFiles::open(&folder.0).expect("it opens");
    files.catch_up(&log.sealer).await.expect("written");
    let other = Log::new();
    other.write(2).await;
    assert_eq!(files.catch_up(&other.sealer).await.expect("written"), 2);
    other.write(1).await;
    assert_eq!(files.catch_up(&other.sealer).await.expect("written"), 1);
    assert_eq!(folder.places("2026-11-21"), [1, 2, 3, 4, 5, 1, 2, 3]);
}

#[tokio::test]
async fn a_file_that_is_none_of_ours_is_not_added_to() {
    let folder = Folder::new();
    fs::create_dir_all(&folder.0).expect("a folder");
    fs::write(file_of(&folder.0, "2026-11-21"), "a line of somebody's\n").expect("a file");
    fs::write(folder.0.join("audit-yesterday.log"), "passed over").expect("a file");
    let refused = DailyFiles::open(&folder.0).expect_err("it is not ours");
    assert_eq!(refused.kind(), ErrorKind::InvalidData);
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_reads_a_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, log) = (Folder::new(), Log::new());
    log.write(1).await;
    let files = DailyFiles::open(&folder.0).expect("it opens");
    files.catch_up(&log.sealer).await.expect("written");
    let mode = |path: &Path| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
    };
    assert_eq!(mode(&file_of(&folder.0, "2026-11-21")) & 0o777, 0o600);
    assert_eq!(mode(&folder.0) & 0o777, 0o700);
}

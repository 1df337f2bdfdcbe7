//! Is it safe: secrets, hashes, keys, blocks, and who was told.

use otp_kit::hash::StoredHash;
use serde_json::Value;
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection as _, Row as _};

use super::answers::{Answer, Box, Sheet};
use super::{Evidence, Given};
use crate::desk::Desk;

/// Whoever was refused so often and is not kept out is somebody to look at.
const OFTEN: u64 = 50;

pub(super) async fn fill(sheet: &mut Sheet, desk: &Desk, evidence: &Evidence, given: &Given) {
    sheet.put(
        Box::Secrets,
        secrets(evidence.after.text(), given.log.as_deref()),
    );
    let hashes = match &given.database {
        Some(url) => stored(url).await,
        None => Answer::Look("name the database by --database".to_owned()),
    };
    sheet.put(Box::Hashing, hashes);
    sheet.put(
        Box::Keys,
        match evidence.records.last_deed("rotate_keys") {
            Some(at) => Answer::Yes(format!("rotated at {at}")),
            None => Answer::Look("no rotation is on record: was none needed?".to_owned()),
        },
    );
    let blocks = desk.get("/admin/otp/blacklist").await.unwrap_or_default();
    sheet.put(Box::Blocklist, blocked(&evidence.boards.1, &blocks));
    sheet.put(
        Box::Notified,
        match evidence.records.last_deed("notify") {
            Some(at) => Answer::Yes(format!("sent at {at}")),
            None => Answer::Look("no notification is on record: was nobody concerned?".to_owned()),
        },
    );
}

/// Looks for six digits alone and long runs of hex digits, as the runbook's search does.
fn secrets(metrics: &str, log: Option<&str>) -> Answer {
    // Values are counts and seconds; what could name somebody is in the labels.
    let labels = metrics.lines().filter_map(|line| line.rsplit_once(' '));
    if let Some(word) = labels.filter_map(|(labels, _)| found_in(labels)).next() {
        return Answer::No(format!("a metric has a word of {} signs", word.len()));
    }
    let Some(log) = log else {
        return Answer::Look("nothing is in the metrics; name the log by --log".to_owned());
    };
    let lines = log.lines().enumerate();
    let bad = lines.filter(|(_, line)| found_in(line).is_some());
    match bad.map(|(place, _)| place.saturating_add(1)).next() {
        // The word itself may be the secret.
        Some(line) => Answer::No(format!("line {line} has what looks like a code or a token")),
        None => Answer::Yes(format!("{} lines and all metrics", log.lines().count())),
    }
}

fn found_in(text: &str) -> Option<&str> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let mut words = words.filter(|word| !word.is_empty());
    words.find(|word| {
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (word.len() == 6 && digits) || (word.len() >= 32 && word.bytes().all(hex))
    })
}

/// Reads the latest stored codes and says how they are hashed.
async fn stored(url: &str) -> Answer {
    install_default_drivers();
    let Ok(mut connection) = AnyConnection::connect(url).await else {
        return Answer::No("--database names one that cannot be opened".to_owned());
    };
    let rows = "SELECT digest FROM auth_challenges ORDER BY created_at DESC LIMIT 1000";
    let Ok(rows) = sqlx::query(rows).fetch_all(&mut connection).await else {
        return Answer::No("the database has no auth_challenges".to_owned());
    };
    let digests: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get("digest")).collect();
    let Ok(digests) = digests else {
        return Answer::No("the digests cannot be read".to_owned());
    };
    judge(&digests)
}

fn judge(digests: &[String]) -> Answer {
    let read: Result<Vec<StoredHash>, _> = digests
        .iter()
        .map(|text| StoredHash::parse(code_part(text)))
        .collect();
    match read {
        Ok(read) => match read.first() {
            Some(first) => Answer::Yes(format!(
                "{} codes, the latest by {:?}",
                read.len(),
                first.algorithm()
            )),
            None => Answer::Look("no code is stored right now: ask for one".to_owned()),
        },
        Err(_) => Answer::No("a stored code is no hash".to_owned()),
    }
}

/// Gives the stored form of the code: where a message had a link too, its digest is before it.
fn code_part(stored: &str) -> &str {
    let behind = stored.strip_prefix("$otp-link$v=1$keyid=");
    let behind = behind.and_then(|rest| rest.split_once('$'));
    let code = behind.and_then(|(_, rest)| rest.find('$').and_then(|at| rest.get(at..)));
    code.unwrap_or(stored)
}

/// Says whether everybody who was refused often is kept out by now.
fn blocked(board: &Value, blocks: &Value) -> Answer {
    let list = blocks.get("entries").or_else(|| blocks.get("blocks"));
    let kept_out = list.and_then(Value::as_array).map_or(0, Vec::len);
    let sources = board.get("attackers").and_then(|all| all.get("addresses"));
    let sources = sources.and_then(Value::as_array).into_iter().flatten();
    let number = |source: &Value, name: &str| source.get(name).and_then(Value::as_u64);
    let loose: Vec<&str> = sources
        .filter(|source| number(source, "refused") >= Some(OFTEN))
        .filter(|source| number(source, "by_blocks") == Some(0))
        .filter_map(|source| source.get("name")?.as_str())
        .collect();
    match loose.is_empty() {
        true => Answer::Yes(format!("{kept_out} kept out, nobody else is refused often")),
        false => Answer::No(format!(
            "refused often and not blocked: {}",
            loose.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{found_in, judge};

    #[test]
    fn a_code_or_a_token_in_a_line_is_found_and_times_and_ids_are_none() {
        for secret in ["otp=482913 sent", "t=0123456789abcdef0123456789abcdef"] {
            assert!(found_in(secret).is_some(), "{secret}");
        }
        let line = "2026-11-21T16:04:11.988978Z INFO request_id=3b96fc42-96d8-059c-e83f-6f4a8203cfe7 \
            to=+1415\u{2022}\u{2022}\u{2022}0123 ip=127.0.0.1:18080";
        assert_eq!(found_in(line), None);
    }

    #[test]
    fn a_code_that_is_stored_as_it_is_is_no_hash() {
        assert_eq!(judge(&["482913".to_owned()]).word(), "no");
        assert_eq!(judge(&[]).word(), "look");
        let code = "$argon2id$v=19$m=19456,t=2,p=1,keyid=k$salt$tag";
        let linked = format!("$otp-link$v=1$keyid=k$digest{code}");
        assert_eq!(super::code_part(&linked), code);
        assert_eq!(super::code_part(code), code);
    }
}

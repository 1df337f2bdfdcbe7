use std::fmt::Write as _;
use std::time::Duration;

use thiserror::Error;

use crate::clock::Timestamp;
use crate::store::{Block, BlockEntry, BlockKind};

/// An entry of a [`BlockList`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockLine {
    /// What is blocked.
    pub block: Block,
    /// Why; empty where the list does not say.
    pub note: String,
    /// For how long; `None` is for ever.
    pub life: Option<Duration>,
}

/// A blocklist as a text, to be kept, compared and carried from one service to another.
///
/// One entry a line: `kind,value,note,expires`. The kind is that of [`BlockKind::name`]; note and
/// expiry may be missing. A note with a comma or a quote stands in double quotes, with quotes in it
/// doubled (RFC 4180 section 2). The expiry is a span from the import on: `90`, `90s`, `15m`, `24h`
/// or `7d`. Empty lines and those that begin with `#` say nothing. A network of a length that is
/// not asked for counts as its parts, see [`Block::covering`].
///
/// # Examples
/// ```
/// use otp_core::operator::BlockList;
///
/// let list = BlockList::parse("# incident 123\nphone,+250788000000,\"calls, not texts\",24h\n")?;
/// assert_eq!(list.lines()[0].note, "calls, not texts");
///
/// let error = BlockList::parse("phone,+250788000000\nfax,12345\n").unwrap_err();
/// assert_eq!(error.line, 2);
/// # Ok::<(), otp_core::operator::InvalidBlockList>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockList(Vec<BlockLine>);

/// Why a text is no [`BlockList`]; nothing of it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {why}")]
pub struct InvalidBlockList {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: InvalidLine,
}

/// What is wrong with a line of a [`BlockList`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidLine {
    /// There are fewer than two fields, or more than four, or a quote is not closed.
    #[error("must be kind,value,note,expires")]
    Shape,
    /// There is no such kind.
    #[error("unknown kind")]
    Kind,
    /// The value is none of the kind.
    #[error("not a value of that kind")]
    Value,
    /// The note is longer than 256 characters or holds control characters.
    #[error("the note must be at most 256 characters, none of them a control character")]
    Note,
    /// The expiry is no span of at least a second and at most ten years.
    #[error("the expiry must be a span such as 90s, 15m, 24h or 7d")]
    Expiry,
    /// The list has more than 100,000 entries.
    #[error("too many entries")]
    TooMany,
}

const MOST: usize = 100_000;
const LONGEST_NOTE: usize = 256;
const LONGEST_LIFE: u64 = 3_660 * 86_400;

impl BlockList {
    /// Reads a text, all of it or nothing.
    ///
    /// # Errors
    /// [`InvalidBlockList`], of the first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidBlockList> {
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let number = index.saturating_add(1);
            let wrong = |why| InvalidBlockList { line: number, why };
            lines.extend(entries(line).map_err(wrong)?);
            if lines.len() > MOST {
                return Err(wrong(InvalidLine::TooMany));
            }
        }
        Ok(Self(lines))
    }

    /// Makes a list of entries as they stand at a time of the store's clock.
    #[must_use]
    pub fn of(entries: &[BlockEntry], now: Timestamp) -> Self {
        let lines = entries.iter().map(|entry| BlockLine {
            block: entry.block.clone(),
            note: entry.note.clone(),
            life: entry.expires_at.map(|end| end.since(now)),
        });
        Self(lines.collect())
    }

    /// Gives the entries.
    #[must_use]
    pub fn lines(&self) -> &[BlockLine] {
        &self.0
    }

    /// Writes the list down, values in full. What is left of a life is rounded up to a second.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for line in &self.0 {
            let (kind, value) = (line.block.kind().name(), quoted(line.block.value()));
            // Writing to a string does not fail.
            let _ = write!(text, "{kind},{value},{}", quoted(&line.note));
            if let Some(life) = line.life {
                let part = u64::from(life.subsec_nanos() > 0);
                let _ = write!(text, ",{}s", life.as_secs().saturating_add(part).max(1));
            }
            text.push('\n');
        }
        text
    }
}

fn entries(line: &str) -> Result<Vec<BlockLine>, InvalidLine> {
    let mut fields = fields(line)?.into_iter();
    let mut field = || fields.next().unwrap_or_default();
    let (kind, value, note, expiry) = (field(), field(), field(), field());
    let kind = BlockKind::from_name(kind.trim()).ok_or(InvalidLine::Kind)?;
    let blocks = Block::covering(kind, value.trim()).map_err(|_| InvalidLine::Value)?;
    let note = note.trim();
    if note.chars().nth(LONGEST_NOTE).is_some() || note.chars().any(char::is_control) {
        return Err(InvalidLine::Note);
    }
    let life = match expiry.trim() {
        "" => None,
        span => Some(seconds(span).ok_or(InvalidLine::Expiry)?),
    };
    let lines = blocks.into_iter().map(|block| BlockLine {
        block,
        note: note.to_owned(),
        life,
    });
    Ok(lines.collect())
}

/// Splits a line at its commas, but for those in quotes.
fn fields(line: &str) -> Result<Vec<String>, InvalidLine> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut signs = line.chars().peekable();
    while let Some(sign) = signs.next() {
        let Some(field) = fields.last_mut() else {
            return Err(InvalidLine::Shape);
        };
        match sign {
            '"' if quoted && signs.peek() == Some(&'"') => {
                signs.next();
                field.push('"');
            }
            '"' if quoted || field.trim().is_empty() => {
                quoted = !quoted;
            }
            ',' if !quoted => fields.push(String::new()),
            sign => field.push(sign),
        }
    }
    if quoted || !(2..=4).contains(&fields.len()) {
        return Err(InvalidLine::Shape);
    }
    Ok(fields)
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn seconds(span: &str) -> Option<Duration> {
    let (digits, unit) = match span.char_indices().next_back()? {
        (_, '0'..='9') => (span, 1),
        (end, 's') => (span.get(..end)?, 1),
        (end, 'm') => (span.get(..end)?, 60),
        (end, 'h') => (span.get(..end)?, 3_600),
        (end, 'd') => (span.get(..end)?, 86_400),
        _ => return None,
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| plain)?;
    let seconds = number.checked_mul(unit)?;
    (1..=LONGEST_LIFE)
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_taken_whole_or_its_first_wrong_line_is_named() {
        let text =
            "\u{feff}# list\r\n\r\nphone, +250788000000 ,\"a, \"\"b\"\"\",24h\nip,203.0.112.0/22\n";
        let list = BlockList::parse(text).unwrap();
        let [phone, networks @ ..] = list.lines() else {
            panic!("entries")
        };
        assert_eq!(phone.note, "a, \"b\"");
        assert_eq!(phone.life, Some(Duration::from_secs(86_400)));
        assert_eq!(networks.len(), 4, "a /22 is four /24");
        for (line, why) in [
            ("phone", InvalidLine::Shape),
            ("phone,+250788000000,a,1h,x", InvalidLine::Shape),
            ("phone,+250788000000,\"a", InvalidLine::Shape),
            ("fax,+250788000000", InvalidLine::Kind),
            ("phone,12", InvalidLine::Value),
            ("ip,10.0.0.0/7", InvalidLine::Value),
            ("phone,+250788000000,a\u{7},1h", InvalidLine::Note),
            ("phone,+250788000000,a,soon", InvalidLine::Expiry),
            ("phone,+250788000000,a,0", InvalidLine::Expiry),
            ("phone,+250788000000,a,+5", InvalidLine::Expiry),
            (
                "phone,+250788000000,a,99999999999999999999d",
                InvalidLine::Expiry,
            ),
        ] {
            let text = format!("ip,192.0.2.1\n\n{line}\nalso wrong\n");
            let refused = BlockList::parse(&text);
            assert_eq!(refused, Err(InvalidBlockList { line: 3, why }), "{line}");
        }
    }

    #[test]
    fn a_list_that_is_written_reads_back_the_same() {
        let text = "phone,+250788000000,\"a, \"\"b\"\"\",86400s\nip,203.0.113.0/24,\nemail,a@example.org,x,90\n";
        let list = BlockList::parse(text).unwrap();
        assert_eq!(BlockList::parse(&list.to_text()), Ok(list));
    }
}

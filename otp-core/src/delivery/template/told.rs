use std::collections::BTreeMap;

use super::TemplateState;
use crate::destination::Channel;
use crate::store::{BoardText, InvalidDocument};

/// The most languages that are remembered; a vendor has fewer than a hundred.
const MAX_LANGUAGES: usize = 128;
/// The longest name of a language.
const LONGEST_LANGUAGE: usize = 32;
/// The most templates that are remembered: those of other builds too, while a fleet is replaced.
const MOST: usize = 32;

/// What was told of a template since it was built in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// By an operator, of all its languages.
    pub(super) declared: Option<TemplateState>,
    /// By its vendor, later than that.
    pub(super) reported: BTreeMap<String, TemplateState>,
}

impl Told {
    /// Declares the state anew, over whatever the vendor reported before.
    pub(crate) fn declaring(state: TemplateState) -> Self {
        Self {
            declared: Some(state),
            reported: BTreeMap::new(),
        }
    }

    /// Adds what the vendor reports of a language. What names none changes nothing.
    pub(crate) fn reporting(mut self, language: &str, state: TemplateState) -> Self {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let named = (1..=LONGEST_LANGUAGE).contains(&language.len()) && language.chars().all(fits);
        let room = self.reported.len() < MAX_LANGUAGES || self.reported.contains_key(language);
        if named && room {
            self.reported.insert(language.to_owned(), state);
        }
        self
    }

    fn words(&self) -> String {
        let declared = self.declared.map_or("", TemplateState::name);
        let reported = self.reported.iter();
        let reported = reported.map(|(language, state)| format!("\t{language}={state}"));
        std::iter::once(declared.to_owned())
            .chain(reported)
            .collect()
    }

    fn read(words: &str) -> Self {
        let mut parts = words.split('\t');
        let declared = parts.next().and_then(TemplateState::from_name);
        let told = Self {
            declared,
            reported: BTreeMap::new(),
        };
        parts
            .filter_map(|part| part.split_once('='))
            .filter_map(|(language, state)| Some((language, TemplateState::from_name(state)?)))
            .fold(told, |told, (language, state)| {
                told.reporting(language, state)
            })
    }
}

/// What a fleet was told of templates, as its board has it: a line each, the latest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToldBoard(Vec<(String, String)>);

impl ToldBoard {
    /// Reads a board. What is no line is left out.
    pub(crate) fn read(text: &BoardText) -> Self {
        let lines = text.as_str().lines().filter_map(|line| {
            let (channel, rest) = line.split_once('\t')?;
            let (template, words) = rest.split_once('\t')?;
            Some((format!("{channel}\t{template}"), words.to_owned()))
        });
        Self(lines.collect())
    }

    /// Writes the board.
    ///
    /// # Errors
    /// [`InvalidDocument`] where a template's name does not stay on its line.
    pub(crate) fn text(&self) -> Result<BoardText, InvalidDocument> {
        let lines = self
            .0
            .iter()
            .map(|(name, words)| format!("{name}\t{words}"));
        BoardText::new(&lines.collect::<Vec<_>>().join("\n"))
    }

    /// Finds what was told of a channel's template.
    pub(crate) fn of(&self, channel: Channel, template: &str) -> Told {
        let name = name(channel, template);
        let line = self.0.iter().find(|(known, _)| *known == name);
        line.map_or_else(Told::default, |(_, words)| Told::read(words))
    }

    /// Puts what was told of a channel's template in place of what was told before. Of too many
    /// templates the one that was spoken of longest ago is forgotten.
    pub(crate) fn with(mut self, channel: Channel, template: &str, told: &Told) -> Self {
        let name = name(channel, template);
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, told.words()));
        let over = self.0.len().saturating_sub(MOST);
        self.0.drain(..over);
        self
    }
}

fn name(channel: Channel, template: &str) -> String {
    format!("{}\t{template}", channel.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use TemplateState::{Approved, Disabled, Paused};

    fn reread(board: &ToldBoard) -> ToldBoard {
        ToldBoard::read(&board.text().expect("a text"))
    }

    #[test]
    fn what_was_told_reads_itself_back_template_by_template() {
        let told = Told::declaring(Approved)
            .reporting("en_US", Paused)
            .reporting("fil", Approved);
        let vendors = Told::default().reporting("pt-BR", Disabled);
        let board = ToldBoard::default()
            .with(Channel::WhatsApp, "sign_in code \u{e9}", &told)
            .with(Channel::Sms, "sign_in code \u{e9}", &vendors);
        let board = reread(&board);
        assert_eq!(board.of(Channel::WhatsApp, "sign_in code \u{e9}"), told);
        assert_eq!(board.of(Channel::Sms, "sign_in code \u{e9}"), vendors);
        assert_eq!(board.of(Channel::Sms, "other"), Told::default());
        let board = reread(&board.with(Channel::Sms, "other", &told));
        assert_eq!(board.of(Channel::Sms, "other"), told);
        assert_eq!(board.of(Channel::Sms, "sign_in code \u{e9}"), vendors);
    }

    #[test]
    fn a_board_is_bounded_and_what_is_no_language_is_not_kept() {
        let mut told = Told::default();
        for hostile in ["", "a\tb", "a=b", "a\nb", "\u{e9}", &"a".repeat(33)] {
            told = told.reporting(hostile, Paused);
        }
        assert_eq!(told, Told::default());
        for number in 0..500 {
            told = told.reporting(&format!("l{number}"), Paused);
        }
        assert_eq!(told.reported.len(), MAX_LANGUAGES);
        let mut board = ToldBoard::default();
        for number in 0..500 {
            board = board.with(Channel::WhatsApp, &format!("t{number}"), &told);
        }
        let board = reread(&board);
        assert_eq!(board.0.len(), MOST);
        assert_eq!(board.of(Channel::WhatsApp, "t499"), told);
        assert_eq!(board.of(Channel::WhatsApp, "t0"), Told::default());
    }
}

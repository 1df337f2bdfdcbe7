//! The recovery checklist after an incident: each box with yes, no or "look", and why.

mod answers;
mod functional;
mod monitoring;
mod numbers;
mod performance;
mod records;
mod security;
mod site;

use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::show::Table;

use answers::{Box, Sheet};
use numbers::Numbers;
use records::Records;
pub(super) use site::Site;

/// What the boxes are answered from.
struct Evidence {
    /// The metrics before and after what is tried.
    before: Numbers,
    after: Numbers,
    /// The dashboard before and after.
    boards: (Value, Value),
    records: Records,
    /// What trying found.
    tried: functional::Tried,
}

/// What an operator adds to what the server says of itself.
struct Given {
    site: Site,
    phones: Vec<String>,
    users: Vec<String>,
    log: Option<String>,
    database: Option<String>,
    prometheus: Option<String>,
    seen: Vec<String>,
}

impl Given {
    fn of(arguments: &mut Arguments) -> Result<Self, Failure> {
        let mut list = |name: &str| {
            let text = arguments.flag(name).unwrap_or_default();
            let items = text.split(',').map(str::trim);
            items
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (phones, users, seen) = (list("phones"), list("users"), list("seen"));
        for name in &seen {
            if !Box::ALL.iter().any(|known| known.name() == name) {
                return Err(Failure::usage(format!("--seen: there is no box {name:?}")));
            }
        }
        let site = arguments.flag("site");
        let log = arguments.flag("log").map(|path| super::blocks::read(&path));
        Ok(Self {
            site: Site::new(site)?,
            phones,
            users,
            log: log.transpose()?,
            database: arguments.flag("database"),
            prometheus: arguments.flag("prometheus"),
            seen,
        })
    }
}

/// Answers every box, and ends with 1 until all of them hold: a checklist is not done while a box
/// waits for somebody to look.
pub(crate) async fn run(desk: &Desk, mut arguments: Arguments) -> Result<(), Failure> {
    let given = Given::of(&mut arguments)?;
    arguments.end()?;
    let before = Numbers::of(desk).await?;
    let board = desk.get("/admin/otp/dashboard").await?;
    let tried = functional::Tried::with(&given).await;
    let evidence = Evidence {
        before,
        tried,
        after: Numbers::settled(desk, given.phones.len(), given.users.len()).await?,
        boards: (board, desk.get("/admin/otp/dashboard").await?),
        records: Records::of(desk).await?,
    };
    let mut sheet = Sheet::default();
    functional::fill(&mut sheet, &evidence, &given).await;
    security::fill(&mut sheet, desk, &evidence, &given).await;
    performance::fill(&mut sheet, &evidence);
    monitoring::fill(&mut sheet, &evidence, &given).await;
    sheet.confirm(&given.seen);
    show(desk, &sheet);
    match sheet.open() {
        None => Ok(()),
        Some(open) => Err(Failure::No(open)),
    }
}

fn show(desk: &Desk, sheet: &Sheet) {
    let lines = Box::ALL.map(|name| (name, sheet.answer(name)));
    if desk.speaks_json() {
        let boxes = lines.map(|(name, answer)| {
            json!({
                "part": name.part(),
                "box": name.name(),
                "answer": answer.word(),
                "why": answer.why(),
            })
        });
        let all = json!({ "holds": sheet.open().is_none(), "boxes": boxes.to_vec() });
        println!("{all}");
        return;
    }
    let mut table = Table::new(&["part", "box", "answer", "why"]);
    for (name, answer) in lines {
        let why = crate::show::text(Some(&Value::from(answer.why())));
        table.add(vec![
            name.part().to_owned(),
            name.name().to_owned(),
            answer.word().to_owned(),
            why,
        ]);
    }
    table.print();
}

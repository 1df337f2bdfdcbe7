//! How it goes.

use serde_json::Value;

use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::show::{self, Table};

/// What an instance says of itself, and a store does not know.
const OF_AN_INSTANCE: [&str; 5] = [
    "findings",
    "routes",
    "overrides",
    "toll_fraud",
    "fleet_alarm",
];

/// Says it in full, and ends with 1 where something is out of order.
pub(crate) async fn run(desk: &Desk, arguments: &Arguments) -> Result<(), Failure> {
    arguments.end()?;
    let mut board = desk.get("/admin/otp/dashboard").await?;
    if let (Some(_), Some(members)) = (desk.store(), board.as_object_mut()) {
        members.retain(|name, _| !OF_AN_INSTANCE.contains(&name.as_str()));
    }
    if desk.speaks_json() {
        println!("{board}");
    } else {
        print(&board);
    }
    let troubles = troubles(&board);
    match troubles.is_empty() {
        true => Ok(()),
        false => Err(Failure::No(troubles.join("; "))),
    }
}

fn print(board: &Value) {
    Table::of(&["engine", "condition"], board.get("engines")).print();
    if board.get("routes").is_some() {
        print_routes(board);
    }
    println!("\nthe last hour");
    let gauges = ["name", "percent", "level", "marks", "of"];
    Table::of(&gauges, board.get("gauges")).print();
    println!();
    for part in ["counters", "refusals"] {
        if let Some(members) = board.get(part).filter(|members| *members != &Value::Null) {
            show::members(members);
            println!();
        }
    }
    let Some(overrides) = board.get("overrides") else {
        println!("channels and overrides: ask a running server");
        return;
    };
    println!("overrides");
    Table::of(&["id", "what", "by", "why", "expires_at"], Some(overrides)).print();
    println!("\nneeds a look");
    Table::of(&["level", "text"], board.get("findings")).print();
}

fn print_routes(board: &Value) {
    println!();
    let mut routes = Table::new(&[
        "channel",
        "health",
        "provider",
        "breaker",
        "accepted",
        "failed",
        "unknown",
        "vendor_says",
    ]);
    for route in list(board, "routes") {
        for provider in list(route, "providers") {
            let cells = ["breaker", "accepted", "failed", "unknown", "vendor_says"];
            let mut row = vec![
                show::text(route.get("channel")),
                show::text(route.get("health")),
                show::text(provider.get("provider")),
            ];
            row.extend(cells.map(|name| show::text(provider.get(name))));
            routes.add(row);
        }
    }
    routes.print();
}

/// Names what an operator would look at first: what is not up, and what is past its alarm. What is
/// past the first mark alone is shown, and is no trouble yet.
fn troubles(board: &Value) -> Vec<String> {
    let engines = list(board, "engines").filter_map(|engine| {
        let condition = show::text(engine.get("condition"));
        (condition != "connected")
            .then(|| format!("{} is {condition}", show::text(engine.get("engine"))))
    });
    let routes = list(board, "routes").filter_map(|route| {
        let health = show::text(route.get("health"));
        (health != "Up").then(|| format!("{} is {health}", show::text(route.get("channel"))))
    });
    let is_alarm = |one: &&Value| show::text(one.get("level")) == "alarm";
    let rates = list(board, "gauges").filter(is_alarm).map(|gauge| {
        let [name, percent, marks] =
            ["name", "percent", "marks"].map(|member| show::text(gauge.get(member)));
        format!("{name} at {percent} % ({marks})")
    });
    engines.chain(routes).chain(rates).collect()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

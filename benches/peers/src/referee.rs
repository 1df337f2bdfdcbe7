//! Lets the sides take turns.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::contest::{Contest, Side, contests};
use crate::side::Outcome;
use crate::table::{self, Played, Times};

/// How often each side has its turn.
const ROUNDS: usize = 9;

/// Plays the contests of these rooms, or all.
pub(crate) fn run(rooms: &[String]) -> Outcome {
    let asked =
        |contest: &Contest| rooms.is_empty() || rooms.iter().any(|room| room == contest.room);
    for contest in contests().iter().filter(|contest| asked(contest)) {
        let played = play(contest)?;
        print!("{}", table::rows(contest, &played));
    }
    Ok(())
}

fn play(contest: &Contest) -> Outcome<Vec<Played<'_>>> {
    let mut players = Vec::new();
    // One after the other, so that nobody warms up while another is measured.
    for side in contest.sides() {
        match Player::start(side) {
            Ok(player) => players.push((side, player, Vec::new())),
            Err(error) => eprintln!("{}: left out, {error}", side.name),
        }
    }
    for _ in 0..ROUNDS {
        for (_, player, times) in &mut players {
            times.push(player.turn()?);
        }
    }
    let played = players.into_iter().map(|(side, _, times)| Played {
        side,
        times: Times::of(times),
    });
    Ok(played.collect())
}

/// The process of a side.
struct Player {
    process: Child,
    told: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
}

impl Player {
    fn start(side: &Side) -> Outcome<Self> {
        let (program, rest) = side.command.split_first().ok_or("no command")?;
        let folder = std::env::var("PEERS_FOLDER").map_err(|_| "run.sh prepares it")?;
        let folder = Path::new(&folder);
        let program = match *program {
            "peers" => std::env::current_exe()?,
            "apart" => std::env::current_exe()?.with_file_name("otp-kit-peers-apart"),
            "python" => folder.join("venv/bin/python"),
            other => other.into(),
        };
        let mut process = Command::new(program)
            .args(rest)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (told, says) = (process.stdin.take(), process.stdout.take());
        let mut player = Self {
            process,
            told: told.ok_or("no input")?,
            says: BufReader::new(says.ok_or("no output")?).lines(),
        };
        // It has warmed up.
        player.hear()?;
        Ok(player)
    }

    /// Gives the nanoseconds of one time.
    fn turn(&mut self) -> Outcome<f64> {
        self.told.write_all(b"go\n")?;
        self.told.flush()?;
        let said = self.hear()?;
        let number = |name| said.get(name).and_then(Value::as_f64);
        let (count, nanos) = number("count")
            .zip(number("nanos"))
            .ok_or("not an answer")?;
        Ok(nanos / count)
    }

    fn hear(&mut self) -> Outcome<Value> {
        let line = self.says.next().ok_or("it has ended")??;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // It would end by itself at the end of its input; nobody waits for that.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

//! One file a group of commands.

mod audit;
mod blocks;
mod check;
mod deliveries;
pub(crate) mod help;
mod keys;
mod limits;
mod people;
mod policy;
mod revoke;
mod simulate;
mod status;

use crate::arguments::Arguments;
use crate::desk::Desk;
use crate::failure::Failure;

pub(crate) const HELP: &str = "\
otpctl COMMAND [--server URL] [--token-file FILE] [--reason TEXT] [--json]
               [--dry-run], of what changes something: say what it would do, and do nothing

  status                            how it goes: engines, channels, rates, overrides
  revoke WHOM | --all               end live codes; also --channel, --key, --from, --until
  block TYPE VALUE [--for 2h]       keep a phone, ip, email, device or prefix out
  block list | export | import FILE
  unblock TYPE VALUE
  unlock WHOM                       open a locked account
  limits show WHOM                  why somebody is refused
  limits clear WHOM                 forget what was counted
  policy show | set FILE            the policy of the fleet; [--over VERSION]
  policy override WHAT --for 2h     what holds for a while; policy override end ID
  policy template CHANNEL STATE     what you know of a template whose vendor says nothing
  deliveries                        what nobody got; [--from] [--until] [--limit]
  resend                            send it again, each person once
  provision WHOM                    a pass for somebody whom no code reaches
  notify --users FILE --template FILE
                                    tell a list of users something by mail
  users reset-password ID           have a user choose another password
  users logout ID                   end all sessions of a user
  audit export [--out FILE]         the audit log with its chain; [--after SEQUENCE]
  audit verify FILE                 whether an export is as it was, with no server; [--keys-file]
  keys report                       what hangs on each key, and which may go
  keys rotate                       a new key for what is made from now on
  keys publish | promote ID         the same in two steps, for a fleet
  check                             the recovery checklist, box by box; tries with [--site URL]
                                    [--phones A,B,C] [--users A,B,C], reads [--log FILE]
                                    [--database URL] [--prometheus URL]; [--seen BOX,BOX] for
                                    what you looked at yourself; ends with 1 until every box
                                    holds, those that wait for a look included
  simulate WHAT                     guessing or signatures, on [--site URL] [--times N]: what an
                                    attacker does, to see the alerts speak; nothing is sent
  simulate --rules                  incidents on paper, for promtool test rules

WHOM is one of --user ID, --phone NUMBER, --email ADDRESS, --ip ADDRESS.
The server is OTPCTL_SERVER (http://127.0.0.1:9090), the token OTPCTL_TOKEN or ADMIN_TOKEN.
Where no server runs, URL may be its store: sqlite:PATH, postgres://, mysql:// or redis://, with
OTP_KEYS, OTP_CONFIG, REDIS_URL and DATABASE_URL as the server has them (REDIS_URL= where it has no
Redis), by OTPCTL_OPERATOR, else USER or LOGNAME; commands that need providers, users or one instance
say so and end with 2.
Ends with 0 done, 1 the answer is no, 2 no such command, 3 refused, 4 cannot be asked.";

/// What a store alone does not answer, and what for.
const SERVED: [(&str, &str); 6] = [
    ("check", "its metrics"),
    ("keys", "its key file and its sessions"),
    ("notify", "its users and its providers"),
    ("provision", "its users"),
    ("resend", "its providers"),
    ("users", "its users"),
];

/// Does what was typed.
pub(crate) async fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let command = arguments.word();
    if arguments.switch("help") || command.as_deref() == Some("help") {
        let about = match command.as_deref() {
            Some("help") => arguments.word(),
            other => other.map(str::to_owned),
        };
        println!("{}", help::of(about.as_deref()));
        return Ok(());
    }
    let command = command.ok_or_else(|| Failure::usage("which command?"))?;
    let desk = Desk::of(&mut arguments)?;
    if let Some((name, what)) = SERVED.iter().find(|(name, _)| *name == command) {
        desk.served(name, what)?;
    }
    match command.as_str() {
        "status" => status::run(&desk, &arguments).await,
        "revoke" => revoke::run(&desk, arguments).await,
        "block" => blocks::block(&desk, arguments).await,
        "unblock" => blocks::unblock(&desk, arguments).await,
        "unlock" => limits::unlock(&desk, arguments).await,
        "limits" => limits::run(&desk, arguments).await,
        "policy" => policy::run(&desk, arguments).await,
        "deliveries" => deliveries::list(&desk, arguments).await,
        "resend" => deliveries::resend(&desk, arguments).await,
        "provision" => people::provision(&desk, arguments).await,
        "notify" => people::notify(&desk, arguments).await,
        "users" => people::users_command(&desk, arguments).await,
        "audit" => audit::run(&desk, arguments).await,
        "keys" => keys::run(&desk, arguments).await,
        "check" => check::run(&desk, arguments).await,
        "simulate" => simulate::run(&desk, arguments).await,
        _ => Err(Failure::usage(format!("there is no command {command:?}"))),
    }
}

//! What is compared with what.

/// The same work, by ours and by others.
pub(crate) struct Contest {
    /// What it belongs to; `compare` takes this name.
    pub(crate) room: &'static str,
    pub(crate) work: &'static str,
    pub(crate) ours: Side,
    pub(crate) peers: Vec<Side>,
}

impl Contest {
    /// Ours first.
    pub(crate) fn sides(&self) -> impl Iterator<Item = &Side> {
        std::iter::once(&self.ours).chain(&self.peers)
    }
}

/// One of them.
pub(crate) struct Side {
    pub(crate) name: &'static str,
    /// The program and what it is asked for.
    pub(crate) command: Vec<&'static str>,
    /// How its work differs, or why it wins.
    pub(crate) why: &'static str,
}

fn side(name: &'static str, command: &'static str, why: &'static str) -> Side {
    let command = command.split(' ').collect();
    Side { name, command, why }
}

/// All of them, in the order of the table.
pub(crate) fn contests() -> Vec<Contest> {
    let rooms = [hashing(), limits(), redis(), totp(), phones(), sign_in()];
    rooms.into_iter().flatten().collect()
}

fn contest(room: &'static str, work: &'static str, ours: Side, peers: Vec<Side>) -> Contest {
    Contest {
        room,
        work,
        ours,
        peers,
    }
}

fn hashing() -> Vec<Contest> {
    vec![
        contest(
            "hashing",
            "Argon2id of a code: 19 MiB, 2 passes, 1 lane",
            side("otp-kit", "peers side hashing/ours-argon2id", ""),
            vec![
                side(
                    "`argon2` crate, memory asked for each time",
                    "peers side hashing/argon2-fresh",
                    "ours goes through a bounded pool and back",
                ),
                side(
                    "`argon2` crate, memory kept",
                    "peers side hashing/argon2-reused",
                    "ours binds the code by HMAC first and hands it to a bounded pool and back",
                ),
                side(
                    "C `libargon2`, by argon2-cffi",
                    "python python/hashing.py",
                    "",
                ),
            ],
        ),
        contest(
            "hashing",
            "bcrypt of a code, cost 10",
            side("otp-kit", "peers side hashing/ours-bcrypt", ""),
            vec![side(
                "`bcrypt` crate",
                "peers side hashing/bcrypt",
                "the same code beneath; ours binds the code by HMAC first and goes through the pool",
            )],
        ),
    ]
}

fn limits() -> Vec<Contest> {
    vec![
        contest(
            "limits",
            "A rate for each of 100,000 keys, in this process",
            side(
                "otp-kit `LocalQuotas`, rate",
                "peers side limits/ours-rate",
                "",
            ),
            vec![
                side(
                    "`governor`, keyed by text",
                    "peers side limits/governor",
                    "ours bounds its memory, so that it looks a fingerprint up under a lock, tells how \
                     much is left and when to come back, and counts by a key of thirty bytes more, with \
                     operation, scope and tenant (of one text on both sides: `cargo bench --bench limits`)",
                ),
                side(
                    "rate-limiter-flexible, memory (fixed window)",
                    "node node/rate.mjs memory",
                    "",
                ),
                side(
                    "Python `limits`, memory (fixed window)",
                    "python python/rate.py fixed memory",
                    "",
                ),
            ],
        ),
        contest(
            "limits",
            "An exact window for each of 100,000 keys, in this process",
            side(
                "otp-kit `LocalQuotas`, window",
                "peers side limits/ours-window",
                "",
            ),
            vec![side(
                "Python `limits`, memory (moving window)",
                "python python/rate.py moving memory",
                "",
            )],
        ),
        contest(
            "limits",
            "A rate by address around a service, 100,000 addresses",
            side(
                "otp-kit `QuotaLayer`, memory store",
                "peers side limits/ours-layer",
                "",
            ),
            vec![side(
                "`tower_governor`",
                "peers side limits/tower-governor",
                "ours asks the store that instances share, through a trait object, reads who the \
                 client is behind proxies, and bounds its memory; the peer looks into a map that only \
                 grows",
            )],
        ),
    ]
}

fn redis() -> Vec<Contest> {
    vec![
        contest(
            "redis",
            "A rate in Redis, one caller",
            side("otp-kit `RedisStore`", "peers side redis-limits/ours-1", ""),
            vec![
                side(
                    "GCRA script by hand, same client",
                    "peers side redis-limits/gcra-1",
                    "the script does one kind of limit on one key; ours any kind on any number of \
                     keys, all or none",
                ),
                side(
                    "rate-limiter-flexible on ioredis (fixed window)",
                    "node node/rate.mjs redis 1",
                    "a fixed window is one counter: less for the server to do, and twice the limit \
                     gets through at its edge",
                ),
                side(
                    "Python `limits` (fixed window)",
                    "python python/rate.py fixed redis",
                    "a fixed window is one counter: less for the server to do",
                ),
            ],
        ),
        contest(
            "redis",
            "A rate in Redis, 16 callers at once",
            side(
                "otp-kit `RedisStore`",
                "peers side redis-limits/ours-16",
                "",
            ),
            vec![
                side(
                    "GCRA script by hand, same client",
                    "peers side redis-limits/gcra-16",
                    "the script does one kind of limit on one key; ours any kind on any number of \
                     keys, all or none",
                ),
                side(
                    "rate-limiter-flexible on ioredis (fixed window)",
                    "node node/rate.mjs redis 16",
                    "a fixed window is one counter: less for the server to do",
                ),
            ],
        ),
    ]
}

fn totp() -> Vec<Contest> {
    vec![
        contest(
            "totp",
            "A right code of an authenticator, one step of tolerance",
            side("otp-kit", "peers side totp/ours-right", ""),
            vec![
                side("`totp-rs`", "peers side totp/totp-rs-right", ""),
                side("`pyotp`", "python python/totp.py right", ""),
                side("`otplib`", "node node/totp.mjs right", ""),
            ],
        ),
        contest(
            "totp",
            "A wrong code of an authenticator, one step of tolerance",
            side("otp-kit", "peers side totp/ours-wrong", ""),
            vec![
                side("`totp-rs`", "peers side totp/totp-rs-wrong", ""),
                side("`pyotp`", "python python/totp.py wrong", ""),
                side("`otplib`", "node node/totp.mjs wrong", ""),
            ],
        ),
    ]
}

fn phones() -> Vec<Contest> {
    let lite = "the same code beneath; ours checks length and signs first, and finds the region and the \
                kind of line";
    let whole = "it compiles the patterns of each region and keeps them: faster, for up to hundreds of \
                 megabytes, and slow at the first number of a region";
    vec![
        contest(
            "phones",
            "A phone number parsed and checked, eight regions",
            side("otp-kit", "peers side phones/ours/eight", ""),
            vec![
                side(
                    "`phonenumber`",
                    "peers side phones/phonenumber/eight",
                    "it keeps a few compiled patterns, and is fast as long as those of all numbers have \
                     room; see the next lines",
                ),
                side(
                    "`rlibphonenumber`, `lite` as in otp-kit",
                    "peers side phones/rlibphonenumber-lite/eight",
                    lite,
                ),
                side("`rlibphonenumber` as it comes", "apart phones/eight", whole),
            ],
        ),
        contest(
            "phones",
            "A phone number parsed and checked, every region in turn",
            side("otp-kit", "peers side phones/ours/everywhere", ""),
            vec![
                side(
                    "`phonenumber`",
                    "peers side phones/phonenumber/everywhere",
                    "",
                ),
                side(
                    "`rlibphonenumber`, `lite` as in otp-kit",
                    "peers side phones/rlibphonenumber-lite/everywhere",
                    lite,
                ),
                side(
                    "`rlibphonenumber` as it comes",
                    "apart phones/everywhere",
                    whole,
                ),
            ],
        ),
    ]
}

fn sign_in() -> Vec<Contest> {
    vec![
        contest(
            "sign-in",
            "A whole sign-in by calls, in memory",
            side("otp-kit", "peers side sign-in/ours-memory", ""),
            vec![side(
                "better-auth, e-mail code",
                "node node/sign-in.mjs call memory",
                "",
            )],
        ),
        contest(
            "sign-in",
            "A whole sign-in by calls, SQLite (WAL, `synchronous=FULL`)",
            side("otp-kit", "peers side sign-in/ours-sqlite", ""),
            vec![
                side(
                    "better-auth, e-mail code",
                    "node node/sign-in.mjs call sqlite",
                    "it commits less often: no limits, no guesses that survive, no record of what \
                     happened",
                ),
                side(
                    "`torii`, token of a link",
                    "apart sign-in",
                    "it commits less often: no limits, no guesses, no record of what happened",
                ),
            ],
        ),
        contest(
            "sign-in",
            "A whole sign-in by two requests, SQLite (WAL, `synchronous=FULL`)",
            side("otp-kit, axum routes", "peers side http/ours-sqlite", ""),
            vec![
                side(
                    "better-auth, e-mail code",
                    "node node/sign-in.mjs http sqlite",
                    "it commits less often: no limits, no guesses that survive, no record of what \
                     happened",
                ),
                side(
                    "django-allauth, login by code",
                    "python python/sign_in.py",
                    "",
                ),
            ],
        ),
    ]
}

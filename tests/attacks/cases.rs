//! The table of cases in `SECURITY.md`: every case has a test, and every test that it names is one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The letters of the cases, with the last number of each.
const CASES: [(char, u32); 13] = [
    ('A', 9),
    ('B', 8),
    ('C', 8),
    ('D', 11),
    ('E', 14),
    ('L', 7),
    ('G', 10),
    ('H', 8),
    ('I', 10),
    ('J', 9),
    ('K', 6),
    ('R', 47),
    ('F', 29),
];

/// Where tests are.
const FOLDERS: [&str; 5] = [
    "tests",
    "otp-core",
    "otp-store",
    "otp-providers",
    "otp-axum",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(fs::read_to_string(&path).unwrap());
        }
    }
}

/// The name that a line begins a function of, or a case of a macro that makes one an engine.
fn begun(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let function = line.split_once("fn ").filter(|(before, _)| {
        let mut words = before.split_whitespace();
        words.all(|word| matches!(word, "pub" | "async"))
    });
    let of_macro =
        |(_, after): &(&str, &str)| after.starts_with("corner)") || after.starts_with("server)");
    let name = match function {
        Some((_, name)) => name.split(['(', '<']).next()?,
        None => line.split_once('(').filter(of_macro)?.0,
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

/// The functions behind a `#[test]` of some kind, in a macro that expands to tests, or in a suite
/// that every store, session or provider runs (what those share is public and async).
fn tests() -> BTreeSet<String> {
    let mut texts = Vec::new();
    for folder in FOLDERS {
        sources(&root().join(folder), &mut texts);
    }
    let mut names = BTreeSet::new();
    for text in texts {
        let mut marked = false;
        for line in text.lines() {
            let line = line.trim();
            let is_attribute = line.starts_with("#[");
            marked |= is_attribute && (line.starts_with("#[test]") || line.contains("::test"));
            let Some(name) = begun(line) else {
                if !is_attribute && !line.starts_with("//") && !line.is_empty() {
                    // Within a property test the function is the next line of code.
                    marked &= line.starts_with("fn") || line.starts_with("async");
                }
                continue;
            };
            let of_a_suite = line.starts_with("pub async fn") || !line.contains("fn ");
            if marked || of_a_suite {
                names.insert(name.to_owned());
            }
            marked = false;
        }
    }
    names
}

/// The rows of the table: the case, what happens and the tests.
fn rows() -> Vec<(String, String, Vec<String>)> {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let (_, table) = text.split_once("\n## Case by case\n").unwrap();
    let mut rows = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let case = cells.next().unwrap();
        if case == "case" {
            continue;
        }
        let happens = cells.next().unwrap().to_owned();
        let names = cells.next().unwrap().split(", ");
        let names = names
            .map(|name| name.trim_matches('`').to_owned())
            .collect();
        rows.push((case.to_owned(), happens, names));
    }
    rows
}

#[test]
fn every_case_has_its_row_and_none_is_there_twice() {
    let expected = CASES.into_iter();
    let expected = expected.flat_map(|(letter, last)| (1..=last).map(move |n| (letter, n)));
    let expected: Vec<_> = expected
        .map(|(letter, n)| format!("{letter}{n:02}"))
        .collect();
    let found: Vec<_> = rows().into_iter().map(|(case, ..)| case).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_row_says_what_happens_and_names_tests_that_there_are() {
    let tests = tests();
    assert!(tests.len() > 1_500, "{} were found", tests.len());
    let mut missing = Vec::new();
    for (case, happens, names) in rows() {
        assert!(happens.len() > 10 && !names.is_empty(), "{case}");
        let unknown = names.into_iter().filter(|name| !tests.contains(name));
        missing.extend(unknown.map(|name| format!("{case}: {name}")));
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn a_function_that_is_no_test_is_not_taken_for_one() {
    let tests = tests();
    for helper in ["rows", "sources", "begun", "no_test_has_this_name"] {
        assert!(!tests.contains(helper), "{helper}");
    }
    for test in [
        "a_function_that_is_no_test_is_not_taken_for_one",
        "a_guess_is_counted_once_wherever_its_reply_is_cut",
        "one_of_a_thousand_right_codes_wins",
    ] {
        assert!(tests.contains(test), "{test}");
    }
}

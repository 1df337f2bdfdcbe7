//! Hears what SQLite runs in this process: each statement with the values that were bound to it.
//! For benches that run the same again by hand; nothing that is shipped links it.

mod values;

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use libsqlite3_sys as ffi;

pub use values::Value;

/// A statement that was run.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// As it was prepared, with `?` where values go.
    pub sql: Arc<str>,
    /// What was bound, in the order of the places.
    pub values: Vec<Value>,
}

/// A statement whose values are of a kind that is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread(pub String);

static HEARD: Mutex<Vec<Result<Statement, Unread>>> = Mutex::new(Vec::new());

/// Hears connections that are opened from now on, whoever opens them.
pub fn listen() {
    // SAFETY: the function has the type that SQLite calls, and lives as long as the process.
    unsafe { ffi::sqlite3_auto_extension(Some(opened)) };
}

/// Hears no connection that is opened from now on.
pub fn stop() {
    // SAFETY: as above; taking away what is not there is allowed.
    unsafe { ffi::sqlite3_cancel_auto_extension(Some(opened)) };
}

/// Takes what was heard since the last time, in its order.
///
/// # Errors
/// The first statement that cannot be read.
pub fn take() -> Result<Vec<Statement>, Unread> {
    let heard = std::mem::take(&mut *HEARD.lock().unwrap_or_else(PoisonError::into_inner));
    heard.into_iter().collect()
}

unsafe extern "C" fn opened(
    db: *mut ffi::sqlite3,
    _: *mut *mut c_char,
    _: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: SQLite hands over the connection that it has just opened, before anybody else has it.
    unsafe { ffi::sqlite3_trace_v2(db, ffi::SQLITE_TRACE_STMT, Some(ran), ptr::null_mut()) }
}

/// Called by SQLite when a statement begins to run (<https://sqlite.org/c3ref/c_trace.html>).
unsafe extern "C" fn ran(
    _: c_uint,
    _: *mut c_void,
    statement: *mut c_void,
    text: *mut c_void,
) -> c_int {
    // SAFETY: for this event SQLite hands over the statement and its text, both alive until the
    // call is over; what is expanded belongs to whoever asked, who frees it.
    let (sql, said, expanded) = unsafe {
        let statement = statement.cast::<ffi::sqlite3_stmt>();
        let expanded = ffi::sqlite3_expanded_sql(statement);
        let heard = (
            text_of(ffi::sqlite3_sql(statement)),
            text_of(text.cast::<c_char>()),
            text_of(expanded),
        );
        ffi::sqlite3_free(expanded.cast());
        heard
    };
    // A trigger is announced as a comment; it runs again by itself.
    if !said.starts_with("--") {
        let statement = match values::between(&sql, &expanded) {
            Some(values) => Ok(Statement {
                sql: sql.into(),
                values,
            }),
            None => Err(Unread(sql)),
        };
        let mut heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push(statement);
    }
    0
}

/// # Safety
/// The text ends in a zero and is alive, or there is none.
unsafe fn text_of(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as promised by the caller.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().into_owned()
}

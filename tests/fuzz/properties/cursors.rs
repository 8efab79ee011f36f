//! Where a reader goes on: in the changes, and in the lists.

use incident_server::{
    fuzzing,
    store::{Horizon, Position, Series},
};

use super::input::Input;

/// A cursor is what the server writes and nothing else; it leads nowhere but into the history of this database. A list is
/// asked for within its limits, or not at all.
///
/// # Panics
/// It does not hold.
pub fn cursors(data: &[u8]) {
    let mut input = Input(data);
    let (kind, complete_to, beyond) = (input.byte(), input.byte(), input.byte());
    let Ok(text) = str::from_utf8(input.0) else { return };
    if kind % 2 == 0 {
        let complete_to = i64::from(complete_to);
        let newest = Position(complete_to + i64::from(beyond));
        changes(text, &Horizon { series: Series(0xab), complete_to: Position(complete_to), newest });
    } else {
        list(text);
    }
}

fn changes(text: &str, horizon: &Horizon) {
    let (written, position) = fuzzing::changes(text, horizon);
    if let Some(position) = position {
        assert!((0..=horizon.newest.0).contains(&position), "{text:?} leads to {position}");
        let is_beginning = !text.is_empty() && text.bytes().all(|digit| digit == b'0');
        assert!(is_beginning || text == format!("ab-{position}"), "{text:?} is of another database");
    }
    if let Some(written) = written {
        assert_eq!(written, text);
    }
}

fn list(query: &str) {
    match fuzzing::list(query) {
        Ok((asked, cursor)) => {
            assert!((1..=200).contains(&asked.limit));
            assert_eq!(asked.after.is_some(), cursor.is_some());
            let once =
                cursor.is_none_or(|cursor| query.contains('%') || query.contains(&format!("={cursor}")));
            assert!(once, "{query:?}: a cursor with another spelling");
        }
        Err(problem) => {
            let status = "\"status\":422,";
            assert!(problem.contains(status) && problem.contains("\"pointer\":\"/"), "{problem}");
            // No sentence of ours has so long a number, but for the one that is an example.
            let numbers = query.split(|sign: char| !sign.is_ascii_digit()).filter(|number| number.len() > 4);
            numbers.for_each(|number| assert!(!problem.contains(number), "{query:?} is quoted: {problem}"));
        }
    }
}

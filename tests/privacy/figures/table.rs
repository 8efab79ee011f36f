//! The figures as the table of docs/privacy.md.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{Failure, phone::Habits};

const BEGIN: &str = "<!-- privacy figures -->\n";
const END: &str = "<!-- end of privacy figures -->";

/// What is tried, and how the names of its strategies begin.
const ROWS: [(&str, &str); 8] = [
    ("recompute the keys with both secrets and the list of users", "recompute keys"),
    ("read the incident as everybody", "read as everybody"),
    ("send it again as everybody", "repeat as everybody"),
    ("the named report nearest in arrival: before, after, by time", "arrival"),
    ("all clues of time together", "combination of times"),
    ("whoever reports from that place most", "content: whoever"),
    ("the named report nearest on earth or in creation", "content: nearest"),
    ("all clues together", "combination of all"),
];

/// Replaces what stands between the marks of the page.
pub(super) fn put(page: &Path, results: &Value) -> Result<(), Failure> {
    let text = fs::read_to_string(page)?;
    let (head, rest) = text.split_once(BEGIN).ok_or("the page has no place for figures")?;
    let (_, tail) = rest.split_once(END).ok_or("the page's place for figures has no end")?;
    fs::write(page, format!("{head}{BEGIN}\n{}\n{END}{tail}", table(results)))?;
    Ok(())
}

fn table(results: &Value) -> String {
    let days = &results["days"];
    let old = &results["version01"]["days"];
    let [delivered, unspaced, derived] =
        [Habits::delivered(), Habits::without_spacing(), Habits::without_keys()].map(|habits| habits.name);
    let head = format!(
        "Measured {} at commit `{}`; version 0.1 at `{}`. Right guesses in percent, on the database where they were \
         more; of all anonymous incidents, in the rows with «everybody» of 100 and 25. Chance is {}.\n\n| what is tried | as delivered | spacing off | no sealed keys either | version 0.1 |\n| --- | ---: | ---: | ---: | ---: |\n",
        results["measuredAt"].as_str().unwrap_or_default(),
        results["commit"].as_str().unwrap_or_default(),
        results["version01"]["commit"].as_str().unwrap_or_default(),
        days[0]["found"]["chancePercent"],
    );
    let row = |(what, strategy): (&str, &str)| {
        let columns = [(days, delivered), (days, unspaced), (days, derived), (old, derived)];
        let cells = columns.map(|(days, phones)| best(days, phones, strategy));
        format!("| {what} | {} |", cells.join(" | "))
    };
    head + &ROWS.map(row).join("\n") + "\n"
}

/// The best of a strategy's scores on all days of such phones.
fn best(days: &Value, phones: &str, strategy: &str) -> String {
    let days = days.as_array().into_iter().flatten().filter(|day| day["phones"] == phones);
    let scores = days.flat_map(|day| day["found"]["strategies"].as_array().into_iter().flatten());
    let is_it = |score: &&Value| score["strategy"].as_str().is_some_and(|name| name.starts_with(strategy));
    let best = scores.filter(is_it).filter_map(|score| score["percent"].as_f64()).reduce(f64::max);
    best.map_or_else(|| "–".to_owned(), |percent| format!("{percent:.1}"))
}

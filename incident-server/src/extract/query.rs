//! The query of an address, parameter by parameter: every fault at once.

use std::borrow::Cow;

use incident_core::{Code, Timestamp};
use percent_encoding::percent_decode_str;

use crate::problem::ProblemDetails;

/// What was percent-encoded; text only once somebody asks for it.
type Octets<'a> = Cow<'a, [u8]>;

/// The name and value of a parameter as the bytes they stand for (URL Standard, section 5.1).
fn pair(text: &str) -> (Octets<'_>, Octets<'_>) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decoded(name), decoded(value))
}

fn decoded(text: &str) -> Octets<'_> {
    if !text.contains('+') {
        return percent_decode_str(text).into();
    }
    percent_decode_str(&text.replace('+', " ")).collect::<Vec<u8>>().into()
}

/// The pairs of a query string and the faults found so far.
pub(crate) struct Query<'a> {
    pairs: Vec<(Octets<'a>, Octets<'a>)>,
    faults: Vec<(&'static str, Code, String)>,
}

impl<'a> Query<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        Self { pairs: text.split('&').map(pair).collect(), faults: Vec::new() }
    }

    /// The value of a parameter, if it is there once and can be read.
    pub(crate) fn get<T>(
        &mut self,
        name: &'static str,
        code: Code,
        rule: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let read = read(&self.value(name)?);
        if read.is_none() {
            self.refuse(name, code, rule);
        }
        read
    }

    /// A text of 1 to so many characters; every rule that it breaks is named.
    pub(crate) fn text<T>(
        &mut self,
        name: &'static str,
        most: usize,
        parse: impl FnOnce(&str) -> Result<T, Vec<Code>>,
    ) -> Option<T> {
        let parsed = parse(&self.value(name)?);
        for &code in parsed.as_ref().err().into_iter().flatten() {
            let rule = format!("must have 1 to {most} characters, none of them a control character");
            self.refuse(name, code, &rule);
        }
        parsed.ok()
    }

    pub(crate) fn moment(&mut self, name: &'static str) -> Option<Timestamp> {
        let value = self.value(name)?;
        let parsed = value.parse();
        if parsed.is_err() {
            // In a query a + is a space.
            let had_a_plus = value.replace(' ', "+").parse::<Timestamp>().is_ok();
            let hint = if had_a_plus { "; in a query a + is written %2B" } else { "" };
            self.refuse(name, Code::Timestamp, &format!("must be {}{hint}", Timestamp::RULE));
        }
        parsed.ok()
    }

    /// The value of a parameter, if it is there once and is text.
    fn value(&mut self, name: &'static str) -> Option<String> {
        let mut values =
            self.pairs.iter().filter(|(key, _)| **key == *name.as_bytes()).map(|(_, value)| value);
        let (value, another) = (values.next()?, values.next());
        if another.is_some() {
            self.refuse(name, Code::DuplicateField, "is given more than once");
            return None;
        }
        let text = String::from_utf8(value.to_vec()).ok();
        if text.is_none() {
            self.refuse(name, Code::Type, "must be UTF-8");
        }
        text
    }

    /// Notes a fault; the sentence begins with the name.
    pub(crate) fn refuse(&mut self, name: &'static str, code: Code, rule: &str) {
        self.faults.push((name, code, format!("{name} {rule}")));
    }

    /// How many at most: from 1 to `max`.
    pub(crate) fn limit(&mut self, default: usize, max: usize) -> usize {
        let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let whole = self.get("limit", Code::Type, "must be a whole number", |text| {
            text.parse::<i64>().ok().or(is_whole(text).then_some(i64::MAX))
        });
        let Some(limit) = whole else { return default };
        let fits = usize::try_from(limit).ok().filter(|limit| (1..=max).contains(limit));
        fits.unwrap_or_else(|| {
            self.faults.push(("limit", Code::OutOfRange, format!("limit must lie between 1 and {max}")));
            default
        })
    }

    /// Whether there is a parameter of another name.
    pub(crate) fn is_any_but(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| !key.is_empty() && **key != *name.as_bytes())
    }

    /// Whether no fault was found so far.
    pub(crate) fn is_flawless(&self) -> bool {
        self.faults.is_empty()
    }

    pub(crate) fn finish<T>(self, parameters: T) -> Result<T, ProblemDetails> {
        if self.faults.is_empty() { Ok(parameters) } else { Err(ProblemDetails::query(self.faults)) }
    }
}

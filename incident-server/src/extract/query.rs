//! The parameters of a list. Every fault at once; an unknown parameter is passed over.

use std::{borrow::Cow, str::FromStr};

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use incident_core::{Code, IncidentId, LocationId, Status, Timestamp};
use percent_encoding::percent_decode_str;
use utoipa::IntoParams;

use crate::{problem::ProblemDetails, schema::StatusWord};

pub(super) const DEFAULT_LIMIT: usize = 50;
pub(super) const MAX_LIMIT: usize = 200;

/// What a list is asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct ListParameters {
    /// Only incidents in this state.
    #[param(value_type = Option<StatusWord>, inline, required = false, nullable = false)]
    pub(crate) status: Option<Status>,
    /// Only incidents at this location.
    #[param(value_type = Option<String>, min_length = 1, max_length = 128, required = false, nullable = false)]
    pub(crate) location_id: Option<LocationId>,
    /// Only incidents created at this moment or later.
    #[param(value_type = Option<String>, format = "date-time", required = false, nullable = false)]
    pub(crate) created_after: Option<Timestamp>,
    /// Only incidents created before this moment.
    #[param(value_type = Option<String>, format = "date-time", required = false, nullable = false)]
    pub(crate) created_before: Option<Timestamp>,
    /// At most so many, 50 unless given.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, required = false, nullable = false)]
    pub(crate) limit: usize,
    /// The `nextCursor` of the page before.
    #[param(value_type = Option<String>, min_length = 1, required = false, nullable = false)]
    pub(crate) cursor: Option<ListCursor>,
}

/// Where a page begins: behind this incident. Opaque on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListCursor(pub(crate) IncidentId);

impl FromStr for ListCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(drop)?;
        <[u8; 16]>::try_from(bytes).map(|bytes| Self(IncidentId::from_bytes(bytes))).map_err(drop)
    }
}

impl std::fmt::Display for ListCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0.as_bytes()))
    }
}

impl<S: Sync> FromRequestParts<S> for ListParameters {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemDetails> {
        Self::read(parts.uri.query().unwrap_or_default())
    }
}

impl ListParameters {
    /// Reads the query of an address.
    pub(crate) fn read(query: &str) -> Result<Self, ProblemDetails> {
        let mut query = Query::read(query);
        let word = "must be Open or Cancelled";
        let location = |text: &str| LocationId::parse(text).map_err(|error| error.codes);
        let parameters = Self {
            status: query.get("status", Code::UnknownValue, word, |text| text.parse().ok()),
            location_id: query.text("locationId", LocationId::MAX_CHARS, location),
            created_after: query.moment("createdAfter"),
            created_before: query.moment("createdBefore"),
            limit: query.limit(DEFAULT_LIMIT, MAX_LIMIT),
            cursor: query.get("cursor", Code::UnknownValue, "must be a nextCursor", |text| text.parse().ok()),
        };
        query.finish(parameters)
    }
}

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

    fn moment(&mut self, name: &'static str) -> Option<Timestamp> {
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

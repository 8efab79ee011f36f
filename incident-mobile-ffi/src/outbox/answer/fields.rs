//! What is read of an answer.
//!
//! Into typed fields, never into a tree of values: one of 8 MiB once took 352 MB that way.

use std::fmt;

use incident_core::{Disposition, IdempotencyKey, Outcome, Problem as Slug, Status, Timestamp, decode};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::super::{
    entry::{Incident, Problem, Violation},
    limits::{MAX_ANSWER_BYTES, MAX_DETAIL_CHARS, MAX_DETAILS},
    moment::Moment,
};

/// What is read of an answer; nothing of it where it is not the contract's.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Answer<'a> {
    http_status: Option<i64>,
    disposition: Option<String>,
    outcome: Option<String>,
    idempotency_key: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    detail: Option<String>,
    #[serde(borrow)]
    incident: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
    #[serde(borrow)]
    fields: Option<&'a RawValue>,
    #[serde(borrow)]
    results: Option<&'a RawValue>,
}

impl<'a> Answer<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Self {
        if body.len() > MAX_ANSWER_BYTES {
            return Self::default();
        }
        // serde_json would pass over what is no UTF-8, in a field that nobody asks for.
        str::from_utf8(body).map(Self::read_text).unwrap_or_default()
    }

    fn read_text(text: &'a str) -> Self {
        // serde would take an array for the fields in their order.
        let is_object = text.trim_ascii_start().starts_with('{');
        if is_object { serde_json::from_str(text).unwrap_or_default() } else { Self::default() }
    }

    /// The answers of a batch of so many entries; none where there are fewer or more.
    pub(crate) fn results(&self, count: usize) -> Option<Vec<Self>> {
        let results = elements(self.results?, count + 1)?;
        let is_one_each = results.len() == count;
        is_one_each.then(|| results.iter().map(|result| Self::read_text(result.get())).collect())
    }

    /// What the server says to do; `None` for a word that this version does not know.
    pub(crate) fn disposition(&self) -> Option<Disposition> {
        self.disposition.as_deref()?.parse().ok()
    }

    /// Whether it says that the server has erased the incident.
    pub(crate) fn says_erased(&self) -> bool {
        self.outcome.as_deref() == Some(Outcome::Erased.as_str())
    }

    pub(crate) fn http_status(&self) -> i64 {
        self.http_status.unwrap_or(0)
    }

    /// Whether it speaks the contract's language: whoever else sits on the way does not.
    pub(crate) fn is_ours(&self) -> bool {
        self.disposition.is_some() || self.slug().is_some()
    }

    fn slug(&self) -> Option<&str> {
        self.kind.as_deref()?.strip_prefix("/problems/")
    }

    pub(crate) fn is(&self, slug: Slug) -> bool {
        self.slug() == Some(slug.as_str())
    }

    pub(crate) fn names(&self, key: Option<IdempotencyKey>) -> bool {
        let named = self.idempotency_key.as_deref().and_then(|text| text.parse().ok());
        key.is_some() && named == key
    }

    /// Whether the incident of a success has other facts than this payload. Every incident reads as a payload, too; one
    /// that does not, as a newer server may write it, contradicts nobody.
    pub(crate) fn is_of_another_report(&self, payload: &str) -> bool {
        let facts = |text: &str| decode(text.as_bytes()).ok().map(|decoded| decoded.payload.facts);
        let shown = self.incident.and_then(|incident| facts(incident.get()));
        shown.zip(facts(payload)).is_some_and(|(shown, sent)| shown != sent)
    }

    /// The incident of a success; `None` where a newer server writes it in a way that this version cannot read.
    pub(crate) fn incident(&self) -> Option<Incident> {
        let moment = |text: &str| text.parse::<Timestamp>().ok().map(|moment| Moment(moment.unix_ms()));
        let outcome: Outcome = self.outcome.as_deref()?.parse().ok()?;
        let wire: WireIncident = serde_json::from_str(self.incident?.get()).ok()?;
        Some(Incident {
            outcome,
            id: short(&wire.id),
            status: wire.status,
            received_at: moment(&wire.received_at)?,
            clock_suspect: wire.clock_suspect,
            cancelled_at: wire.cancelled_at.as_deref().and_then(moment),
            cancellation_reason: wire.cancellation_reason.as_deref().map(short),
        })
    }

    /// What an app can show of a failure; cut, since anybody on the network may have written it.
    pub(crate) fn problem(&self, status: i64) -> Problem {
        Problem {
            status,
            slug: self.slug().map(short),
            detail: self.detail.as_deref().map(short),
            errors: first::<Violation>(self.errors)
                .into_iter()
                .map(|Violation { pointer, code, detail }| Violation {
                    pointer: short(&pointer),
                    code: short(&code),
                    detail: short(&detail),
                })
                .collect(),
            fields: first::<String>(self.fields).iter().map(|field| short(field)).collect(),
        }
    }
}

/// The first elements of a list, those left out that are of another kind.
fn first<'a, T: Deserialize<'a>>(list: Option<&'a RawValue>) -> Vec<T> {
    let elements = list.and_then(|list| elements(list, MAX_DETAILS)).unwrap_or_default();
    elements.into_iter().filter_map(|element| serde_json::from_str(element.get()).ok()).collect()
}

/// The first elements of a list, at most so many: a list of half a million ones would take a hundred times its length.
fn elements(list: &RawValue, most: usize) -> Option<Vec<&RawValue>> {
    struct First(usize);

    impl<'de> Visitor<'de> for First {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut first = Vec::new();
            while first.len() < self.0
                && let Some(element) = list.next_element()?
            {
                first.push(element);
            }
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(first)
        }
    }

    serde_json::Deserializer::from_str(list.get()).deserialize_seq(First(most)).ok()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireIncident {
    id: String,
    status: Status,
    received_at: String,
    #[serde(default)]
    clock_suspect: bool,
    cancelled_at: Option<String>,
    cancellation_reason: Option<String>,
}

fn short(text: &str) -> String {
    text.chars().take(MAX_DETAIL_CHARS).collect()
}

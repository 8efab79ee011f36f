//! How the API document describes what the core defines: built from the core's own constants and words.

use incident_core::{
    CancellationReason, Code, Coordinates, Disposition, ErasedStatus, Erasure, EventKind, LocationId,
    MAX_BATCH_ITEMS, Outcome, Problem, RoomNumber, Status,
};
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        AllOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema,
        SchemaFormat,
        schema::{SchemaType, Type},
    },
};

/// Gives a name in the document to a schema that is built by a function.
macro_rules! schema {
    ($(#[$doc:meta])* $name:ident = $build:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $build.into()
            }
        }
        impl ToSchema for $name {}
    };
}

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Schema {
    let words: Vec<_> = words.into_iter().collect();
    string().enum_values(Some(words)).build().into()
}

schema!(StatusWord = words(Status::ALL.iter().map(|word| word.as_str())));
schema!(ErasedWord = words(ErasedStatus::ALL.iter().map(|word| word.as_str())));
schema!(OutcomeWord = words(Outcome::ALL.iter().map(|word| word.as_str())));
schema!(ErasureOutcomeWord = words(Erasure::OUTCOMES.iter().map(|word| word.as_str())));
schema!(DispositionWord = words(Disposition::ALL.iter().map(|word| word.as_str())));
schema!(ProblemWord = words(Problem::ALL.iter().map(|word| word.as_str())));
schema!(EventKindWord = words(EventKind::ALL.iter().map(|word| word.as_str())));
schema!(Point = point());
schema!(SyncPayload = payload());
schema!(Batch = batch());
schema!(Violation = violation());
schema!(Warning = warning());
schema!(BatchResult = batch_result());

/// An example that every schema and every test may use.
pub(crate) fn example_payload() -> Value {
    json!({
        "locationId": "ward-7",
        "roomNumber": "12B",
        "gpsCoordinates": { "type": "Point", "coordinates": [12.4924, 41.8902] },
        "isAnonymous": false,
        "createdAt": "2026-11-22T10:15:30.120Z",
    })
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn moment(description: Option<&str>) -> ObjectBuilder {
    string().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).description(description)
}

fn boolean(description: Option<&str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean).description(description)
}

fn text(max_chars: usize, description: &str) -> ObjectBuilder {
    string().min_length(Some(1)).max_length(Some(max_chars)).description(Some(description))
}

fn or_null(builder: ObjectBuilder) -> ObjectBuilder {
    builder.schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

fn axis(max: f64) -> Schema {
    ObjectBuilder::new().schema_type(Type::Number).minimum(Some(-max)).maximum(Some(max)).build().into()
}

fn point() -> Schema {
    let coordinates = ArrayBuilder::new()
        .prefix_items([axis(Coordinates::MAX_LONGITUDE), axis(Coordinates::MAX_LATITUDE)])
        .min_items(Some(2))
        .max_items(Some(2))
        .description(Some("Longitude, then latitude, in degrees; kept to 1e-7 degrees"));
    ObjectBuilder::new()
        .description(Some("A GeoJSON Point (RFC 7946, section 3.1.2)"))
        .property("type", words(["Point"]))
        .property("coordinates", coordinates)
        .required("type")
        .required("coordinates")
        .build()
        .into()
}

/// The fields of a report, in the order of the contract: with their limits as a phone sends them, and as callers see
/// them once they were accepted.
fn facts(object: ObjectBuilder, sent: bool) -> ObjectBuilder {
    let required = |max_chars, about| if sent { text(max_chars, about) } else { string() };
    let optional =
        |max_chars, about| if sent { or_null(text(max_chars, about).min_length(None)) } else { string() };
    let (anonymous, created) = if sent {
        (
            Some("An anonymous incident is stored without its reporter"),
            "ISO 8601 date-time with an offset, 1970 to 9999, cut to milliseconds. With the token's subject it names \
             the incident",
        )
    } else {
        (None, "By the phone's clock.")
    };
    object
        .property("locationId", required(LocationId::MAX_CHARS, "Where it happened"))
        .property("roomNumber", optional(RoomNumber::MAX_CHARS, "The room; blank or null means absent"))
        .property("gpsCoordinates", Ref::from_schema_name("Point"))
        .property("isAnonymous", boolean(anonymous))
        .property("createdAt", moment(Some(created)))
        .required("locationId")
        .required("gpsCoordinates")
        .required("isAnonymous")
        .required("createdAt")
}

fn payload() -> Schema {
    let reason =
        "Why the report was called off: creates the incident if need be, and cancels it. Blank is an error";
    let object = ObjectBuilder::new().description(Some(
        "A report. Texts are trimmed, then measured in Unicode scalar values; control characters are refused. \
         Unknown fields are skipped and answered with a warning",
    ));
    facts(object, true)
        .property("cancellationReason", or_null(text(CancellationReason::MAX_CHARS, reason)))
        .examples([example_payload()])
        .build()
        .into()
}

/// What callers see of an incident.
#[expect(deprecated, reason = "the schemas that are derived have `example`, too")]
pub(crate) fn incident() -> Schema {
    let id = string()
        .format(Some(SchemaFormat::Custom("uuid".to_owned())))
        .example(Some(json!("01a202c0-f648-8114-8d97-64d571c679d1")));
    let reporter =
        "Shown by reading routes to callers with `incidents:read`; never for an anonymous incident.";
    let suspect = "Whether `createdAt` was implausible when the incident was received.";
    let object = ObjectBuilder::new()
        .description(Some("An incident; absent fields are left out."))
        .property("id", id)
        .required("id")
        .property("status", StatusWord::schema())
        .required("status")
        .property("reporter", string().description(Some(reporter)));
    facts(object, false)
        .property("receivedAt", moment(Some("By the server's clock.")))
        .required("receivedAt")
        .property("clockSuspect", boolean(Some(suspect)))
        .required("clockSuspect")
        .property("cancelledAt", moment(None))
        .property("cancellationReason", string())
        .build()
        .into()
}

fn batch() -> Schema {
    let incidents =
        ArrayBuilder::new().items(Ref::from_schema_name("SyncPayload")).max_items(Some(MAX_BATCH_ITEMS));
    let key = ObjectBuilder::new().description(Some("As in the header `Idempotency-Key` of a single sync"));
    let keys = ArrayBuilder::new()
        .items(or_null(key))
        .max_items(Some(MAX_BATCH_ITEMS))
        .description(Some("The key of each payload, or null for none: as many as there are payloads"));
    ObjectBuilder::new()
        .property("incidents", incidents)
        .property("idempotencyKeys", keys)
        .required("incidents")
        .examples([json!({ "incidents": [example_payload()] })])
        .build()
        .into()
}

fn violation() -> Schema {
    ObjectBuilder::new()
        .description(Some("One broken rule. Never holds a value of the payload"))
        .property(
            "pointer",
            string().description(Some("JSON Pointer (RFC 6901); a query parameter's name behind a slash")),
        )
        .property("code", words(Code::ALL.iter().map(|word| word.as_str())))
        .property("detail", string())
        .required("pointer")
        .required("code")
        .required("detail")
        .build()
        .into()
}

fn warning() -> Schema {
    ObjectBuilder::new()
        .description(Some("An unknown field that was skipped"))
        .property("pointer", string())
        .property("code", words(["unknown-field"]))
        .required("pointer")
        .required("code")
        .build()
        .into()
}

/// What the payload would have been answered alone, and with which status.
fn batch_result() -> Schema {
    let status = ObjectBuilder::new()
        .property("httpStatus", ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(200)))
        .required("httpStatus");
    let answer =
        OneOfBuilder::new().item(Ref::from_schema_name("SyncAnswer")).item(Ref::from_schema_name("Problem"));
    AllOfBuilder::new().item(status).item(answer).build().into()
}

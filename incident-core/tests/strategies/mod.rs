//! Random payloads, valid by construction.

use incident_core::{CancellationReason, Coordinates, Facts, LocationId, RoomNumber, SyncPayload, Timestamp};
use proptest::{option, prelude::*, string::string_regex};

/// Any text that a field takes: every script, quotes, backslashes, inner white space.
fn text(max_chars: usize) -> impl Strategy<Value = String> {
    string_regex(&format!("[^\\x00-\\x1f\\x7f]{{1,{max_chars}}}"))
        .unwrap()
        .prop_filter("blank", |text| !text.trim().is_empty())
}

/// A reason may hold line feed and tab as well.
pub(crate) fn reason() -> impl Strategy<Value = CancellationReason> {
    (text(400), text(400), "[\n\t]{0,3}")
        .prop_map(|(head, tail, gap)| CancellationReason::parse(&format!("{head}{gap}{tail}")).unwrap())
}

pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    (Timestamp::MIN.unix_ms()..=Timestamp::MAX.unix_ms()).prop_map(|ms| Timestamp::from_unix_ms(ms).unwrap())
}

pub(crate) fn coordinates() -> impl Strategy<Value = Coordinates> {
    (-1_800_000_000..=1_800_000_000, -900_000_000..=900_000_000)
        .prop_map(|(longitude, latitude)| Coordinates::from_e7(longitude, latitude).unwrap())
}

pub(crate) fn facts() -> impl Strategy<Value = Facts> {
    (text(128), option::of(text(64)), coordinates(), any::<bool>(), timestamp()).prop_map(
        |(location, room, gps_coordinates, is_anonymous, created_at)| Facts {
            location_id: LocationId::parse(&location).unwrap(),
            room_number: room.map(|room| RoomNumber::parse(&room).unwrap()),
            gps_coordinates,
            is_anonymous,
            created_at,
        },
    )
}

pub(crate) fn payload() -> impl Strategy<Value = SyncPayload> {
    (facts(), option::of(reason()))
        .prop_map(|(facts, cancellation_reason)| SyncPayload { facts, cancellation_reason })
}

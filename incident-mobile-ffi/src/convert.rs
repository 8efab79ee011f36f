//! Between the words of the glass and those of the outbox.

use incident_core::{Decoded, Refusal};

use crate::{
    api::{
        CanonicalPayload, Draft, Entry, EntryState, Header, Incident, IncidentStatus, Moment, NextUpload,
        OutboxError, Outcome, Problem, Progress, Recovery, Summary, Upload, UploadResult, Violation,
        WaitReason,
    },
    outbox,
};

/// Enums that have the same variants on both sides.
macro_rules! same {
    ($($from:path => $to:ident { $($variant:ident),* })*) => {
        $(impl From<$from> for $to {
            fn from(value: $from) -> Self {
                match value { $(<$from>::$variant => Self::$variant),* }
            }
        })*
    };
}

same! {
    outbox::EntryState => EntryState { Pending, Sending, Settled, Quarantined }
    outbox::WaitReason => WaitReason { Offline, NotTheServer, ServerBusy, WrongAddress, AnotherSender }
    incident_core::Outcome => Outcome { Created, CreatedAndCancelled, Unchanged, Cancelled, AlreadyCancelled, Erased }
    incident_core::Status => IncidentStatus { Open, Cancelled }
}

impl From<EntryState> for outbox::EntryState {
    fn from(state: EntryState) -> Self {
        match state {
            EntryState::Pending => Self::Pending,
            EntryState::Sending => Self::Sending,
            EntryState::Settled => Self::Settled,
            EntryState::Quarantined => Self::Quarantined,
        }
    }
}

impl From<Draft> for outbox::NewReport {
    fn from(draft: Draft) -> Self {
        let Draft {
            location_id,
            room_number,
            longitude,
            latitude,
            is_anonymous,
            created_at,
            cancellation_reason,
        } = draft;
        Self {
            location_id,
            room_number,
            longitude,
            latitude,
            is_anonymous,
            created_at_ms: created_at.map(|moment| moment.0),
            cancellation_reason,
        }
    }
}

impl From<incident_core::Violation> for Violation {
    fn from(violation: incident_core::Violation) -> Self {
        let (pointer, code) = (violation.pointer.to_owned(), violation.code.as_str().to_owned());
        Self { pointer, code, detail: violation.detail() }
    }
}

impl From<outbox::Fault> for Violation {
    fn from(fault: outbox::Fault) -> Self {
        let outbox::Fault { pointer, code, detail } = fault;
        Self { pointer, code, detail }
    }
}

impl From<outbox::Entry> for Entry {
    fn from(entry: outbox::Entry) -> Self {
        let payload = entry.payload.to_canonical_json();
        let incident_core::SyncPayload { facts, cancellation_reason } = entry.payload;
        Self {
            key: entry.key.to_string(),
            state: entry.state.into(),
            location_id: facts.location_id.as_str().to_owned(),
            room_number: facts.room_number.map(|room| room.as_str().to_owned()),
            longitude: facts.gps_coordinates.longitude(),
            latitude: facts.gps_coordinates.latitude(),
            is_anonymous: facts.is_anonymous,
            created_at: Moment(facts.created_at.unix_ms()),
            cancellation_reason: cancellation_reason.map(|reason| reason.as_str().to_owned()),
            payload,
            reported_at: Moment(entry.reported_at_ms),
            changed_at: Moment(entry.changed_at_ms),
            attempts: entry.attempts,
            problem: entry.trouble.map(Into::into),
            incident: entry.incident.map(Into::into),
        }
    }
}

impl From<outbox::Trouble> for Problem {
    fn from(trouble: outbox::Trouble) -> Self {
        let outbox::Trouble { status, problem, detail, errors, fields } = trouble;
        Self { status, slug: problem, detail, errors: errors.into_iter().map(Into::into).collect(), fields }
    }
}

impl From<outbox::ServerIncident> for Incident {
    fn from(incident: outbox::ServerIncident) -> Self {
        Self {
            id: incident.id,
            status: incident.status.into(),
            outcome: incident.outcome.into(),
            received_at: Moment(incident.received_at_ms),
            clock_suspect: incident.clock_suspect,
            cancelled_at: incident.cancelled_at_ms.map(Moment),
            cancellation_reason: incident.cancellation_reason,
        }
    }
}

impl From<(outbox::Summary, Option<&outbox::Recovery>)> for Summary {
    fn from((summary, recovery): (outbox::Summary, Option<&outbox::Recovery>)) -> Self {
        let outbox::Summary { pending, sending, settled, quarantined, of_others } = summary;
        let recovery = recovery.map(|recovery| Recovery {
            saved: recovery.saved,
            lost: recovery.lost,
            moved_to: recovery.moved_to.display().to_string(),
        });
        Self { pending, sending, settled, quarantined, of_others, recovery }
    }
}

impl From<outbox::NextUpload> for NextUpload {
    fn from(next: outbox::NextUpload) -> Self {
        match next {
            outbox::NextUpload::Send(upload) => Self::Send { upload: upload.into() },
            outbox::NextUpload::Wait { until_ms, why } => {
                Self::Wait { until: Moment(until_ms), why: why.into() }
            }
            outbox::NextUpload::SignIn => Self::SignIn,
            outbox::NextUpload::Idle => Self::Idle,
        }
    }
}

impl From<outbox::Upload> for Upload {
    fn from(upload: outbox::Upload) -> Self {
        let outbox::Upload { id, method, path, headers, body, timeout_ms } = upload;
        let headers =
            headers.into_iter().map(|outbox::Header { name, value }| Header { name, value }).collect();
        Self {
            id,
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: body.into_bytes(),
            timeout_ms,
        }
    }
}

impl From<UploadResult> for outbox::UploadResult {
    fn from(result: UploadResult) -> Self {
        match result {
            UploadResult::Response { status, headers, body } => {
                let headers =
                    headers.into_iter().map(|Header { name, value }| outbox::Header { name, value });
                Self::Response { status, headers: headers.collect(), body }
            }
            UploadResult::NetworkFailure => Self::NetworkFailure,
            UploadResult::Cancelled => Self::Cancelled,
        }
    }
}

impl From<outbox::Progress> for Progress {
    fn from(progress: outbox::Progress) -> Self {
        let outbox::Progress { settled, quarantined, pending } = progress;
        Self { settled, quarantined, pending }
    }
}

impl From<Decoded> for CanonicalPayload {
    fn from(decoded: Decoded) -> Self {
        let ignored = decoded.warnings.into_iter().map(|warning| warning.pointer).collect();
        Self { text: decoded.payload.to_canonical_json(), ignored }
    }
}

impl From<Refusal> for OutboxError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed(_) => Self::Malformed { detail: refusal.to_string() },
            Refusal::Invalid(violations) => outbox::OutboxError::Invalid(violations).into(),
        }
    }
}

impl From<outbox::OutboxError> for OutboxError {
    fn from(error: outbox::OutboxError) -> Self {
        use outbox::OutboxError as Inner;
        match error {
            Inner::Invalid(violations) => {
                Self::Invalid { violations: violations.into_iter().map(Into::into).collect() }
            }
            Inner::AlreadyCancelled => Self::AlreadyCancelled,
            Inner::NotFound => Self::NotFound,
            Inner::StillPending => Self::StillPending,
            Inner::Full => Self::Full,
            Inner::NoSpace(_) => Self::NoSpace,
            Inner::Unavailable(source) => Self::Unavailable { detail: source.to_string() },
            Inner::Hurt => Self::Hurt,
            Inner::NewerSchema => Self::NewerSchema,
        }
    }
}

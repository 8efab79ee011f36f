// The words of the outbox, as the Rust library has them.

import IncidentSyncGenerated

public typealias CanonicalPayload = IncidentSyncGenerated.CanonicalPayload
public typealias Draft = IncidentSyncGenerated.Draft
public typealias Entry = IncidentSyncGenerated.Entry
public typealias EntryState = IncidentSyncGenerated.EntryState
public typealias Header = IncidentSyncGenerated.Header
public typealias Incident = IncidentSyncGenerated.Incident
public typealias IncidentStatus = IncidentSyncGenerated.IncidentStatus
public typealias NetworkFailureKind = IncidentSyncGenerated.NetworkFailureKind
public typealias NextUpload = IncidentSyncGenerated.NextUpload
public typealias OutboxSettings = IncidentSyncGenerated.OutboxSettings
public typealias Outcome = IncidentSyncGenerated.Outcome
public typealias Problem = IncidentSyncGenerated.Problem
public typealias Recovery = IncidentSyncGenerated.Recovery
public typealias SignInReason = IncidentSyncGenerated.SignInReason
public typealias Summary = IncidentSyncGenerated.Summary
public typealias Upload = IncidentSyncGenerated.Upload
public typealias UploadResult = IncidentSyncGenerated.UploadResult
public typealias Violation = IncidentSyncGenerated.Violation
public typealias WaitReason = IncidentSyncGenerated.WaitReason

/// `Progress` in the other languages; here Foundation has that name.
public typealias SyncProgress = IncidentSyncGenerated.Progress
